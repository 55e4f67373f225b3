/** Symbolic values of scalar expressions of whole numbers, i32 and i64. What cannot be followed is an atom of its own, of which nothing is known. */
import type { Facts } from "../../dsl/types/facts.ts";
import {
  add,
  asNumber,
  atomsOf,
  constant,
  floorDivide,
  maxOf,
  minOf,
  modulo,
  mul,
  neg,
  one,
  type Poly,
  scale,
  sub,
  value as valueAtom,
  valueKey,
  zero,
} from "../../dsl/types/poly.ts";
import { isPositive, isSurelyNonNegative } from "../../dsl/types/prove.ts";
import type { Expr } from "./kernel.ts";
import { extremumBy } from "./multiples.ts";

const isWhole = (e: Expr): boolean => (e.type.elem === "i32" || e.type.elem === "i64") && e.type.width === 1;

export class SymbolicValues {
  readonly #names = new Map<string, Poly>();
  /** What bool names say when they hold: each >= 0. */
  readonly #conditions = new Map<string, readonly Poly[]>();
  /** Of registers what each slot holds, as far as it is known. */
  readonly #registers = new Map<string, Map<number, Poly>>();
  #unknowns = 0;
  /** Atoms that may be near the ends of i32, where arithmetic wraps: what memory gives, and loops up to that. */
  readonly #wild = new Set<string>();
  /** At least every size and extent. */
  #most: Poly = zero;

  /** Numbers in -most..most are far from the ends of i32. */
  setMost(most: Poly): void {
    this.#most = most;
  }
  /** Whether arithmetic with p is that of integers. */
  isTame(p: Poly, facts: Facts): boolean {
    if (this.#wild.size === 0 || ![...atomsOf(p).keys()].some((key) => this.#wild.has(key))) return true;
    return this.#isNear(p, facts);
  }
  #isNear(p: Poly, facts: Facts): boolean {
    return [add(this.#most, p), sub(this.#most, p)].every((x) => isSurelyNonNegative(x, facts));
  }
  declareWild(key: string): void {
    this.#wild.add(key);
  }

  set(name: string, value: Poly): void {
    this.#names.set(name, value);
  }
  define(name: string, value: Expr, facts: Facts): void {
    if (isWhole(value)) this.#names.set(name, this.poly(value, facts));
    if (value.type.elem === "bool") this.#conditions.set(name, assumptionsOf(value, this, facts));
  }
  forget(name: string): void {
    this.#names.set(name, this.#unknown(name));
  }
  conditions(name: string): readonly Poly[] {
    return this.#conditions.get(name) ?? [];
  }
  declareRegister(name: string): void {
    this.#registers.set(name, new Map());
  }
  isRegister(name: string): boolean {
    return this.#registers.has(name);
  }
  invalidate(name: string): void {
    this.#registers.get(name)?.clear();
  }
  store(to: string, index: Expr, value: Expr, facts: Facts): void {
    const slots = this.#registers.get(to);
    if (slots === undefined || !isWhole(value)) return;
    const slot = asNumber(this.poly(index, facts));
    if (slot === null)
      slots.clear(); // it may be any
    else slots.set(slot, this.poly(value, facts));
  }
  #unknown(of: string): Poly {
    this.#unknowns += 1;
    const name = `${of}#${this.#unknowns}`;
    this.#wild.add(valueKey(name));
    return valueAtom(name);
  }

  poly(e: Expr, facts: Facts): Poly {
    switch (e.kind) {
      case "const":
        return constant(e.value);
      case "wide":
        return constant(e.value);
      case "name":
        return this.#names.get(e.name) ?? this.#unknown(e.name);
      case "load": {
        const slot = asNumber(this.poly(e.index, facts));
        return (slot === null ? undefined : this.#registers.get(e.from)?.get(slot)) ?? this.#unknown(e.from);
      }
      case "op":
        return this.#operation(e, facts) ?? this.#unknown(e.op);
      case "convert":
        return this.#conversion(e, facts) ?? this.#unknown("convert");
      case "bitcast":
      case "splat":
      case "extract":
      case "fold":
      case "dot":
        return this.#unknown(e.kind);
      default:
        return e satisfies never;
    }
  }

  /** The same number where it is one of the other type, too: an i32 is an i64, and what is far from the ends of i32 is both. */
  #conversion({ type, arg }: Extract<Expr, { kind: "convert" }>, facts: Facts): Poly | null {
    if (type.width !== 1 || !isWhole(arg) || (type.elem !== "i32" && type.elem !== "i64")) return null;
    const value = this.poly(arg, facts);
    return type.elem === "i64" || this.#isNear(value, facts) ? value : null;
  }
  #operation(e: Extract<Expr, { kind: "op" }>, facts: Facts): Poly | null {
    if (!isWhole(e) || !e.args.every(isWhole)) return null;
    const value = this.#result(e, facts);
    // Constants of 64 bits may lead anywhere: of an i64 only what is an index again is followed.
    const follows = value === null || e.type.elem === "i32" || e.op === "min" || e.op === "max";
    return follows || this.#isNear(value, facts) ? value : null;
  }
  #result(e: Extract<Expr, { kind: "op" }>, facts: Facts): Poly | null {
    const [a, b] = e.args.map((x) => this.poly(x, facts));
    if (a === undefined) return null;
    const exact = e.op === "min" || e.op === "max";
    if (!exact && ![a, b ?? a].every((x) => this.isTame(x, facts))) return null;
    if (b === undefined) return e.op === "neg" ? neg(a) : null;
    switch (e.op) {
      case "add":
        return add(a, b);
      case "sub":
        return sub(a, b);
      case "mul":
        return mul(a, b);
      case "min":
        return extremumBy(minOf, a, b);
      case "max":
        return followed(extremumBy(maxOf, a, b));
      case "shl": {
        const by = asNumber(b);
        return by === null || by < 0 || by > 30 ? null : scale(a, 2 ** by);
      }
      case "div":
      case "mod": {
        // i32 division truncates: it is the floor of what is not negative only.
        if (isPositive(b, facts) !== "yes" || !isSurelyNonNegative(a, facts)) return null;
        return e.op === "div" ? floorDivide(a, b, facts) : modulo(a, b, facts);
      }
      default:
        return null;
    }
  }
}

/** Null for a greatest of many: a search would have to try them all, and what bounds it from outside is enough. */
const followed = (p: Poly): Poly | null => (extremes(p) > mostExtremes ? null : p);
const mostExtremes = 6;
/** Alternatives in a size, inside of others too; numbers are none. */
const extremes = (p: Poly): number =>
  [...atomsOf(p).values()].reduce(
    (sum, x) => sum + ("args" in x ? x.args.filter((a) => asNumber(a) === null).length : 0),
    0,
  );

/** What a condition says of indices when it holds: each >= 0. */
export function assumptionsOf(e: Expr, values: SymbolicValues, facts: Facts): readonly Poly[] {
  if (e.kind === "name") return values.conditions(e.name);
  if (e.kind !== "op") return [];
  if (e.op === "and") return e.args.flatMap((x) => assumptionsOf(x, values, facts));
  const [x, y] = e.args;
  if (x === undefined || y === undefined || !isWhole(x) || !isWhole(y)) return [];
  const difference = sub(values.poly(y, facts), values.poly(x, facts));
  if (e.op === "lt") return [sub(difference, one)];
  if (e.op === "le") return [difference];
  return e.op === "eq" ? [difference, neg(difference)] : [];
}
