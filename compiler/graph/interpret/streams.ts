/** Expressions along an axis: reads that are affine in it are strided views, calls are loops over buffers. */

import { isIntegral } from "../integral.ts";
import { InternalError } from "../internal-error.ts";
import type { Call, Read, Scalar } from "../node.ts";
import { call, freeNames, key, num } from "../scalar.ts";
import type { Along, Closure, Code, Scope } from "./code.ts";
import { runsOf, slopeOf } from "./domain.ts";
import { hasReads, isHeavy, slotsOf, usesStreams } from "./free-slots.ts";
import { type BinaryLoop, binaryLoop, copyTo, type UnaryLoop, unaryLoop } from "./loops.ts";
import { outOfRange } from "./run-options.ts";
import type { Cell } from "./runtime.ts";
import { PointByPoint, Ramp, Stream, Uniform } from "./stream.ts";
import { isWide } from "./wide.ts";

/** Everything but reductions and folds. */
export function compileStream(code: Code, e: Scalar, along: Along, scope: Scope): Stream {
  const slots = slotsOf(e, scope, along.name);
  if (!freeNames(e).has(along.name) && !usesStreams(e, scope)) return new Uniform(code.scalar(e, scope), slots);
  if (e.kind === "name") {
    const bound = scope.get(e.name);
    return typeof bound === "object" ? bound : new Ramp(slots);
  }
  if (isWide(e)) return pointByPoint(code, e, along, scope);
  if (e.kind === "read") return compileReadStream(code, e, along, scope, slots);
  if (e.kind === "call") return compileCallStream(code, e, along, scope, slots);
  return pointByPoint(code, e, along, scope);
}

export function pointByPoint(code: Code, e: Scalar, along: Along, scope: Scope): Stream {
  const inner = new Map(scope).set(along.name, along.slot);
  return new PointByPoint(code.scalar(e, inner), code.env, along.slot, slotsOf(e, scope, along.name));
}

/** Whether everything in it can be computed along an axis while some names stand for streams. */
export function isStreamable(e: Scalar, scope: Scope): boolean {
  if (!usesStreams(e, scope)) return true;
  if (e.kind === "reduce" || e.kind === "fold" || isWide(e)) return false;
  const parts = e.kind === "read" ? e.at : e.kind === "call" ? e.args : [];
  if (e.kind === "call" && e.args.some(isWide)) return false;
  return parts.every((x) => isStreamable(x, scope));
}

function compileCallStream(code: Code, e: Call, along: Along, scope: Scope, slots: readonly number[]): Stream {
  const [a, b, c] = e.args;
  if (a === undefined || e.args.some(isWide)) return pointByPoint(code, e, along, scope);
  const of = (x: Scalar): Stream => code.stream(x, along, scope);
  if (b === undefined) return new UnaryStream(unaryLoop(e.fn), of(a), slots);
  const yes = (x: Scalar): Stream => code.stream(x, { ...along, branch: `${along.branch}y${key(a)}` }, scope);
  const no = (x: Scalar): Stream => code.stream(x, { ...along, branch: `${along.branch}n${key(a)}` }, scope);
  if (e.fn === "select" && c !== undefined) return new Choice(of(a), yes(b), no(c), slots);
  if ((e.fn === "and" || e.fn === "or") && (hasReads(b) || isHeavy(b))) {
    const truth = call("not", call("not", b));
    return e.fn === "and"
      ? new Choice(of(a), yes(truth), no(num(0)), slots)
      : new Choice(of(a), yes(num(1)), no(truth), slots);
  }
  return new BinaryStream(binaryLoop(e.fn), of(a), of(b), slots);
}

class UnaryStream extends Stream {
  readonly #loop: UnaryLoop;
  readonly #a: Stream;
  constructor(loop: UnaryLoop, a: Stream, slots: readonly number[]) {
    super(slots);
    this.#loop = loop;
    this.#a = a;
  }
  load(from: number, n: number): void {
    this.#a.load(from, n);
    this.#loop(n, this.room(n), this.#a);
  }
}

class BinaryStream extends Stream {
  readonly #loop: BinaryLoop;
  readonly #a: Stream;
  readonly #b: Stream;
  constructor(loop: BinaryLoop, a: Stream, b: Stream, slots: readonly number[]) {
    super(slots);
    this.#loop = loop;
    this.#a = a;
    this.#b = b;
  }
  load(from: number, n: number): void {
    this.#a.load(from, n);
    this.#b.load(from, n);
    this.#loop(n, this.room(n), this.#a, this.#b);
  }
}

