/** Contractions in register tiles: each lane reads its operands in place, and keeps the sums of a few rows and tokens side by side. */
import { constantOf } from "../graph/dim.ts";
import type { Axis, Reduce } from "../graph/node.ts";
import { freeNames, key, readsOf } from "../graph/scalar.ts";
import {
  type Contraction,
  contractionOf,
  registersOf,
  rowPlaces,
  streamsOf,
  tokenPlaces,
  vectorsText,
} from "./contraction.ts";
import { Unsuitable } from "./lift/lift.ts";
import { type Shape, walksOf } from "./nest-shape.ts";
import type { TilePlan, Walk } from "./tile-plan.ts";

/** Places of a tile that a text asks for; null: as many as are best. */
export interface AskedTile {
  readonly rows: number | null;
  readonly tokens: number | null;
}
export const anyTile: AskedTile = { rows: null, tokens: null };

/** Throws `Unsuitable` where there is no axis for what is asked. */
export function registerTiled(shape: Shape, summed: readonly Reduce[], asked: AskedTile): TilePlan {
  const { target } = shape;
  const c = contractionOf(shape, summed, rowAxisOf);
  const { rowAxis, tokenAxis, along, grouped, order, sums } = c;
  if ((asked.rows ?? 1) > 1 && rowAxis === undefined) throw new Unsuitable("it has no axis of rows here");
  if ((asked.tokens ?? 1) > 1 && tokenAxis === undefined) throw new Unsuitable("it has no axis of tokens here");
  const best = registerTile(c);
  const { rows, tokens } = { rows: asked.rows ?? best.rows, tokens: asked.tokens ?? best.tokens };
  return {
    lanes: 1,
    share: 1,
    vector: target.vector,
    numbers: target.lanes > 1,
    products: target.dot.group,
    // A turn of many products is long enough; where vectors lie along rows, a lane beside others reads a token's terms by vectors.
    turn: along !== null && target.lanes > 1 ? target.vector : tokens > 1 ? 1 : 2,
    fewTurns: 4,
    walks: walksOf(shape, [
      [rowAxis, rowWalk(rowAxis, rows, along === null && target.lanes === 1)],
      [tokenAxis, { kind: "tile", count: tokens }],
    ]),
    along,
    grouped: tokens > 1 ? grouped : null,
    order,
    staged: null,
    says: `${tokens > 1 && grouped !== null ? "grouped " : ""}contraction: ${rows} x ${tokens} places, ${sums.length} sums, ${vectorsText(c)}`,
  };
}

/** The axis of rows: one that the most reads do not change with, and of these the outermost that has enough, whose streams are the longest. */
function rowAxisOf(used: readonly Axis[], summed: readonly Reduce[], { target }: Shape): Axis | undefined {
  const reads = new Map(summed.flatMap((r) => readsOf(r.body)).map((r) => [key(r), r]));
  const shares = (a: Axis): number => [...reads.values()].filter((r) => !freeNames(r).has(a.name)).length;
  const most = Math.max(0, ...used.map(shares));
  const best = used.filter((a) => shares(a) === most);
  const enough = (a: Axis): boolean => (constantOf(a.size) ?? 0) >= 2 * target.streams;
  return best.find(enough) ?? best.at(-1);
}

/**
 * Rows far apart: each is a stream of its own that items walk in order, which memory fetches ahead. Adjacent rows begin a new
 * stream at every item, which costs half of the bandwidth where rows are short. Lanes beside others are streams themselves.
 */
function rowWalk(a: Axis | undefined, rows: number, alone: boolean): Walk {
  const n = a === undefined ? null : constantOf(a.size);
  if (!alone || rows === 1 || n === null) return { kind: "tile", count: rows };
  return { kind: "spread", count: rows, apart: Math.ceil(n / rows) };
}

/** The tile with the fewest loads for a multiplication that fits the registers; one token: as many rows as memory wants. */
function registerTile(c: Contraction): { readonly rows: number; readonly tokens: number } {
  const { target } = c.shape;
  const { sums } = c;
  const [mostRows, mostTokens, streams] = [rowPlaces(c), tokenPlaces(c), streamsOf(sums)];
  if (mostTokens <= 1)
    return { rows: Math.max(1, Math.min(mostRows, Math.floor(target.streams / Math.max(1, streams)))), tokens: 1 };
  let best = { rows: 1, tokens: 1, loads: Number.POSITIVE_INFINITY };
  // Beside others, lanes with as many places as a power of two are told apart.
  const counts = target.lanes === 1 ? [1, 2, 3, 4, 5, 6, 7, 8] : [1, 2, 4, 8];
  for (const rows of counts)
    for (const tokens of counts) {
      if (rows > mostRows || tokens > mostTokens) continue;
      if (registersOf(c, rows, tokens) > target.registers) continue;
      // Rows stay in the nearest cache, tokens come from the next one: twice as far. Beside others, a lane with vectors along rows reads
      // as many terms of a token at once.
      const ofToken = target.lanes > 1 && c.along !== null ? 1 / target.vector : 2;
      const loads = (streams * rows + ofToken * tokens) / (streams * rows * tokens);
      if (loads < best.loads - 1e-9) best = { rows, tokens, loads };
    }
  return best;
}
