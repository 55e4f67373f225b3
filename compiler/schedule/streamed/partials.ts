/** What the kernels of a streamed fold with lanes share: what they are asked, how partial results lie, how a kernel of it is made. */
import { constantOf } from "../../graph/dim.ts";
import { InternalError } from "../../graph/internal-error.ts";
import type { Node } from "../../graph/node.ts";
import { type Body, type BufferSpec, kernel, type Memory } from "../../kernel/build.ts";
import { constant, mul } from "../../kernel/expr.ts";
import type { Expr, Kernel } from "../../kernel/kernel.ts";
import { loadsOf } from "../../kernel/walk.ts";
import { dimExpr } from "../lift/spell-dim.ts";
import { allDims, buffersOf, sizesOf } from "../nest/given.ts";
import type { Nest } from "../nest/nest.ts";
import type { TileOptions } from "../tile-plan.ts";
import type { LanesPlan } from "./lanes-plan.ts";
import type { Pattern } from "./pattern.ts";

export interface AskedLanes {
  readonly nest: Nest;
  readonly pattern: Pattern;
  readonly plan: LanesPlan;
  readonly options: TileOptions;
  readonly says: string;
}

/** The name of what items of a split leave; operands have names of `buffersOf`. */
export const partialName = "partials";
export const splitName = "split";

const product = (all: readonly Expr[]): Expr => all.reduce((a, b) => mul(a, b), constant(1) as Expr);
export const elementsOf = (nest: Nest): Expr => product(nest.axes.map((a) => dimExpr(a.size)));
export const rowsOf = (p: Pattern): Expr => product(p.rows.map((a) => dimExpr(a.size)));

/** Of one row of one split. */
interface PartialLayout {
  readonly length: number;
  /** Where m stands; narrow sums are behind it. */
  readonly max: number;
  readonly stride: number;
}
export function layoutOf({ pattern, plan }: Pick<AskedLanes, "pattern" | "plan">): PartialLayout {
  const length = constantOf(pattern.wide.size);
  if (length === null) throw new InternalError(`${pattern.wide.name} has no fixed size`);
  const max = length * pattern.spread.length;
  const stride = Math.ceil((max + 1 + pattern.narrow.length) / plan.vector) * plan.vector;
  return { length, max, stride };
}

/** Buffers that the body does not touch are left out. */
function touched(k: Kernel): Kernel {
  const loaded = loadsOf(k.body);
  return { ...k, buffers: k.buffers.filter((b) => b.access !== "read" || loaded.has(b.name)) };
}

export type Places = ReadonlyMap<Node, Memory>;
export function written(
  { nest, options, says }: AskedLanes,
  more: Readonly<Record<string, BufferSpec>>,
  { lanes, grid, fill }: { lanes: number; grid: Record<string, Expr>; fill: Filling },
): Kernel {
  const inputs = buffersOf(nest, [partialName, splitName]);
  const buffers: Record<string, BufferSpec> = {};
  for (const b of inputs) buffers[b.name] = b.spec;
  Object.assign(buffers, more);
  const sizes = sizesOf(nest, allDims(nest));
  const spec = { name: options.name, source: `${nest.label}: ${says}`, lanes, sizes, buffers, grid };
  return touched(
    kernel(spec, (b, memory) => fill(b, new Map(inputs.map((x): [Node, Memory] => [x.node, memory(x.name)])), memory)),
  );
}
type Filling = (b: Body, places: Places, memory: (name: string) => Memory) => void;
