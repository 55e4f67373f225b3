/** The last map of a graph in text form as a kernel, with data, and what the graph's interpreter makes of them. */
import { evalDim, type Sizes } from "../../compiler/graph/dim.ts";
import { prepare } from "../../compiler/graph/interpret/prepare.ts";
import { StateStore } from "../../compiler/graph/interpret/state-store.ts";
import { type RealTensor, realsOf, tensor } from "../../compiler/graph/interpret/tensor.ts";
import type { Graph, Node } from "../../compiler/graph/node.ts";
import { parse } from "../../compiler/graph/parse.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import type { Elem } from "../../compiler/kernel/elem.ts";
import { type Data, newData } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { buffersOf } from "../../compiler/schedule/nest/given.ts";
import { makeNest } from "../../compiler/schedule/nest/make-nest.ts";
import { specialiser } from "../../compiler/schedule/nest/specialise.ts";
import { type Ahead, scheduleNest } from "../../compiler/schedule/schedule-map.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { random, read, stored } from "./data.ts";

export interface MapCase {
  readonly kernel: Kernel;
  /** Called before it, where there are two. */
  readonly ahead: Ahead | null;
  /** The strategy, and why others were refused. */
  readonly says: string;
  readonly refused: readonly string[];
  readonly sizes: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, Data>>;
  readonly want: Float64Array;
}
export interface Asked {
  /** Of the call. */
  readonly sizes: Sizes;
  /** Those that the kernel is made for. */
  readonly fixed: Sizes;
  readonly target: KernelTarget;
  /** Without it the graph is not run. */
  readonly expected?: boolean;
}

const kept: ReadonlySet<string> = new Set<Elem>(["i32", "bool", "bf16", "f16", "i8"]);

export function graphOf(text: string): Graph {
  const parsed = parse(text);
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column}: ${parsed.message}`);
  return parsed.graph;
}

export function mapCase(text: string, { sizes, fixed, target, expected = true }: Asked): MapCase {
  const g = graphOf(text);
  const n = g.results[0];
  if (n?.kind !== "map") throw new Error("the result is no map");
  const elemOf = (x: Node): Elem => {
    const { dtype } = x.type;
    return kept.has(dtype) ? (dtype as Elem) : "f32";
  };
  const next = random(Object.values(sizes).reduce((a, b) => a * 31 + b, 7));
  // Whole numbers are places of rows so far.
  const most = (sizes["S0"] ?? 0) + (sizes["T"] ?? 1);
  const given = new Map<Node, RealTensor>();
  for (const x of nodesOf(g)) {
    if (x.kind !== "input" && x.kind !== "weight") continue;
    const dims = x.type.dims.map((d) => evalDim(d, sizes));
    const count = dims.reduce((a, b) => a * b, 1);
    const raw = Float64Array.from({ length: count }, () =>
      elemOf(x) === "i32"
        ? Math.floor(((next() + 1) / 2) * most)
        : elemOf(x) === "i8"
          ? Math.round(127 * next())
          : next(),
    );
    given.set(x, tensor(dims, read(elemOf(x), stored(elemOf(x), raw))));
  }
  const param = (p: Node): RealTensor => given.get(p) ?? tensor([0], []);
  const nest = makeNest(n, n, {
    special: specialiser(fixed),
    ranges: new Map([...g.sizes].filter(([name]) => fixed[name] === undefined)),
    counts: new Map(),
    mostElements: target.mostElements,
    windowBytes: target.windowBytes,
    elemOf,
  });
  // What other nodes compute for it is taken from the interpreter, too.
  const computed = nest.operands.map((o) => o.node).filter((x) => !given.has(x));
  const results = expected || computed.length > 0 ? [n, ...computed] : [];
  const [result, ...others] = prepare({ ...g, results }).run({ sizes, state: new StateStore(), param });
  for (const [i, x] of computed.entries()) {
    const value = others[i];
    if (value !== undefined) given.set(x, tensor(value.dims, realsOf(value)));
  }
  const { kernel, ahead, says, refused } = scheduleNest(nest, sizes, target, { name: "made" });
  const inputs: Record<string, Data> = {};
  for (const [i, { name }] of buffersOf(nest).entries()) {
    const o = nest.operands[i];
    const value = o === undefined ? undefined : given.get(o.node);
    if (value === undefined || o === undefined) throw new Error(`no value for ${name}`);
    inputs[name] = stored(o.elem, value.data);
  }
  const own = Object.fromEntries(kernel.sizes.map((s) => [s.name, sizes[s.name] ?? 0]));
  return {
    kernel,
    ahead,
    says,
    refused,
    sizes: own,
    inputs,
    want: result === undefined ? new Float64Array(0) : realsOf(result),
  };
}
export const outputOf = (c: MapCase): Data => newData("f32", c.want.length);