/** `select`: each branch is loaded for runs of points that take it, and for no other. */
class Choice extends Stream {
  readonly #test: Stream;
  readonly #yes: Stream;
  readonly #no: Stream;
  constructor(test: Stream, yes: Stream, no: Stream, slots: readonly number[]) {
    super(slots);
    this.#test = test;
    this.#yes = yes;
    this.#no = no;
  }
  load(from: number, n: number): void {
    const out = this.room(n);
    let done = from;
    const fill = (branch: Stream, start: number, count: number): void => {
      if (count <= 0) return;
      branch.load(start, count);
      copyTo(count, out, start - from, branch);
    };
    runsOf(this.#test, from, n, (start, count) => {
      fill(this.#no, done, start - done);
      fill(this.#yes, start, count);
      done = start + count;
    });
    fill(this.#no, done, from + n - done);
  }
}

function compileReadStream(code: Code, e: Read, along: Along, scope: Scope, slots: readonly number[]): Stream {
  if (e.at.length !== e.value.type.dims.length) {
    throw new InternalError(`%${e.value.name} is read with ${e.at.length} indices`);
  }
  const cell = code.runtime.cell(e.value);
  const places = e.at.map((x): Place | null => {
    if (usesStreams(x, scope) || !isIntegral(x)) return null;
    if (!freeNames(x).has(along.name)) return { at: code.scalar(x, scope), slope: () => 0 };
    const slope = slopeOf(x, along.name);
    if (slope === null) return null;
    return { at: code.scalar(x, new Map(scope).set(along.name, along.slot)), slope: code.dim(slope) };
  });
  const affine = places.flatMap((p) => (p === null ? [] : [p]));
  if (affine.length === places.length) return new Strided(code, cell, affine, along.slot, slots);
  return new Gather(
    code,
    cell,
    e.at.map((x) => code.stream(x, along, scope)),
    slots,
  );
}

/** An index: its value at the first point, and by how much it grows a point. */
interface Place {
  readonly at: Closure;
  readonly slope: Closure;
}

/** Reads at indices that are affine in the axis: a view, nothing is copied. */
class Strided extends Stream {
  readonly #code: Code;
  readonly #cell: Cell;
  readonly #places: readonly Place[];
  readonly #slot: number;
  constructor(code: Code, cell: Cell, places: readonly Place[], slot: number, slots: readonly number[]) {
    super(slots);
    this.#code = code;
    this.#cell = cell;
    this.#places = places;
    this.#slot = slot;
  }
  load(from: number, n: number): void {
    if (n === 0) return;
    const cell = this.#cell;
    this.#code.env[this.#slot] = from;
    let [offset, step] = [cell.base, 0];
    for (let axis = 0; axis < this.#places.length; axis += 1) {
      const { at, slope } = this.#places[axis] as Place;
      const [first, by] = [at(), slope()];
      const size = cell.dims[axis] as number;
      const last = first + by * (n - 1);
      if (!(first >= 0 && first < size && last >= 0 && last < size)) this.#fail(axis, first, by, n);
      const stride = cell.strides[axis] as number;
      offset += first * stride;
      step += by * stride;
    }
    this.data = cell.data;
    this.offset = offset;
    this.step = step;
  }
  #fail(axis: number, first: number, by: number, n: number): never {
    const size = this.#cell.dims[axis] ?? 0;
    let i = first;
    for (let k = 0; k < n && i >= 0 && i < size; k += 1) i += by;
    throw outOfRange(this.#code.node, this.#cell.node, axis, i, size);
  }
}

/** Reads at indices of any form. */
class Gather extends Stream {
  readonly #code: Code;
  readonly #cell: Cell;
  readonly #at: readonly Stream[];
  constructor(code: Code, cell: Cell, at: readonly Stream[], slots: readonly number[]) {
    super(slots);
    this.#code = code;
    this.#cell = cell;
    this.#at = at;
  }
  load(from: number, n: number): void {
    const cell = this.#cell;
    const out = this.room(n);
    for (const s of this.#at) s.load(from, n);
    for (let i = 0; i < n; i += 1) {
      let offset = cell.base;
      for (let axis = 0; axis < this.#at.length; axis += 1) {
        const s = this.#at[axis] as Stream;
        const index = s.data[s.offset + i * s.step] as number;
        if (!(index >= 0 && index < (cell.dims[axis] as number) && Number.isInteger(index))) {
          throw outOfRange(this.#code.node, cell.node, axis, index, cell.dims[axis] ?? 0);
        }
        offset += index * (cell.strides[axis] as number);
      }
      out[i] = cell.data[offset] as number;
    }
  }
}
