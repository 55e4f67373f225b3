/**
 * Constants of memory by hashed n-grams (Engram, arXiv:2601.07372, sec. 2; deepseek-ai/Engram `engram_demo_v1.py`): odd
 * multipliers of the hash, and a prime number of rows for each head. Both follow from a few numbers of the config; the
 * checkpoint's table is laid out by them.
 */
import { drawIntegers } from "./numpy-random.ts";

export interface HashedNgrams {
  /** Layers with a memory, counted from 0, in the order of the config: primes are handed out in that order. */
  readonly layers: readonly number[];
  /** Longest n-gram, N >= 2; the shortest has two. */
  readonly longest: number;
  /** Heads of each order. */
  readonly heads: number;
  /** Rows that a head of order 2, 3, …, N has at least; as many as there are orders. */
  readonly rows: readonly number[];
  readonly seed: bigint;
  /** Different ids after the tokenizer's were compressed. */
  readonly compressed: number;
}

export interface NgramConstants {
  /** [layer][back]: of the id that many tokens back, N of them. */
  readonly multipliers: readonly (readonly bigint[])[];
  /** [layer][order][head]. */
  readonly primes: readonly (readonly (readonly number[])[])[];
}

/** More rows than a table can have. */
export const mostNgramRows = 2 ** 31;
/** Between the seeds of neighbouring layers. */
const seedStep = 10007n;

export function ngramConstants(options: HashedNgrams): NgramConstants {
  return { multipliers: options.layers.map((layer) => multipliersOf(layer, options)), primes: primesOf(options) };
}

/** So small that no product with an id leaves int64. */
function multipliersOf(layer: number, { longest, seed, compressed }: HashedNgrams): readonly bigint[] {
  const half = (2n ** 63n - 1n) / BigInt(compressed) / 2n;
  const drawn = drawIntegers(seed + seedStep * BigInt(layer), half < 1n ? 1n : half, longest);
  return drawn.map((number) => 2n * number + 1n);
}

/** No prime is taken twice, in whichever layer. Each head goes on from the one before it. */
function primesOf({ layers, longest, heads, rows }: HashedNgrams): NgramConstants["primes"] {
  const taken = new Set<number>();
  return layers.map(() =>
    Array.from({ length: longest - 1 }, (_, order) => {
      let last = (rows[order] ?? 0) - 1;
      return Array.from({ length: heads }, () => {
        last = nextPrime(last, taken);
        taken.add(last);
        return last;
      });
    }),
  );
}

function nextPrime(after: number, taken: ReadonlySet<number>): number {
  for (let number = after + 1; ; number += 1) if (!taken.has(number) && isPrime(number)) return number;
}

function isPrime(number: number): boolean {
  if (number < 4) return number > 1;
  if (number % 2 === 0) return false;
  for (let factor = 3; factor * factor <= number; factor += 2) if (number % factor === 0) return false;
  return true;
}
