/** The points of a selection a block of its axis at a time: what is computed for one does not grow with the axis. */
import type { SizeExpr } from "../../runtime/artifact/program.ts";
import type { Sizes } from "../graph/dim.ts";
import type { Graph, Node, Scalar, TopK } from "../graph/node.ts";
import { add, axis, dimValue, freeNames, mapChildren, name, read } from "../graph/scalar.ts";
import type { Points } from "../schedule/nest/make-nest.ts";
import { times } from "./size-of-scalar.ts";

/** Some points of a long axis. */
export interface Block {
  /** Sizes that its kernels are given, beside those of calls: what they are, and their ranges. */
  readonly sizes: ReadonlyMap<string, SizeExpr>;
  readonly ranges: Graph["sizes"];
  /** What schedules are chosen for. */
  readonly planned: Sizes;
  /** What stands for rows of a tensor, with the tensor. */
  readonly parts: ReadonlyMap<Node, Node>;
}

/** Names, for kernels, of the sizes of a block: how many points it has, the first of them, and how many rows choose from it. */
export const blockSizes = { points: "block_points", first: "block_first", rows: "block_rows" } as const;

export interface BlockPoints {
  readonly points: Points;
  /** The rows of a tensor that belong to the block, by the node that stands for them alone. */
  readonly parts: ReadonlyMap<Node, Node>;
}

/**
 * A tensor that is read at the axis itself, its first, is seen through the rows of the block: they begin somewhere else, and
 * the index stays one that is in range. Elsewhere the index is the one in the whole axis.
 */
export function pointsOfBlock(n: TopK): BlockPoints {
  const parts = new Map<Node, Node>();
  const byWhole = new Map<Node, Node>();
  const points = axis(n.over.name, blockSizes.points);
  const partOf = (whole: Node): Node => {
    const known = byWhole.get(whole);
    if (known !== undefined) return known;
    const type = { dtype: whole.type.dtype, dims: [points.size, ...whole.type.dims.slice(1)] };
    const part: Node = { kind: "input", id: -2 - whole.id, name: whole.name, type };
    byWhole.set(whole, part);
    parts.set(part, whole);
    return part;
  };
  const moved = (e: Scalar): Scalar => {
    if (e.kind === "name" && e.name === n.over.name) return add(e, dimValue(blockSizes.first));
    if (e.kind !== "read") return mapChildren(e, moved);
    const [at, ...rest] = e.at;
    const along = at?.kind === "name" && at.name === n.over.name && e.value.type.dims[0]?.key === n.over.size.key;
    if (!along || rest.some((x) => freeNames(x).has(n.over.name))) return mapChildren(e, moved);
    return read(partOf(e.value), [name(n.over.name), ...rest.map(moved)]);
  };
  const where = n.where === null ? null : moved(n.where);
  return { points: { domain: [...n.domain, points], body: moved(n.body), where }, parts };
}

/** Of the block `index` of an axis of `size` points, `most` in a block. Past the end of the axis there are none. */
export function sizesOfBlock(index: SizeExpr, size: SizeExpr, most: number, rows: SizeExpr): Map<string, SizeExpr> {
  const first: SizeExpr = ["min", times(index, most), size];
  const points: SizeExpr = ["min", most, ["-", size, first]];
  return new Map<string, SizeExpr>([
    [blockSizes.points, points],
    [blockSizes.first, first],
    // Where nothing is added, what is kept stays.
    [blockSizes.rows, times(rows, ["min", 1, points])],
  ]);
}
