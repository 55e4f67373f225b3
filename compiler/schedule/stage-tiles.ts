/** Contractions whose tiles are staged through shared memory: how large they are, and for which it pays. */
import { evalDim } from "../graph/dim.ts";
import type { Axis, Reduce } from "../graph/node.ts";
import { freeNames } from "../graph/scalar.ts";
import {
  type Contraction,
  contractionOf,
  registersOf,
  rowPlaces,
  streamsOf,
  tokenPlaces,
  vectorsText,
} from "./contraction.ts";
import { type Shape, walksOf } from "./nest-shape.ts";
import type { TilePlan } from "./tile-plan.ts";

/** What of an item is whose: lanes of tokens by lanes of rows, and for each its own places of both. */
interface Rectangle {
  readonly lanesOfRows: number;
  readonly lanesOfTokens: number;
  readonly rows: number;
  readonly tokens: number;
  readonly depth: number;
}

/** Null where the target stages nothing, the product is so small that its launch takes as long, or there are no rows and tokens. */
export function stagedTiles(shape: Shape, summed: readonly Reduce[]): TilePlan | null {
  const { target } = shape;
  if (!target.stageTiles || target.lanes === 1) return null;
  const c = contractionOf(shape, summed, longestInside);
  const { rowAxis, tokenAxis, along, order, sums, grouped } = c;
  if (rowAxis === undefined || tokenAxis === undefined || productsOf(c) < target.stagedFrom) return null;
  const best = rectangle(c);
  if (best === null) return null;
  const { lanesOfRows, lanesOfTokens, rows, tokens, depth } = best;
  const width = along?.width ?? 1;
  const how = along === null ? `vectors of ${target.vector} along the sum` : vectorsText(c);
  const item = `${rows * lanesOfRows * width} x ${tokens * lanesOfTokens} places, ${rows * width} x ${tokens} a lane`;
  return {
    lanes: target.lanes,
    share: 1,
    vector: target.vector,
    numbers: true,
    products: target.dot.group,
    turn: 1,
    fewTurns: 1,
    walks: walksOf(shape, [
      [rowAxis, { kind: "dealt", count: rows, among: lanesOfRows, every: 1 }],
      [tokenAxis, { kind: "dealt", count: tokens, among: lanesOfTokens, every: lanesOfRows }],
    ]),
    along,
    grouped,
    order,
    staged: { rows: rowAxis.name, tokens: tokenAxis.name, depth },
    says: `${grouped === null ? "" : "grouped "}contraction through shared memory: ${item}, ${sums.length} sums, ${how}`,
  };
}

/** Terms of all sums. */
function productsOf({ shape, summed, extent }: Contraction): number {
  const points = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * extent(a), 1);
  return summed.reduce((n, r) => {
    const names = freeNames(r);
    return n + points(shape.nest.axes.filter((a) => names.has(a.name))) * points(r.axes);
  }, 0);
}

/** The innermost that fills a side of an item, as adjacent rows are written side by side; else the longest. */
function longestInside(used: readonly Axis[], _: readonly Reduce[], { sizes }: Shape): Axis | undefined {
  const extent = (a: Axis): number => evalDim(a.size, sizes);
  const long = used.filter((a) => extent(a) >= usualSide);
  const longest = used.reduce<Axis | undefined>(
    (x, a) => (x === undefined || extent(a) >= extent(x) ? a : x),
    undefined,
  );
  return long.at(-1) ?? longest;
}
const usualSide = 32;

/** Two items of a compute unit have room for their tiles, so that one computes while the other waits for memory. */
const itemsAtOnce = 2;
const depths = [16, 8, 4];
const counts = [1, 2, 4, 8];
/** What a load from shared memory, and one from memory, costs beside a multiply-add of two vectors. */
const sharedLoad = 2;
const memoryLoad = 8;

/** Of those that fit, the one whose products cost least: in loads, in places past the end, in lanes that have nothing to do. */
function rectangle(c: Contraction): Rectangle | null {
  const { target } = c.shape;
  let best: Rectangle | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (let lanesOfTokens = 4; lanesOfTokens * 4 <= target.lanes; lanesOfTokens *= 2)
    for (const rows of counts)
      for (const tokens of counts) {
        const r = { lanesOfRows: target.lanes / lanesOfTokens, lanesOfTokens, rows, tokens };
        const depth = depthOf(c, r);
        const cost = depth === undefined ? Number.POSITIVE_INFINITY : costOf(c, r);
        if (depth === undefined || cost >= least) continue;
        least = cost;
        best = { ...r, depth };
      }
  return best;
}

type Sides = Omit<Rectangle, "depth">;

/** As deep as shared memory has room for; undefined where that is none, or registers have none. */
function depthOf(c: Contraction, { lanesOfRows, lanesOfTokens, rows, tokens }: Sides): number | undefined {
  const { target } = c.shape;
  const streams = streamsOf(c.sums);
  if (registersOf(c, rows, tokens) > target.registers) return undefined;
  const tokenTiles = c.sums.some((s) => !s.rows) ? 2 : 1;
  const places = streams * rows * lanesOfRows * (c.along?.width ?? 1) + tokenTiles * tokens * lanesOfTokens;
  return depths.find((depth) => itemsAtOnce * 4 * places * (depth + target.vector) <= target.sharedBytes);
}

/** Of a product that counts, with 1 for itself. */
function costOf(c: Contraction, { lanesOfRows, lanesOfTokens, rows, tokens }: Sides): number {
  const { target, others } = c.shape;
  const [sideOfRows, sideOfTokens, streams] = [rows * lanesOfRows, tokens * lanesOfTokens, streamsOf(c.sums)];
  const [rowsThere, tokensThere] = [rowPlaces(c), tokenPlaces(c)];
  const [acrossRows, acrossTokens] = [Math.ceil(rowsThere / sideOfRows), Math.ceil(tokensThere / sideOfTokens)];
  // Tokens that share weights begin and end anywhere in an item, which computes all its places for each such group.
  const again = c.grouped === null ? 1 : 1 + (sideOfTokens - 1) / Math.max(1, c.groupSize);
  const past = ((acrossRows * sideOfRows) / rowsThere) * ((acrossTokens * sideOfTokens) / tokensThere) * again;
  const around = others.reduce((n, a) => (a === c.rowAxis || a === c.tokenAxis ? n : n * c.extent(a)), 1);
  const busy = Math.min(1, (around * acrossRows * acrossTokens) / target.workers);
  // Vectors along rows: a load of a token has the terms of several of them.
  const loaded = c.along === null ? 1 : 1 / target.vector;
  const shared = (streams * rows + loaded * tokens) / (streams * rows * tokens);
  const memory = 1 / sideOfTokens + loaded / (streams * sideOfRows);
  return (past * (1 + sharedLoad * shared + memoryLoad * memory)) / busy;
}
