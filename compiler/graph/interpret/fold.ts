/**
 * Folds in one pass over their axis. Running values of a step are a stream: those of later steps see, at each point, what
 * earlier ones have come to there. When a running maximum m grows, sums of terms exp(x - m) are corrected by
 * exp(m_old - m_new); partial states of several pieces are merged by the same law.
 */
import { type Monoid, monoids } from "../../ops/scalar-functions.ts";
import type { Fold, FoldStep, Scalar } from "../node.ts";
import { mastersOf } from "../product.ts";
import { type Along, alongAxis, type Binding, type Closure, type Code, type Scope, withSlots } from "./code.ts";
import { compileDomain } from "./domain.ts";
import { slotsOf } from "./free-slots.ts";
import { rescaledDotOf, rescaledSumOf } from "./loops.ts";
import { type Accumulate, accumulateOf, sidesOf } from "./reduction.ts";
import { Freshness, Stream } from "./stream.ts";
import { isStreamable } from "./streams.ts";

/** An accumulator: its value in the environment is the one at the start of a run of points, until all steps are done. */
interface Accumulator {
  readonly slot: number;
  readonly how: Monoid;
  /** Slots of the maxima that a sum is shifted by. */
  readonly masters: readonly number[];
}
const accumulatorsOf = (code: Code, e: Fold): readonly Accumulator[] =>
  e.steps.flatMap((s) =>
    s.how === "let"
      ? []
      : [{ slot: code.slot(s.name), how: s.how, masters: mastersFor(e, s).map((m) => code.slot(m)) }],
  );
const mastersFor = (e: Fold, s: FoldStep): readonly string[] => (s.how === "sum" ? (mastersOf(e, s.body) ?? []) : []);

export function compileFold(code: Code, e: Fold, scope: Scope): Closure {
  const along = alongAxis(code, e.axis.name);
  const inner = withSlots(code, scope, [e.axis.name]);
  const domain = compileDomain(code, e.axis, e.where, inner);
  const accumulators = accumulatorsOf(code, e);
  const piece = streamedPiece(code, e, along, inner) ?? pointedPiece(code, e, inner);
  const names = e.steps.flatMap((s) => (s.how === "let" ? [] : [s.name]));
  const result = code.scalar(e.result, withSlots(code, scope, names));
  const { env, runtime } = code;
  const reset = (): void => {
    for (const a of accumulators) env[a.slot] = monoids[a.how].identity;
  };
  return () => {
    const n = domain.size();
    const { chunks } = runtime;
    reset();
    if (chunks === 1) {
      domain.runs(0, n, piece);
      return result();
    }
    const total = new Float64Array(env.length);
    for (let c = 0; c < chunks; c += 1) {
      reset();
      domain.runs(Math.floor((n * c) / chunks), Math.floor((n * (c + 1)) / chunks), piece);
      if (c === 0) total.set(env);
      else merge(accumulators, total, env);
    }
    for (const a of accumulators) env[a.slot] = total[a.slot] as number;
    return result();
  };
}

/** exp(m_old - m_new) for each maximum; 1 where it has not moved, also from -inf to -inf. */
function correction(masters: readonly number[], from: Float64Array, to: Float64Array): number {
  let factor = 1;
  for (const m of masters) {
    const [old, now] = [from[m] as number, to[m] as number];
    if (old !== now) factor *= Math.exp(old - now);
  }
  return factor;
}

/** total := total merged with what `next` holds. Maxima first: sums are brought to the new ones. */
function merge(accumulators: readonly Accumulator[], total: Float64Array, next: Float64Array): void {
  const before = total.slice();
  for (const { how, slot } of accumulators) {
    if (how !== "sum") total[slot] = monoids[how].combine(before[slot] as number, next[slot] as number);
  }
  for (const { how, slot, masters } of accumulators) {
    if (how !== "sum") continue;
    const [x, y] = [before[slot] as number, next[slot] as number];
    total[slot] = x * correction(masters, before, total) + y * correction(masters, next, total);
  }
}

type Piece = (from: number, n: number) => void;

/** Point by point: for steps that nest reductions over what they accumulate. */
function pointedPiece(code: Code, e: Fold, scope: Scope): Piece {
  const inner = withSlots(
    code,
    scope,
    e.steps.map((s) => s.name),
  );
  const steps = e.steps.map((s) => ({
    slot: code.slot(s.name),
    body: code.scalar(s.body, inner),
    how: s.how,
    masters: mastersFor(e, s).map((m) => code.slot(m)),
  }));
  const axis = code.slot(e.axis.name);
  const { env } = code;
  const before = new Float64Array(env.length);
  return (from, n) => {
    for (let i = from; i < from + n; i += 1) {
      env[axis] = i;
      before.set(env);
      for (const { slot, body, how, masters } of steps) {
        const x = body();
        if (how === "let") env[slot] = x;
        else if (how === "sum") env[slot] = (env[slot] as number) * correction(masters, before, env) + x;
        else env[slot] = monoids[how].combine(env[slot] as number, x);
      }
    }
  };
}

