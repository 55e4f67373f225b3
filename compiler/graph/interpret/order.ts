/** The orders of `top_k` and `argsort`. */
export interface Candidate {
  readonly index: number;
  readonly key: number | bigint;
}
const isNotANumber = (x: number | bigint): boolean => typeof x === "number" && Number.isNaN(x);

/** Smaller key first if `up`, else larger first; nan last either way; equal keys by index. -0 equals 0. */
const by =
  (up: -1 | 1) =>
  (a: Candidate, b: Candidate): number => {
    if (a.key < b.key) return -up;
    if (a.key > b.key) return up;
    const [m, n] = [isNotANumber(a.key), isNotANumber(b.key)];
    return m === n ? a.index - b.index : m ? 1 : -1;
  };

const indicesIn = (candidates: readonly Candidate[], up: -1 | 1): readonly number[] =>
  [...candidates].sort(by(up)).map((c) => c.index);
/** All indices, largest key first. */
export const descending = (candidates: readonly Candidate[]): readonly number[] => indicesIn(candidates, -1);
/** All indices, smallest key first. */
export const ascending = (candidates: readonly Candidate[]): readonly number[] => indicesIn(candidates, 1);
