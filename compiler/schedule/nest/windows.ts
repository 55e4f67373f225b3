/**
 * Weights of which a launch has some pieces at hand: a window of them. A kernel of such a nest is launched once a window, and stores what
 * belongs to the pieces that it has; the piece of a point is the same whatever window there is, so each point is stored by one launch.
 */
import { constantOf, zeroDim } from "../../graph/dim.ts";
import type { Node, Scalar } from "../../graph/node.ts";
import { freeNames, key, readsOf } from "../../graph/scalar.ts";
import type { Window } from "../../kernel/kernel.ts";
import type { Nest } from "./nest.ts";

/** Sizes of such a kernel: the first piece at hand, and how many there are. */
const windowSizes = { first: "window_first", pieces: "window_pieces" } as const;

export interface NestWindow {
  readonly sizes: Window;
  /** The piece that a point belongs to, over the nest's axes. */
  readonly at: Scalar;
  /** What stands for the weights in the body. */
  readonly weights: ReadonlySet<Node>;
}

const known = new WeakMap<Nest, NestWindow | null>();
/**
 * Null where nothing is in pieces, or where pieces cannot be taken apart by points: one wants several of them, as a sum over what was
 * picked does, or weights have different ones.
 */
export function windowOf(nest: Nest): NestWindow | null {
  const found = known.get(nest) ?? find(nest);
  known.set(nest, found);
  return found;
}

function find({ windows, axes, body, where, operands }: Nest): NestWindow | null {
  if (!windows) return null;
  const weights = operands.filter((o) => o.node.kind === "weight" && o.flat.type.dims.length > 1).map((o) => o.flat);
  const reads = [body, ...(where === null ? [] : [where])].flatMap(readsOf).filter((r) => weights.includes(r.value));
  const pieces = new Set(weights.map((w) => constantOf(w.type.dims[0] ?? zeroDim)));
  const ways = new Map(reads.flatMap(({ at: [first] }) => (first === undefined ? [] : [[key(first), first] as const])));
  const [[of = null], [at]] = [[...pieces], [...ways.values()]];
  if (of === null || at === undefined || pieces.size > 1 || ways.size > 1) return null;
  const points = new Set(axes.map((a) => a.name));
  if ([...freeNames(at)].some((n) => !points.has(n))) return null;
  return { sizes: { ...windowSizes, of }, at, weights: new Set(weights) };
}
