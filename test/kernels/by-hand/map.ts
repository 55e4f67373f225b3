/** y[i] = body(x0[i], x1[i], …) for i < N. */
import { type BufferSpec, f32At, kernel } from "../../../compiler/kernel/build.ts";
import type { Elem } from "../../../compiler/kernel/elem.ts";
import { add, ceilDiv, convert, min, mul, name, op } from "../../../compiler/kernel/expr.ts";
import type { Expr, Kernel } from "../../../compiler/kernel/kernel.ts";
import type { KernelTarget } from "../../../compiler/target/kernel-target.ts";

export interface MapDescription {
  readonly name: string;
  /** Storage of x0, x1, … */
  readonly inputs: readonly Elem[];
  readonly output: Elem;
  /** Of f32 values of any width. */
  readonly body: (x: readonly Expr[]) => Expr;
}
export interface MapSchedule {
  readonly lanes: number;
  readonly vector: number;
  /** Vectors that a lane computes. */
  readonly turns: number;
}
export const chooseMap = (t: KernelTarget): MapSchedule => ({
  lanes: t.lanes,
  vector: t.vector,
  turns: t.lanes === 1 ? 64 : 1,
});

/** The last vector of the tensor, where it is not full, is computed one by one. */
export function mapKernel(d: MapDescription, s: MapSchedule): Kernel {
  const { lanes, vector, turns } = s;
  const n = name("N");
  const buffers: Record<string, BufferSpec> = {};
  for (const [i, elem] of d.inputs.entries()) buffers[`x${i}`] = { elem, extent: n };
  buffers["y"] = { elem: d.output, extent: n, access: "write" };
  const block = lanes * vector * turns;
  const source = `map: ${lanes} lanes, ${turns} vectors of ${vector}`;
  const grid = { block: ceilDiv(n, block) };
  return kernel({ name: d.name, source, lanes, sizes: { N: {} }, buffers, grid }, (b, memory) => {
    const y = memory("y");
    const inputs = d.inputs.map((_, i) => memory(`x${i}`));
    const compute = (i: Expr, width: number): void => {
      const x = inputs.map((m) => b.let("x", f32At(m, i, width)));
      b.store(y, i, convert(d.body(x), d.output));
    };
    const start = b.let("start", mul(name("block"), block));
    b.distribute("v", lanes * turns, lanes, b.lane, (v) => {
      const i = b.let("i", add(start, mul(v, vector)));
      b.if(op("le", add(i, vector), n), () => compute(i, vector));
      if (vector === 1) return;
      b.if(op("lt", n, add(i, vector)), () =>
        b.loop("e", { from: i, to: min(add(i, vector), n), step: 1 }, (e) => compute(e, 1)),
      );
    });
  });
}
