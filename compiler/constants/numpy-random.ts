/**
 * Whole numbers as `numpy.random.default_rng(seed).integers(0, bound)` draws them: constants of published models are
 * defined by that call. SeedSequence (M. E. O'Neill, "Developing a seed_seq alternative", 2015) stretches the seed, PCG64
 * (O'Neill, HMC-CS-2014-0905: 128-bit LCG, output XSL-RR) draws, Lemire's multiply-and-reject (arXiv:1805.10941) bounds.
 */
const mask32 = 2n ** 32n - 1n;
const mask64 = 2n ** 64n - 1n;
const mask128 = 2n ** 128n - 1n;

const poolWords = 4;

/** A hash of 32-bit words whose constant goes on with every word. */
function newHash(first: number, factor: number): (word: number) => number {
  let constant = first;
  return (word) => {
    const mixed = word ^ constant;
    constant = Math.imul(constant, factor);
    const product = Math.imul(mixed, constant);
    return (product ^ (product >>> 16)) >>> 0;
  };
}

function mix(x: number, y: number): number {
  const mixed = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) >>> 0;
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** 32-bit words, the lowest first; none for 0. */
function wordsOf(seed: bigint): readonly number[] {
  const words: number[] = [];
  for (let rest = seed; rest > 0n; rest >>= 32n) words.push(Number(rest & mask32));
  return words;
}

function seedPool(seed: bigint): readonly number[] {
  const hash = newHash(0x43b0d7e5, 0x931e8875);
  const words = wordsOf(seed);
  const pool = Array.from({ length: poolWords }, (_, i) => hash(words[i] ?? 0));
  const stir = (word: number, at: number): void => {
    pool[at] = mix(pool[at] ?? 0, hash(word));
  };
  for (let from = 0; from < poolWords; from += 1)
    for (let to = 0; to < poolWords; to += 1) if (to !== from) stir(pool[from] ?? 0, to);
  for (const word of words.slice(poolWords)) for (let to = 0; to < poolWords; to += 1) stir(word, to);
  return pool;
}

/** Four words of 64 bits. */
function seedState(seed: bigint): readonly [bigint, bigint, bigint, bigint] {
  const pool = seedPool(seed);
  const hash = newHash(0x8b51f9dd, 0x58f38ded);
  const halves = Array.from({ length: 8 }, (_, i) => BigInt(hash(pool[i % poolWords] ?? 0)));
  const word = (i: number): bigint => (halves[2 * i] ?? 0n) | ((halves[2 * i + 1] ?? 0n) << 32n);
  return [word(0), word(1), word(2), word(3)];
}

/** The next 64 bits of the generator. */
function pcg64(seed: bigint): () => bigint {
  const [stateHigh, stateLow, streamHigh, streamLow] = seedState(seed);
  const increment = (((streamHigh << 64n) | streamLow) * 2n + 1n) & mask128;
  const step = (state: bigint): bigint => (state * 0x2360ed051fc65da44385df649fccf645n + increment) & mask128;
  let state = step(increment + ((stateHigh << 64n) | stateLow));
  return () => {
    state = step(state);
    const folded = (state >> 64n) ^ (state & mask64);
    const turn = state >> 122n;
    return ((folded >> turn) | (folded << (64n - turn))) & mask64;
  };
}

/** 32 bits at a time: the lower half of a draw, then its upper half. */
function halvesOf(next: () => bigint): () => bigint {
  let kept: bigint | null = null;
  return () => {
    if (kept !== null) {
      const half = kept;
      kept = null;
      return half;
    }
    const both = next();
    kept = both >> 32n;
    return both & mask32;
  };
}

/** Uniform below `bound` <= 2^bits: the upper half of a product, drawn again where the lower half is one of few too many. */
function below(bound: bigint, bits: bigint, next: () => bigint): bigint {
  const mask = (1n << bits) - 1n;
  const surplus = (1n << bits) % bound;
  for (;;) {
    const product = next() * bound;
    if ((product & mask) >= surplus) return product >> bits;
  }
}

/** `count` numbers of 0 … bound - 1, as int64. `seed` >= 0 of any size, `bound` in 1 … 2^63. Throws RangeError for others. */
export function drawIntegers(seed: bigint, bound: bigint, count: number): readonly bigint[] {
  if (seed < 0n) throw new RangeError(`seed ${seed}: expected 0 or more`);
  if (bound < 1n || bound > 2n ** 63n) throw new RangeError(`bound ${bound}: expected 1 … 2^63`);
  if (bound === 1n) return new Array<bigint>(count).fill(0n);
  const next = pcg64(seed);
  const narrow = bound <= 2n ** 32n;
  const draw = narrow ? halvesOf(next) : next;
  return Array.from({ length: count }, () => below(bound, narrow ? 32n : 64n, draw));
}
