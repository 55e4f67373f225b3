import type { BlockInstance } from "../checker/result.ts";

/** A part, or a family whose members differ: one instance a variant, in the order of the text. */
export interface Variants {
  readonly first: BlockInstance;
  readonly others: readonly BlockInstance[];
}

const sameFamily = (a: BlockInstance, b: BlockInstance): boolean =>
  a.name === b.name &&
  a.family !== null &&
  b.family !== null &&
  a.family.index === b.family.index &&
  a.family.size === b.family.size &&
  a.members !== null &&
  b.members !== null;

/** Brings the variants of one family, which stand one after the other, together. */
export function groupVariants(blocks: readonly BlockInstance[]): readonly Variants[] {
  const groups: { first: BlockInstance; others: BlockInstance[] }[] = [];
  for (const block of blocks) {
    const last = groups.at(-1);
    if (last !== undefined && sameFamily(last.first, block)) last.others.push(block);
    else groups.push({ first: block, others: [] });
  }
  return groups;
}

/** `l in L`; only the index when the size is the number of members, which is told anyway. */
export function familyIndex({ family }: BlockInstance): string {
  if (family === null) return "";
  return family.size === String(family.count) ? family.index : `${family.index} in ${family.size}`;
}

/** Which members an instance stands for: `l >= 3`, or all of them. */
export const familyCondition = (block: BlockInstance): string => block.members?.condition ?? familyIndex(block);
