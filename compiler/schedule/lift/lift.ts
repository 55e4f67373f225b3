/**
 * Scalars of a nest as values of a kernel. An index is bound to a place: a lane's own index plus a constant, or a vector of
 * adjacent ones. Each value is computed once, in the outermost block where all that it depends on is known: what a loop does
 * not change stands before it, what two places share is shared.
 */
import { asNumber } from "../../../dsl/types/poly.ts";
import type { Affine } from "../../graph/affine.ts";
import type { Dim } from "../../graph/dim.ts";
import { InternalError } from "../../graph/internal-error.ts";
import { isWide, wideComparisons, wideFunctions } from "../../graph/interpret/wide.ts";
import type { Node, Read, Reduce, Scalar } from "../../graph/node.ts";
import { freeNames, key } from "../../graph/scalar.ts";
import { at, type Body, type Memory } from "../../kernel/build.ts";
import { elems, i64 } from "../../kernel/elem.ts";
import {
  add,
  asExpr,
  constant,
  convert,
  extract,
  iota,
  isConst,
  max,
  min,
  mul,
  name,
  splat,
  sub,
} from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";
import { printExpr } from "../../kernel/print.ts";
import { addressOf } from "../nest/nest.ts";
import { isNotNegative } from "../nest/not-negative.ts";
import { wideZero } from "../nest/widen.ts";
import type { NestWindow } from "../nest/windows.ts";
import { dimExpr } from "./spell-dim.ts";
import { asFloat, asInteger, asTruth, asWide, isFloat, spellFunction } from "./spell-function.ts";
import { steadyAlong, termWidth } from "./vector-along.ts";

/** Where an index stands: `index + offset`, and of a vector `width` adjacent values from there. */
export interface Bound {
  /** Of this place, in this kernel. */
  readonly id: number;
  readonly index: Expr;
  readonly offset: number;
  readonly width: number;
  /** Open blocks around the place where `index` is known. */
  readonly depth: number;
  /** How many places of the same axis are computed side by side. */
  readonly span: number;
  /** A vector of places that this is one of, all of which are needed: what memory has side by side is read for all at once. */
  readonly among: { readonly all: Bound; readonly at: number } | null;
}
export type Env = ReadonlyMap<string, Bound>;

/** The plan asks for something that this nest does not allow, such as vectors along an axis that is no vector in memory. */
export class Unsuitable extends Error {
  override readonly name = "Unsuitable";
}

type Call = Extract<Scalar, { kind: "call" }>;

export type Reducer = (e: Reduce, env: Env) => Expr;

