/** c[m, n] = sum over k of a[m, k] · w[n, k] on a matrix unit, sums in f32. Rows and columns in whole tiles. */
import { type BufferSpec, kernel } from "../../../compiler/kernel/build.ts";
import { add, constant, div, mul, name } from "../../../compiler/kernel/expr.ts";
import type { Kernel } from "../../../compiler/kernel/kernel.ts";
import type { KernelTarget } from "../../../compiler/target/kernel-target.ts";

type Unit = NonNullable<KernelTarget["matrixUnit"]>;
export interface UnitSchedule {
  /** Of one fragment. */
  readonly unit: Unit;
  readonly lanes: number;
  readonly subgroup: number;
  /** Tiles of n that a subgroup sums side by side: as many uses of each fragment of a. */
  readonly tiles: number;
}
/** Null where the target has no unit, or no fixed subgroup to own fragments. */
export function chooseUnit(t: KernelTarget): UnitSchedule | null {
  const { matrixUnit, subgroup, lanes } = t;
  if (matrixUnit === null || subgroup === null || subgroup.min !== subgroup.max) return null;
  return { unit: matrixUnit, lanes, subgroup: subgroup.min, tiles: 4 };
}

export function contractionUnit(kernelName: string, s: UnitSchedule): Kernel {
  const { unit, tiles } = s;
  const [M, N, K] = [name("M"), name("N"), name("K")];
  const subgroups = s.lanes / s.subgroup;
  const columns = unit.n * tiles * subgroups;
  const buffers: Record<string, BufferSpec> = {
    a: { elem: unit.elem, extent: mul(M, K) },
    w: { elem: unit.elem, extent: mul(N, K) },
    c: { elem: "f32", extent: mul(M, N), access: "write" },
  };
  const sizes = { M: { multiple: unit.m }, N: { multiple: columns }, K: { multiple: unit.k } };
  const grid = { bm: div(M, unit.m), bn: div(N, columns) };
  const source = `contraction on a matrix unit: ${subgroups} subgroups of ${unit.m} x ${unit.n * tiles}`;
  return kernel({ name: kernelName, source, lanes: s.lanes, sizes, buffers, grid }, (b) => {
    const m0 = b.let("m0", mul(name("bm"), unit.m));
    const n0 = b.let("n0", mul(add(mul(name("bn"), subgroups), div(b.lane, s.subgroup)), unit.n * tiles));
    const zero = constant(0);
    const of = { elem: unit.elem, count: 1 };
    b.emit({ kind: "frag", name: "fa", role: "a", ...of, rows: unit.m, columns: unit.k });
    b.emit({ kind: "frag", name: "fb", role: "b", ...of, rows: unit.n, columns: unit.k });
    b.emit({ kind: "frag", name: "fd", role: "d", elem: "f32", count: tiles, rows: unit.m, columns: unit.n });
    b.loop("k", { from: 0, to: K, step: unit.k }, (k) => {
      b.emit({ kind: "frag_load", frag: "fa", at: zero, memory: "a", index: add(mul(m0, K), k), stride: K });
      b.unroll("j", tiles, (j) => {
        const index = add(mul(add(n0, mul(j, unit.n)), K), k);
        b.emit({ kind: "frag_load", frag: "fb", at: zero, memory: "w", index, stride: K });
        b.emit({ kind: "mma", d: "fd", dAt: j, a: "fa", aAt: zero, b: "fb", bAt: zero });
      });
    });
    b.unroll("j", tiles, (j) => {
      const index = add(mul(m0, N), n0, mul(j, unit.n));
      b.emit({ kind: "frag_store", frag: "fd", at: j, memory: "c", index, stride: N });
    });
  });
}
