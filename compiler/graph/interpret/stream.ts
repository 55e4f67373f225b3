/** Values of an expression at many points along one axis. */
import type { Run } from "./loops.ts";

type Closure = () => number;
/** The environment that values depend on, and how often the node has been run. */
export interface Surroundings {
  readonly env: Float64Array;
  readonly runs: { readonly count: number };
}

let made = 0;
const none = new Float64Array(0);

/** After `load(from, n)` element i, 0 <= i < n, is the value at `from + i`: `data[offset + i · step]`. */
export abstract class Stream implements Run {
  data: Float64Array = none;
  offset = 0;
  step = 1;
  /** Slots of the environment that the values depend on, the axis itself excepted. */
  readonly slots: readonly number[];
  /** Tells streams apart. */
  readonly id: number;
  constructor(slots: readonly number[]) {
    made += 1;
    this.id = made;
    this.slots = slots;
  }
  abstract load(from: number, n: number): void;

  /** An own buffer of at least n elements. */
  protected room(n: number): Float64Array {
    if (this.data.length < n) this.data = new Float64Array(Math.max(n, 2 * this.data.length, 8));
    return this.data;
  }
}

/** The same value at every point. */
export class Uniform extends Stream {
  readonly #value: Closure;
  constructor(value: Closure, slots: readonly number[]) {
    super(slots);
    this.#value = value;
    this.data = new Float64Array(1);
    this.step = 0;
  }
  load(_from: number, n: number): void {
    if (n > 0) this.data[0] = this.#value();
  }
}

let counted = Float64Array.from({ length: 1024 }, (_, i) => i);
/** 0, 1, 2, … up to n at least; kept, since it is the same for all. */
function counting(n: number): Float64Array {
  if (counted.length < n) counted = Float64Array.from({ length: 2 * n }, (_, i) => i);
  return counted;
}
/** The index itself. */
export class Ramp extends Stream {
  load(from: number, n: number): void {
    this.data = counting(from + n);
    this.offset = from;
  }
}

/** Evaluates an expression point by point. */
export class PointByPoint extends Stream {
  readonly #value: Closure;
  readonly #env: Float64Array;
  readonly #slot: number;
  constructor(value: Closure, env: Float64Array, slot: number, slots: readonly number[]) {
    super(slots);
    this.#value = value;
    this.#env = env;
    this.#slot = slot;
  }
  load(from: number, n: number): void {
    const out = this.room(n);
    for (let i = 0; i < n; i += 1) {
      this.#env[this.#slot] = from + i;
      out[i] = this.#value();
    }
  }
}

/** Tells whether anything that a value depends on has changed since it was asked last. */
export class Freshness {
  readonly #code: Surroundings;
  readonly #slots: readonly number[];
  readonly #seen: Float64Array;
  #run = -1;
  #from = -1;
  #n = -1;
  constructor(code: Surroundings, slots: readonly number[]) {
    this.#code = code;
    this.#slots = slots;
    this.#seen = new Float64Array(slots.length);
  }
  /** True at first, and whenever a slot, the run of the node or the points are others than last time. */
  changed(from: number, n: number): boolean {
    const { env, runs } = this.#code;
    let changed = this.#run !== runs.count || this.#from !== from || this.#n !== n;
    for (let i = 0; i < this.#slots.length; i += 1) {
      const now = env[this.#slots[i] as number] as number;
      if (this.#seen[i] !== now) {
        this.#seen[i] = now;
        changed = true;
      }
    }
    if (!changed) return false;
    this.#run = runs.count;
    this.#from = from;
    this.#n = n;
    return true;
  }
}

/** Keeps what it was loaded with while nothing it depends on changes. */
export class Kept extends Stream {
  readonly #inner: Stream;
  readonly #fresh: Freshness;
  constructor(inner: Stream, code: Surroundings) {
    super(inner.slots);
    this.#inner = inner;
    this.#fresh = new Freshness(code, inner.slots);
  }
  load(from: number, n: number): void {
    if (!this.#fresh.changed(from, n)) return;
    const inner = this.#inner;
    inner.load(from, n);
    this.data = inner.data;
    this.offset = inner.offset;
    this.step = inner.step;
  }
}

/** The same for a single value. */
export function keptScalar(value: Closure, slots: readonly number[], code: Surroundings): Closure {
  const fresh = new Freshness(code, slots);
  let last = Number.NaN;
  return () => {
    if (fresh.changed(0, 1)) last = value();
    return last;
  };
}
