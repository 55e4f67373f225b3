import type { BlockInstance, ModelInstance, WeightInstance } from "../checker/result.ts";

/** How many parameters a model has; every answer is null while a size or a family's count is not known. */
export interface Counts {
  /** Of one member: its own weights and those of its parts. */
  readonly one: (block: BlockInstance) => number | null;
  /** Of all members this instance stands for. */
  readonly all: (block: BlockInstance) => number | null;
  readonly total: number | null;
  /** The share of `total` that stands in optional parts. */
  readonly optional: number;
}

/** How many equal blocks an instance stands for. */
export function copiesOf(block: BlockInstance): number | null {
  if (block.members !== null) return block.members.count;
  return block.family === null ? 1 : block.family.count;
}

/** A shape of plain numbers already says its sizes; one of merged or joined axes does not. */
export const saysSizes = ({ shape, sizes }: WeightInstance): boolean =>
  sizes === null || shape === `[${sizes.join(", ")}]`;

/** Null while a size is not known. */
export const countWeight = (weight: WeightInstance): number | null =>
  weight.sizes === null ? null : weight.sizes.reduce((product, size) => product * size, 1);

const times = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a * b);

function sum(counts: Iterable<number | null>): number | null {
  let total = 0;
  for (const count of counts) {
    if (count === null) return null;
    total += count;
  }
  return total;
}

export function countParameters(model: ModelInstance): Counts {
  const known = new Map<BlockInstance, number | null>();
  const one = (block: BlockInstance): number | null => {
    const before = known.get(block);
    if (before !== undefined) return before;
    const count = sum([...block.weights.map(countWeight), ...block.parts.map(all)]);
    known.set(block, count);
    return count;
  };
  const all = (block: BlockInstance): number | null => times(copiesOf(block), one(block));
  const optional = (blocks: readonly BlockInstance[]): number =>
    blocks.reduce(
      (total, block) => total + (block.optional ? (all(block) ?? 0) : (copiesOf(block) ?? 0) * optional(block.parts)),
      0,
    );
  return {
    one,
    all,
    total: sum([...model.weights.map(countWeight), ...model.blocks.map(all)]),
    optional: optional(model.blocks),
  };
}

/** Whether a config was given: then a size that is still not known has another reason. */
export const hasConfig = (model: ModelInstance): boolean =>
  model.bound || model.settings.some((setting) => setting.kind === "field" && setting.value !== null);