/** Step by step along the axis; null where a step cannot be streamed. */
function streamedPiece(code: Code, e: Fold, along: Along, outside: Scope): Piece | null {
  const scope = new Map<string, Binding>(outside);
  const running = new Map<string, Running>();
  const order: Running[] = [];
  const used = (name: string): boolean => e.steps.some((s) => mastersFor(e, s).includes(name));
  for (const s of e.steps) {
    if (!isStreamable(s.body, scope)) return null;
    if (s.how === "let") {
      scope.set(s.name, code.stream(s.body, along, scope));
      continue;
    }
    const masters = mastersFor(e, s).flatMap((m) => running.get(m) ?? []);
    const made = runningOf(
      code,
      s.how,
      { body: s.body, slot: code.slot(s.name), keeps: used(s.name), masters },
      along,
      scope,
    );
    running.set(s.name, made);
    order.push(made);
    scope.set(s.name, made);
  }
  return (from, n) => {
    for (const r of order) r.advance(from, n);
    for (const r of order) r.finish();
  };
}

interface RunningParts {
  readonly body: Scalar;
  readonly slot: number;
  /** Whether all running values are asked for, not just the last. */
  readonly keeps: boolean;
  readonly masters: readonly Running[];
}
function runningOf(code: Code, how: Monoid, parts: RunningParts, along: Along, scope: Scope): Running {
  const slots = new Set([parts.slot, ...slotsOf(parts.body, scope, along.name)]);
  const made = new Running(code, parts.slot, [...slots]);
  if (parts.keeps) made.advanceBy(scan(made, how, code.stream(parts.body, along, scope)));
  else if (parts.masters.length > 0) made.advanceBy(rescaled(code, parts, along, scope));
  else made.advanceBy(accumulateOf(code, { monoid: how, body: parts.body }, along, scope));
  return made;
}

/** Values of an accumulator after each point of a run, where they are asked for; else the last alone. */
class Running extends Stream {
  readonly #env: Float64Array;
  readonly #fresh: Freshness;
  readonly #slot: number;
  #accumulate: Accumulate = (acc) => acc;
  #last = Number.NaN;
  constructor(code: Code, slot: number, slots: readonly number[]) {
    super(slots);
    this.#env = code.env;
    this.#fresh = new Freshness(code, slots);
    this.#slot = slot;
  }
  advanceBy(accumulate: Accumulate): void {
    this.#accumulate = accumulate;
  }
  /** The value before the first point of the run. */
  get start(): number {
    return this.#env[this.#slot] as number;
  }
  /** The values were computed when the run was advanced. */
  load(): void {}
  /** Where the values of a run of n points go. */
  values(n: number): Float64Array {
    return this.room(n);
  }
  advance(from: number, n: number): void {
    if (this.#fresh.changed(from, n)) this.#last = this.#accumulate(this.start, from, n);
  }
  finish(): void {
    this.#env[this.#slot] = this.#last;
  }
}

/** Keeps every value on the way. */
function scan(into: Running, how: Monoid, body: Stream): Accumulate {
  const { combine } = monoids[how];
  return (start, from, n) => {
    body.load(from, n);
    const out = into.values(n);
    const { data, offset, step } = body;
    let acc = start;
    for (let i = 0; i < n; i += 1) {
      acc = combine(acc, data[offset + i * step] as number);
      out[i] = acc;
    }
    return acc;
  };
}

/** A sum of terms that are shifted by maxima: what is summed so far is corrected at each point. */
function rescaled(code: Code, { body, masters }: RunningParts, along: Along, scope: Scope): Accumulate {
  const shifts = new Shifts(masters);
  const sides = sidesOf("sum", body);
  if (sides !== null) {
    const [a, b] = [code.stream(sides[0], along, scope), code.stream(sides[1], along, scope)];
    return (start, from, n) => {
      a.load(from, n);
      b.load(from, n);
      return rescaledDotOf(start, n, shifts.load(n), a, b);
    };
  }
  const term = code.stream(body, along, scope);
  return (start, from, n) => {
    term.load(from, n);
    return rescaledSumOf(start, n, shifts.load(n), term);
  };
}

/** exp(m[i-1] - m[i]) for each point, of all maxima together. */
class Shifts {
  readonly #masters: readonly Running[];
  #data = new Float64Array(8);
  constructor(masters: readonly Running[]) {
    this.#masters = masters;
  }
  load(n: number): { readonly data: Float64Array; readonly offset: number; readonly step: number } {
    if (this.#data.length < n) this.#data = new Float64Array(2 * n);
    const out = this.#data.fill(1, 0, n);
    for (const m of this.#masters) {
      let old = m.start;
      for (let i = 0; i < n; i += 1) {
        const now = m.data[i] as number;
        if (old !== now) out[i] = (out[i] as number) * Math.exp(old - now);
        old = now;
      }
    }
    return { data: out, offset: 0, step: 1 };
  }
}
