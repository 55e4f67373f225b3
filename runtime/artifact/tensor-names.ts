/** How the tensors of a weight are called. */
import type { WeightDecl } from "./program.ts";

/** Spellings of each tensor, best first; the tensors in the order of the stacks, row-major. */
export function tensorNames({ tensors, stacks }: WeightDecl): readonly (readonly string[])[] {
  if ("list" in tensors) return tensors.list;
  const { patterns, from } = tensors;
  const total = stacks.reduce((n, s) => n * s, 1);
  return Array.from({ length: total }, (_, ordinal) => {
    const indices = indicesOf(ordinal, stacks).map((index, axis) => index + (from[axis] ?? 0));
    return patterns.map((pattern) => filledIn(pattern, indices));
  });
}

function indicesOf(ordinal: number, extents: readonly number[]): readonly number[] {
  const indices: number[] = [];
  let rest = ordinal;
  for (const extent of [...extents].reverse()) {
    indices.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return indices;
}

const filledIn = (pattern: string, indices: readonly number[]): string =>
  pattern.replace(/\{(\d+)\}/g, (whole, axis: string) => String(indices[Number(axis)] ?? whole));

/** Whether a pattern, in which `*` stands for any text, is the whole name. */
export function matchesPattern(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
