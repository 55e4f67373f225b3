/**
 * Damerau-Levenshtein distance (restricted: no edit inside a swap): insertions, deletions, replacements and swaps of
 * neighbours.
 */
export function editDistance(from: string, to: string): number {
  const a = [...from];
  const b = [...to];
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = b.map((_, j) => j).concat(b.length);
  for (const [i, char] of a.entries()) {
    const row = [i + 1];
    for (const [j, other] of b.entries()) {
      const replace = (last[j] ?? 0) + (char === other ? 0 : 1);
      const insert = (row[j] ?? 0) + 1;
      const remove = (last[j + 1] ?? 0) + 1;
      const swapped = i > 0 && j > 0 && char === b[j - 1] && a[i - 1] === other;
      const swap = swapped ? (beforeLast[j - 1] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(replace, insert, remove, swap));
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** Edits that still count as a slip. Names of one letter are never alike, except in their case. */
function slipLimit(name: string): number {
  if (name.length < 2) return 0;
  return name.length < 5 ? 1 : Math.min(3, Math.floor(name.length / 3) + 1);
}

/** `rms_norm` and `norm_rms` have the same words. */
const sortedWords = (name: string): string => name.split("_").sort().join("_");

interface Ranked {
  readonly candidate: string;
  readonly rank: readonly [folded: number, exact: number];
}

const better = (a: Ranked, b: Ranked): boolean =>
  a.rank[0] !== b.rank[0]
    ? a.rank[0] < b.rank[0]
    : a.rank[1] !== b.rank[1]
      ? a.rank[1] < b.rank[1]
      : a.candidate < b.candidate;

/**
 * The candidate that was most likely meant by `name`, or null when none is near. Case is ignored at first; among equals
 * the exact case wins, then the order of code units. The name itself is no candidate.
 */
export function closest(name: string, candidates: Iterable<string>): string | null {
  const folded = name.toLowerCase();
  const limit = slipLimit(name);
  let best: Ranked | null = null;
  for (const candidate of candidates) {
    if (candidate === name || candidate === "") continue;
    const other = candidate.toLowerCase();
    if (Math.abs(other.length - folded.length) > limit && sortedWords(other) !== sortedWords(folded)) continue;
    const near = editDistance(folded, other);
    const distance = sortedWords(other) === sortedWords(folded) ? Math.min(near, 1) : near;
    if (distance > Math.max(limit, name.includes("_") ? 1 : 0)) continue;
    const ranked: Ranked = { candidate, rank: [distance, editDistance(name, candidate)] };
    if (best === null || better(ranked, best)) best = ranked;
  }
  return best?.candidate ?? null;
}
