/** Plans for tiles, best first: numbers from the structure of a nest, sizes it is planned for, and the target. */
import { constantOf, type Sizes } from "../graph/dim.ts";
import type { Reduce } from "../graph/node.ts";
import { freeNames } from "../graph/scalar.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { Unsuitable } from "./lift/lift.ts";
import type { Nest } from "./nest/nest.ts";
import { longestAxis, outputVectors, type Shape, shapeOf, walksOf } from "./nest-shape.ts";
import { type AskedTile, anyTile, registerTiled } from "./register-tile.ts";
import { sharedSums } from "./share-sums.ts";
import { stagedTiles } from "./stage-tiles.ts";
import type { TilePlan, Walk } from "./tile-plan.ts";

/** The last one fits every nest. */
export function tilePlans(nest: Nest, sizes: Sizes, target: KernelTarget): readonly TilePlan[] {
  const shape = shapeOf(nest, sizes, target);
  const summed = sumsAlongLast(shape);
  return [...(summed === null ? walked(shape) : contracted(shape, summed)), oneByOne(nest)];
}

/** The one plan with these numbers of places. */
export function tiledPlan(nest: Nest, sizes: Sizes, target: KernelTarget, asked: AskedTile): TilePlan {
  const shape = shapeOf(nest, sizes, target);
  const summed = sumsAlongLast(shape);
  if (summed === null) throw new Unsuitable("it has no sum that differs along its last axis");
  const [best] = asked.rows === null && asked.tokens === null ? contracted(shape, summed) : [];
  return best ?? registerTiled(shape, summed, asked);
}

/** Reductions that differ along some axis, where one does along the last; null: it is walked. */
function sumsAlongLast({ reduces, others }: Shape): readonly Reduce[] | null {
  const summed = reduces.filter((r) => others.some((a) => freeNames(r).has(a.name)));
  const main = others.at(-1);
  return main !== undefined && summed.some((r) => freeNames(r).has(main.name)) ? summed : null;
}

function contracted(shape: Shape, summed: readonly Reduce[]): readonly TilePlan[] {
  const best = sharedSums(shape, summed) ?? stagedTiles(shape, summed);
  const alone = registerTiled(shape, summed, anyTile);
  return best === null ? [alone] : [best, alone];
}

const noVectors = { vector: 1, turn: 1, fewTurns: 1, numbers: false, products: 1, lanes: 1, share: 1 } as const;

/** No vectors, one place at a time. */
export const oneByOne = (nest: Nest): TilePlan => ({
  ...noVectors,
  walks: new Map(
    nest.axes.map((a, i): [string, Walk] => [a.name, { kind: i === nest.axes.length - 1 ? "loop" : "tile", count: 1 }]),
  ),
  along: null,
  grouped: null,
  order: nest.axes
    .slice(0, -1)
    .map((a) => a.name)
    .reverse(),
  staged: null,
  says: "one by one",
});

/** Elementwise, or with reductions that all places of the last axis share: by all lanes where they are long, else by each alone. */
function walked(shape: Shape): readonly TilePlan[] {
  const plan = shape.nest.axes.length === 0 ? oneValue(shape) : walkedAlong(shape);
  const lanes = lanesFor(shape.reduces, shape.target);
  if (lanes === 1) return [plan];
  return [{ ...plan, lanes, share: lanes, says: `${plan.says}, shared by ${lanes} lanes` }, plan];
}

const oneValue = ({ nest, target }: Shape): TilePlan => ({
  ...oneByOne(nest),
  vector: target.vector,
  numbers: target.lanes > 1,
  products: target.dot.group,
  fewTurns: 4,
  says: "one value",
});

function walkedAlong(shape: Shape): TilePlan {
  const { nest, target, reduces, others } = shape;
  const last = nest.axes.at(-1);
  const main = others.at(-1);
  const along = main === undefined || main !== last ? null : outputVectors(nest, main, target);
  const rows = reduces.length > 0;
  const length = main === undefined ? 1 : (constantOf(main.size) ?? Number.POSITIVE_INFINITY);
  // A short axis is walked by one item; a long one is cut, so that several can share it. Where items are lanes beside each other, each
  // has one place.
  const together = rows || (target.lanes === 1 && length <= 1024);
  const count = target.lanes === 1 ? 16 : 1;
  const walks = walksOf(shape, [[main, together ? { kind: "loop", count: 1 } : { kind: "tile", count }]]);
  const order = others
    .filter((a) => !(together && a === main))
    .map((a) => a.name)
    .reverse();
  const how = along === null ? "one by one" : `vectors of ${along.width} along ${along.axis}`;
  return {
    lanes: 1,
    share: 1,
    vector: target.vector,
    numbers: target.lanes > 1,
    products: target.dot.group,
    turn: 1,
    fewTurns: 4,
    walks,
    along,
    grouped: null,
    order,
    staged: null,
    says: `${rows ? "row reduction" : "elementwise"}: ${how}`,
  };
}

/** Those of the target, where every reduction is long enough to be shared out among them. */
function lanesFor(reduces: readonly Reduce[], target: KernelTarget): number {
  const isLong = (r: Reduce): boolean => {
    const { vectors, width } = longestAxis(r, target);
    return vectors * width >= target.lanes;
  };
  return target.lanes > 1 && reduces.length > 0 && reduces.every(isLong) ? target.lanes : 1;
}
