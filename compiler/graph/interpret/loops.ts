/**
 * The inner loops. Element i of a stream is `data[offset + i · step]`; step 0 repeats one value. All additions are in
 * ascending order, so that results are those of the obvious way, bit for bit.
 */
import { type ScalarFn, scalarFunctions } from "../../ops/scalar-functions.ts";

export interface Run {
  readonly data: Float64Array;
  readonly offset: number;
  readonly step: number;
}
export type UnaryLoop = (n: number, out: Float64Array, a: Run) => void;
export type BinaryLoop = (n: number, out: Float64Array, a: Run, b: Run) => void;

/** acc + Σ a. */
export function sumOf(acc: number, n: number, { data, offset, step }: Run): number {
  let total = acc;
  for (let i = 0, p = offset; i < n; i += 1, p += step) total += data[p] as number;
  return total;
}

/** acc + Σ a · b. */
export function dotOf(acc: number, n: number, a: Run, b: Run): number {
  let total = acc;
  const { data: x, step: s } = a;
  const { data: y, step: t } = b;
  let [p, q] = [a.offset, b.offset];
  if (s === 1 && t === 1) {
    for (let i = 0; i < n; i += 1) total += (x[p + i] as number) * (y[q + i] as number);
    return total;
  }
  for (let i = 0; i < n; i += 1) {
    total += (x[p] as number) * (y[q] as number);
    p += s;
    q += t;
  }
  return total;
}

/** acc · c + a for each element, in turn. */
export function rescaledSumOf(acc: number, n: number, c: Run, a: Run): number {
  let total = acc;
  let [p, q] = [c.offset, a.offset];
  for (let i = 0; i < n; i += 1) {
    total = total * (c.data[p] as number) + (a.data[q] as number);
    p += c.step;
    q += a.step;
  }
  return total;
}

/** acc · c + a · b for each element, in turn. */
export function rescaledDotOf(acc: number, n: number, c: Run, a: Run, b: Run): number {
  let total = acc;
  const { data: scale, step: r } = c;
  const { data: x, step: s } = a;
  const { data: y, step: t } = b;
  for (let i = 0, o = c.offset, p = a.offset, q = b.offset; i < n; i += 1, o += r, p += s, q += t) {
    total = total * (scale[o] as number) + (x[p] as number) * (y[q] as number);
  }
  return total;
}

export function maxOf(acc: number, n: number, { data, offset, step }: Run): number {
  let best = acc;
  for (let i = 0, p = offset; i < n; i += 1, p += step) best = Math.max(best, data[p] as number);
  return best;
}
export function minOf(acc: number, n: number, { data, offset, step }: Run): number {
  let best = acc;
  for (let i = 0, p = offset; i < n; i += 1, p += step) best = Math.min(best, data[p] as number);
  return best;
}

/** out[i] += a[i]. */
export function addTo(n: number, out: Float64Array, { data, offset, step }: Run): void {
  for (let i = 0, p = offset; i < n; i += 1, p += step) out[i] = (out[i] as number) + (data[p] as number);
}
/** out[i] += a[i] · b[i]. */
export function addProductTo(n: number, out: Float64Array, a: Run, b: Run): void {
  const { data: x, step: s } = a;
  const { data: y, step: t } = b;
  let [p, q] = [a.offset, b.offset];
  if (s === 0) {
    const factor = x[p] as number;
    for (let i = 0; i < n; i += 1, q += t) out[i] = (out[i] as number) + factor * (y[q] as number);
    return;
  }
  for (let i = 0; i < n; i += 1) {
    out[i] = (out[i] as number) + (x[p] as number) * (y[q] as number);
    p += s;
    q += t;
  }
}

export function copyTo(n: number, out: Float64Array, at: number, { data, offset, step }: Run): void {
  if (step === 1 && n > 32) {
    out.set(data.subarray(offset, offset + n), at);
    return;
  }
  for (let i = 0, p = offset; i < n; i += 1, p += step) out[at + i] = data[p] as number;
}

const unary =
  (f: (a: number) => number): UnaryLoop =>
  (n, out, { data, offset, step }) => {
    for (let i = 0, p = offset; i < n; i += 1, p += step) out[i] = f(data[p] as number);
  };
const binary =
  (f: (a: number, b: number) => number): BinaryLoop =>
  (n, out, a, b) => {
    let [p, q] = [a.offset, b.offset];
    for (let i = 0; i < n; i += 1) {
      out[i] = f(a.data[p] as number, b.data[q] as number);
      p += a.step;
      q += b.step;
    }
  };

// Written out where most time goes: a loop of its own compiles to machine code without a call.
const written: { readonly [K in ScalarFn]?: BinaryLoop } = {
  add: (n, out, a, b) => {
    const { data: x, step: s } = a;
    const { data: y, step: t } = b;
    for (let i = 0, p = a.offset, q = b.offset; i < n; i += 1, p += s, q += t)
      out[i] = (x[p] as number) + (y[q] as number);
  },
  sub: (n, out, a, b) => {
    const { data: x, step: s } = a;
    const { data: y, step: t } = b;
    for (let i = 0, p = a.offset, q = b.offset; i < n; i += 1, p += s, q += t)
      out[i] = (x[p] as number) - (y[q] as number);
  },
  mul: (n, out, a, b) => {
    const { data: x, step: s } = a;
    const { data: y, step: t } = b;
    for (let i = 0, p = a.offset, q = b.offset; i < n; i += 1, p += s, q += t)
      out[i] = (x[p] as number) * (y[q] as number);
  },
  div: (n, out, a, b) => {
    const { data: x, step: s } = a;
    const { data: y, step: t } = b;
    for (let i = 0, p = a.offset, q = b.offset; i < n; i += 1, p += s, q += t)
      out[i] = (x[p] as number) / (y[q] as number);
  },
};
const exponentials: UnaryLoop = (n, out, { data, offset, step }) => {
  for (let i = 0, p = offset; i < n; i += 1, p += step) out[i] = Math.exp(data[p] as number);
};

const unaryLoops = new Map<ScalarFn, UnaryLoop>([["exp", exponentials]]);
const binaryLoops = new Map<ScalarFn, BinaryLoop>();
export function unaryLoop(fn: ScalarFn): UnaryLoop {
  const { evaluate } = scalarFunctions[fn];
  const loop = unaryLoops.get(fn) ?? unary((a) => evaluate(a, Number.NaN, Number.NaN));
  unaryLoops.set(fn, loop);
  return loop;
}
export function binaryLoop(fn: ScalarFn): BinaryLoop {
  const { evaluate } = scalarFunctions[fn];
  const loop = binaryLoops.get(fn) ?? written[fn] ?? binary((a, b) => evaluate(a, b, Number.NaN));
  binaryLoops.set(fn, loop);
  return loop;
}
