/** Indices taken apart around a loop variable. All is exact modulo 2³², as indices of the IR are. */
import { add, constant, isConst, mul } from "../../compiler/kernel/expr.ts";
import type { Expr, Loop } from "../../compiler/kernel/kernel.ts";
import { declaredIn } from "../../compiler/kernel/lower/fresh-names.ts";
import { someExpr, walkStmts } from "../../compiler/kernel/walk.ts";

/** step · variable + Σ terms + offset. */
export interface Affine {
  readonly step: Expr;
  /** Do not change in the loop. */
  readonly terms: readonly Expr[];
  readonly offset: number;
}

/** What an index may refer to inside a loop. */
export interface Inside {
  readonly variable: string;
  /** Names that the loop declares and registers that it writes. */
  readonly changing: ReadonlySet<string>;
  readonly lets: ReadonlyMap<string, Expr>;
}
export function insideOf(loop: Loop): Inside {
  const changing = new Set(declaredIn([loop]));
  const lets = new Map<string, Expr>();
  walkStmts(loop.body, (s) => {
    if (s.kind === "store") changing.add(s.to);
    if (s.kind === "let") lets.set(s.name, s.value);
  });
  return { variable: loop.name, changing, lets };
}

const zero = constant(0);
const isZero = (e: Expr): boolean => isConst(e) && e.value === 0;
const total = (terms: readonly Expr[], offset: number): Expr => terms.reduce((a, b) => add(a, b), constant(offset));

/**
 * Whether it may not be computed once in front of the loop: it changes, or a guard in the loop may be what keeps it from
 * reading out of memory or dividing by zero.
 */
const stays = (e: Expr, { changing }: Inside, isMemory: (name: string) => boolean): boolean =>
  someExpr(e, (x) => {
    if (x.kind === "name") return changing.has(x.name);
    if (x.kind === "load") return changing.has(x.from) || isMemory(x.from);
    if (x.kind !== "op" || (x.op !== "div" && x.op !== "mod")) return false;
    const by = x.args[1];
    return !isConst(by) || by.value === 0;
  });

/** Null for an index that is not affine in the variable. */
export function affineIn(e: Expr, inside: Inside, isMemory: (name: string) => boolean): Affine | null {
  const apart = (x: Expr): Affine | null => affineIn(x, inside, isMemory);
  if (isConst(e)) return { step: zero, terms: [], offset: e.value };
  if (e.kind === "name" && e.name === inside.variable) return { step: constant(1), terms: [], offset: 0 };
  const sums = e.kind === "op" && (e.op === "add" || e.op === "sub");
  if (!sums && !stays(e, inside, isMemory)) return { step: zero, terms: [e], offset: 0 };
  if (e.kind === "name") {
    const value = inside.lets.get(e.name);
    return value === undefined ? null : apart(value);
  }
  if (e.kind !== "op") return null;
  const [x, y] = e.args;
  const [a, b] = [x === undefined ? null : apart(x), y === undefined ? null : apart(y)];
  if (a === null || b === null) return null;
  if (e.op === "add") return plus(a, b);
  if (e.op === "sub") return plus(a, times(b, constant(-1)));
  if (e.op !== "mul") return null;
  if (isZero(b.step)) return times(a, total(b.terms, b.offset));
  return isZero(a.step) ? times(b, total(a.terms, a.offset)) : null;
}

const plus = (a: Affine, b: Affine): Affine => ({
  step: add(a.step, b.step),
  terms: [...a.terms, ...b.terms],
  offset: (a.offset + b.offset) | 0,
});
function times(a: Affine, factor: Expr): Affine {
  const step = mul(a.step, factor);
  const terms = a.terms.map((t) => mul(t, factor));
  if (isConst(factor)) return { step, terms, offset: Math.imul(a.offset, factor.value) };
  return { step, terms: a.offset === 0 ? terms : [...terms, mul(factor, a.offset)], offset: 0 };
}

/** The invariant part, without the offset. */
export const startOf = (a: Affine, from: Expr): Expr => total([mul(a.step, from), ...a.terms], 0);
