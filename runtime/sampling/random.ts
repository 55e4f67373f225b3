/**
 * Random numbers that are the same on every platform for the same seed.
 *
 * The generator is xoshiro128** 1.1 of Blackman and Vigna (prng.di.unimi.it/xoshiro128starstar.c): 128 bits of state,
 * 32-bit integer operations only. Its state is filled from the seed by a counter through the finalizer of MurmurHash3,
 * as its authors advise to seed from another generator. Not for secrets.
 */
import { SamplingError } from "./sampling-error.ts";

export type RandomState = readonly [number, number, number, number];

export interface RandomSource {
  /** Uniform in 0..2^32-1. */
  readonly nextInteger: () => number;
  /** Uniform in [0, 1), a multiple of 2^-53 made of two integers. */
  readonly nextFraction: () => number;
  /** To go on from here with {@link randomFromState}. */
  readonly state: () => RandomState;
}

/** `seed`: an integer in 0..2^53-1. Throws {@link SamplingError} `bad-option`. */
export function randomFromSeed(seed: number): RandomSource {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new SamplingError("bad-option", `the seed ${seed} is not an integer from 0 to 2^53 - 1`);
  }
  const low = seed >>> 0;
  const high = Math.floor(seed / 2 ** 32);
  // An odd step of the golden ratio; the high word enters once more between the rounds.
  const word = (i: number): number => mixed(mixed(low + Math.imul(i, 0x9e3779b9)) ^ mixed(high + i));
  return randomFromState([word(1), word(2), word(3), word(4)]);
}

/** The finalizer of MurmurHash3, a permutation of 32-bit integers. */
function mixed(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

const rotated = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/** Throws {@link SamplingError} `bad-option` for what is no state; all zeros would give zeros for ever. */
export function randomFromState(state: RandomState): RandomSource {
  if (
    state.some((word) => !Number.isInteger(word) || word < 0 || word >= 2 ** 32) ||
    state.every((word) => word === 0)
  ) {
    throw new SamplingError("bad-option", "a state is four 32-bit integers, not all 0");
  }
  let [a, b, c, d] = state;
  const nextInteger = (): number => {
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotated(d, 11);
    return result;
  };
  return {
    nextInteger,
    nextFraction: () => {
      const upper = nextInteger() >>> 5;
      const lower = nextInteger() >>> 6;
      return (upper * 2 ** 26 + lower) / 2 ** 53;
    },
    state: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
  };
}