export class Lift {
  readonly body: Body;
  readonly #memory: Map<Node, Memory>;
  readonly #known = new Map<string, Expr>();
  readonly #window: NestWindow | null;
  #ids = 0;
  #reduce: Reducer = () => {
    throw new InternalError("no way to reduce");
  };
  /** `memory`: of each flat operand. */
  constructor(body: Body, memory: ReadonlyMap<Node, Memory>, window: NestWindow | null = null) {
    this.body = body;
    this.#memory = new Map(memory);
    this.#window = window;
  }
  /** What stands for memory of the kernel's own. */
  lend(n: Node, memory: Memory): void {
    this.#memory.set(n, memory);
  }
  /** What computes a reduction that is met. */
  reduceBy(reduce: Reducer): void {
    this.#reduce = reduce;
  }

  /** An index known from here on, inside of the block that is open. */
  bound(index: Expr, more: { offset?: number; width?: number; span?: number; depth?: number } = {}): Bound {
    this.#ids += 1;
    const { offset = 0, width = 1, span = 1, depth = this.body.depth } = more;
    return { id: this.#ids, index, offset, width, depth: isConst(index) ? 0 : depth, span, among: null };
  }
  /** As many places from an index on, a multiple of their number, which is a power of two. */
  inTurn(index: Expr, count: number): readonly Bound[] {
    const all = this.bound(index, { width: count });
    return Array.from({ length: count }, (_, at) => ({ ...this.bound(index, { offset: at }), among: { all, at } }));
  }

  /** The same place, known from here on: what depends on it is not computed before. */
  again({ index, offset, width, span }: Bound): Bound {
    return this.bound(index, { offset, width, span });
  }

  /** The same expression at the same places. */
  keyOf(e: Scalar, env: Env): string {
    let text = key(e);
    for (const n of freeNames(e)) text += `|${n}${placeKey(env.get(n))}`;
    return text;
  }
  /** Number of blocks inside of which all that it depends on is known. */
  depthOf(e: Scalar, env: Env): number {
    let depth = 0;
    for (const n of freeNames(e)) depth = Math.max(depth, env.get(n)?.depth ?? 0);
    return depth;
  }
  /** How many places side by side have different values of it. */
  spanOf(e: Scalar, env: Env): number {
    let span = 1;
    for (const n of freeNames(e)) span *= env.get(n)?.span ?? 1;
    return span;
  }
  widthOf(e: Scalar, env: Env): number {
    let width = 1;
    for (const n of freeNames(e)) width = Math.max(width, env.get(n)?.width ?? 1);
    return width;
  }

  know(e: Scalar, env: Env, value: Expr): void {
    this.#known.set(this.keyOf(e, env), value);
  }
  knows(e: Scalar, env: Env): boolean {
    return this.#known.has(this.keyOf(e, env));
  }

  float(e: Scalar, env: Env): Expr {
    return asFloat(this.value(e, env));
  }
  truth(e: Scalar, env: Env): Expr {
    return asTruth(this.value(e, env));
  }

  /** As an i64. What it is made of is computed with 64 bits, too (graph/interpret/wide.ts): no product wraps before. */
  wide(e: Scalar, env: Env): Expr {
    const value = this.#widened(e, env);
    if (value.type.width > 1) throw new Unsuitable("a vector of whole numbers of 64 bits");
    return value;
  }
  #widened(e: Scalar, env: Env): Expr {
    if (e.kind === "const") return constant(e.value, i64);
    if (isWide(e)) return this.value(e, env);
    const computes = e.kind === "call" && (e.fn === "select" || wideFunctions[e.fn] !== undefined);
    if (!computes) return asWide(this.value(e, env));
    const k = `wide ${this.keyOf(e, env)}`;
    const known = this.#known.get(k) ?? this.#wideCall(e, env);
    this.#known.set(k, known);
    return known;
  }
  #wideCall(e: Call, env: Env): Expr {
    const chooses = e.fn === "select";
    return this.#spelled(e, env, (x, i) => (chooses && i === 0 ? this.truth(x, env) : this.wide(x, env)));
  }

  value(e: Scalar, env: Env): Expr {
    if (e.kind === "const") return constantOf(e.value);
    if (e.kind === "dim") return dimExpr(e.dim);
    if (e.kind === "name") return this.#index(e.name, env);
    const k = this.keyOf(e, env);
    const known = this.#known.get(k);
    if (known !== undefined) return known;
    const made = this.#made(e, env);
    this.#known.set(k, made);
    return made;
  }

  #index(n: string, env: Env): Expr {
    const b = env.get(n);
    if (b === undefined) return name(n); // a size
    const first = add(b.index, b.offset);
    return b.width === 1 ? first : add(splat(first, b.width), iota(b.width));
  }

  #made(e: Scalar, env: Env): Expr {
    switch (e.kind) {
      case "read":
        if (e.value === wideZero) return constant(0, i64);
        return this.#ofVector(e, env) ?? this.#let(e.value.name.split(".").at(-1) ?? "x", e, env, this.#load(e, env));
      case "call":
        if (isWide(e)) return this.#wideCall(e, env);
        return e.fn === "mul" ? this.#product(e, env) : this.#call(e, env);
      case "reduce":
        return this.#reduce(e, env);
      case "fold":
        throw new InternalError("a fold that was not unfolded");
      case "const":
      case "dim":
      case "name":
        return this.value(e, env);
      default:
        return e satisfies never;
    }
  }

  /** One element of what is read for several places at once; null where memory does not have them side by side. */
  #ofVector(e: Read, env: Env): Expr | null {
    if (this.widthOf(e, env) > 1) return null;
    for (const n of freeNames(e)) {
      const among = env.get(n)?.among ?? null;
      if (among === null || termWidth(e, n, among.all.width) < among.all.width) continue;
      const vector = this.value(e, new Map(env).set(n, among.all));
      return vector.type.width === 1 ? vector : extract(vector, among.at);
    }
    return null;
  }

  #let(base: string, e: Scalar, env: Env, value: Expr): Expr {
    return this.#letAt(base, this.depthOf(e, env), value);
  }
  #letAt(base: string, depth: number, value: Expr): Expr {
    let out = value;
    this.body.at(depth, () => {
      out = this.body.let(identifier(base), value);
    });
    return out;
  }

  #call(e: Call, env: Env): Expr {
    const [condition, then, otherwise] = e.args;
    if (e.fn === "select" && condition !== undefined && then !== undefined && otherwise !== undefined) {
      const c = this.truth(condition, env);
      if (isConst(c)) return this.value(c.value !== 0 ? then : otherwise, env);
    }
    const compares = wideComparisons[e.fn] !== undefined && e.args.some(isWide);
    return this.#spelled(e, env, (x) => (compares ? this.wide(x, env) : this.value(x, env)));
  }
  #spelled(e: Call, env: Env, value: (x: Scalar, i: number) => Expr): Expr {
    const args = e.args.map(value);
    const depth = this.depthOf(e, env);
    const known = {
      notNegative: (i: number): boolean => e.args.slice(i, i + 1).some(isNotNegative),
      bind: (base: string, value: Expr): Expr => this.#letAt(base, depth, value),
    };
    return this.#let(e.fn, e, env, spellFunction(e.fn, args, known));
  }

  /** Factors in the order in which they become known and are shared: what few places share is multiplied last. */
  #product(e: Scalar, env: Env): Expr {
    const parts = this.factors(e, env);
    const values = parts.map((f) => this.value(f, env));
    if (!values.some(isFloat)) return this.#let("mul", e, env, spellProduct(values));
    return this.#let("mul", e, env, this.#chain(parts, env));
  }
  #chain(parts: readonly Scalar[], env: Env): Expr {
    const [first, ...rest] = parts;
    if (first === undefined) return constant(1);
    let sofar: Scalar = first;
    let value = this.float(first, env);
    for (const [i, f] of rest.entries()) {
      const product: Scalar = { kind: "call", fn: "mul", args: [sofar, f] };
      const k = this.keyOf(product, env);
      const factor = this.float(f, env);
      const made: Expr =
        this.#known.get(k) ??
        (i === rest.length - 1 ? mul(value, factor) : this.#let("product", product, env, mul(value, factor)));
      if (i < rest.length - 1) this.#known.set(k, made);
      [sofar, value] = [product, made];
    }
    return value;
  }
  factors(e: Scalar, env: Env): readonly Scalar[] {
    const flat = (x: Scalar): readonly Scalar[] => (x.kind === "call" && x.fn === "mul" ? x.args.flatMap(flat) : [x]);
    const rank = (x: Scalar): number =>
      this.depthOf(x, env) * 4096 + this.spanOf(x, env) * 2 + (x.kind === "read" ? 0 : 1);
    return [...flat(e)].sort((a, b) => rank(a) - rank(b));
  }
  /** A product as two values, the second not yet multiplied in: null where it is none. */
  productParts(e: Scalar, env: Env): readonly [Expr, Expr] | null {
    if (e.kind !== "call" || e.fn !== "mul" || this.knows(e, env)) return null;
    const parts = this.factors(e, env);
    const last = parts.at(-1);
    if (parts.length < 2 || last === undefined) return null;
    const values = parts.map((f) => this.value(f, env));
    if (!values.some(isFloat)) return null;
    const before = parts.slice(0, -1);
    return [before.length === 1 ? this.float(parts[0] ?? last, env) : this.#named(before, env), this.float(last, env)];
  }
  /** A product under a name: all places that share it do. */
  #named(parts: readonly Scalar[], env: Env): Expr {
    const [first, ...rest] = parts;
    const product = rest.reduce<Scalar>(
      (a, b) => ({ kind: "call", fn: "mul", args: [a, b] }),
      first ?? { kind: "const", value: 1 },
    );
    const k = this.keyOf(product, env);
    const known = this.#known.get(k);
    if (known !== undefined) return known;
    const made = this.#let("product", product, env, this.#chain(parts, env));
    this.#known.set(k, made);
    return made;
  }

  /** The two reads of numbers of 8 bits that are multiplied; null where it is anything else. */
  shortFactors(e: Scalar): readonly [Read, Read] | null {
    const [a, b] = e.kind === "call" && e.fn === "mul" ? e.args : [];
    const isShort = (x: Scalar | undefined): x is Read =>
      x?.kind === "read" && this.#memory.get(x.value)?.type.elem === "i8";
    return isShort(a) && isShort(b) ? [a, b] : null;
  }
  /** Numbers of 8 bits as they are in memory, or as others of fewer than 32 bits. */
  short(e: Read, env: Env, elem: "i8" | "i16"): Expr {
    const k = `${elem} ${this.keyOf(e, env)}`;
    const known = this.#known.get(k);
    if (known !== undefined) return known;
    const made = this.#let("short", e, env, convert(this.#inMemory(e, env), elem));
    this.#known.set(k, made);
    return made;
  }

  #load(e: Read, env: Env): Expr {
    const value = this.#inMemory(e, env);
    const { elem, width } = value.type;
    if (elem === "i64" && width > 1) throw new Unsuitable("a vector of whole numbers of 64 bits");
    if (elems[elem].computes) return value;
    return convert(value, elems[elem].float ? "f32" : "i32");
  }
  #inMemory(e: Read, env: Env): Expr {
    const memory = this.#memory.get(e.value);
    if (memory === undefined) throw new InternalError(`no memory for ${e.value.name}`);
    const { piece, index, width } = this.address(e, env);
    return at(memory, index, width, piece);
  }

  /** The element that a read begins at, of which piece if there are any, and how many it takes. */
  address(e: Read, env: Env): { readonly piece?: Expr; readonly index: Expr; readonly width: number } {
    const address = addressOf(e);
    const place = this.#place(address.index, env);
    if (address.piece === null) return place;
    const piece = this.#place(address.piece, env);
    if (piece.width > 1) throw new Unsuitable("a vector across pieces of a buffer");
    const [which] = e.at;
    const isPart = which !== undefined && this.#window?.weights.has(e.value) === true;
    const found = isPart ? this.#inWindow(which, env, piece.index) : piece.index;
    return { ...place, piece: found };
  }
  /** Where a piece is among those that are at hand; some other one where it is not. */
  #inWindow(which: Scalar, env: Env, piece: Expr): Expr {
    const sizes = this.#window?.sizes;
    const k = `in window ${this.keyOf(which, env)}`;
    const known = this.#known.get(k);
    if (known !== undefined || sizes === undefined) return known ?? piece;
    const here = min(max(sub(piece, name(sizes.first)), 0), sub(name(sizes.pieces), 1));
    const made = this.#letAt("piece", this.depthOf(which, env), here);
    this.#known.set(k, made);
    return made;
  }
  #place({ terms, constant: base }: Affine, env: Env): { readonly index: Expr; readonly width: number } {
    const parts = new Map<number, Expr[]>();
    const put = (depth: number, x: Expr): void => void parts.set(depth, [...(parts.get(depth) ?? []), x]);
    let [offset, stride, width] = [0, 0, 1];
    const shift = (d: Dim, times: number): void => {
      const n = asNumber(d);
      if (n !== null) offset += n * times;
      else if (times !== 0) put(0, mul(dimExpr(d), times));
    };
    shift(base, 1);
    for (const { atom, coefficient } of terms.values()) {
      const place = atom.kind === "name" ? env.get(atom.name) : undefined;
      if (place === undefined) {
        put(
          this.depthOf(atom, env),
          mul(asInteger(this.value(atom, this.#atOnePlace(atom, env))), dimExpr(coefficient)),
        );
        continue;
      }
      put(place.depth, mul(place.index, dimExpr(coefficient)));
      shift(coefficient, place.offset);
      if (place.width === 1) continue;
      const step = asNumber(coefficient);
      if (step !== 1 || stride !== 0) throw new Unsuitable("a vector along an axis that is not adjacent in memory");
      [stride, width] = [step, place.width];
    }
    return { index: this.#sum(parts, offset), width };
  }

  /** Where an index that is looked up is the same for all of a vector, it is that of the first. */
  #atOnePlace(atom: Scalar, env: Env): Env {
    if (this.widthOf(atom, env) === 1) return env;
    const first = new Map(env);
    for (const n of freeNames(atom)) {
      const b = env.get(n);
      if (b === undefined || b.width === 1) continue;
      if (steadyAlong(atom, n, b.width) < b.width) throw new Unsuitable("a vector of indices that are looked up");
      first.set(n, this.#firstOf(b));
    }
    return first;
  }
  readonly #firsts = new Map<number, Bound>();
  #firstOf(b: Bound): Bound {
    const { index, offset, span, depth } = b;
    const known = this.#firsts.get(b.id) ?? this.bound(index, { offset, span, depth });
    this.#firsts.set(b.id, known);
    return known;
  }

  /** Σ of parts: what is known outside is summed there. */
  #sum(parts: ReadonlyMap<number, readonly Expr[]>, offset: number): Expr {
    let total: Expr | null = null;
    for (const depth of [...parts.keys()].sort((a, b) => a - b)) {
      for (const x of parts.get(depth) ?? []) total = total === null ? x : add(total, x);
      if (total === null || depth >= this.body.depth) continue;
      const outside: Expr = total;
      this.body.at(depth, () => {
        total = this.#shared(outside, depth);
      });
    }
    return total === null ? constant(offset) : add(total, offset);
  }
  readonly #sums = new Map<string, Expr>();
  #shared(x: Expr, depth: number): Expr {
    if (x.kind === "name" || x.kind === "const") return x;
    const k = `${depth}|${this.#blocks(depth)}|${printExpr(x)}`;
    const known = this.#sums.get(k);
    if (known !== undefined) return known;
    const made = this.body.let("at", x);
    this.#sums.set(k, made);
    return made;
  }
  /** Identity of the open block at a depth: a sum named in one that is closed is not known any more. */
  #blocks(depth: number): number {
    return this.body.blockAt(depth);
  }
}

const placeKey = (b: Bound | undefined): string => (b === undefined ? "" : `@${b.id}`);
const spellProduct = (values: readonly Expr[]): Expr => values.map(asInteger).reduce((a, b) => mul(a, b), asExpr(1));

function constantOf(value: number): Expr {
  const whole = Number.isInteger(value) && Math.abs(value) < 2 ** 31 && !Object.is(value, -0);
  return whole ? constant(value) : constant(value, { elem: "f32", width: 1 });
}

/** A name that all targets take. */
const identifier = (text: string): string => {
  const plain = text.replace(/[^a-zA-Z0-9]+/g, "_").replace(/^[0-9_]+|_$/g, "");
  return plain === "" ? "x" : plain;
};
