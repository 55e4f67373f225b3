/** Infix operators with the parentheses that they need in languages descended from C, and a few more for readers. */
import type { Expr } from "../../compiler/kernel/kernel.ts";
import type { OpName } from "../../compiler/kernel/ops.ts";

type Op = Extract<Expr, { kind: "op" }>;

/**
 * Arithmetic associates and binds as everywhere. Comparisons, shifts and operators of bits do not bind alike in these languages,
 * and some refuse them side by side: as operands and arguments they stand in parentheses.
 */
const ranks: Partial<Record<OpName, number>> = { mul: 2, div: 2, mod: 2, add: 1, sub: 1 };

export interface Spelling {
  readonly expr: (e: Expr) => string;
  /** What stands between its operands; null where something is called. */
  readonly sign: (e: Op) => string | null;
}

const rankIn = (e: Expr, s: Spelling): number | null =>
  e.kind === "op" && s.sign(e) !== null ? (ranks[e.op] ?? 0) : null;

/** `a + b`. */
export function infix(e: Op, s: Spelling): string {
  const mine = rankIn(e, s) ?? 0;
  const side = (x: Expr | undefined, right: boolean): string => {
    if (x === undefined) return "";
    const theirs = rankIn(x, s);
    const text = s.expr(x);
    const bare = theirs === null || (theirs > 0 && mine > 0 && (right ? theirs > mine : theirs >= mine));
    return bare ? text : `(${text})`;
  };
  const [a, b] = e.args;
  return `${side(a, false)} ${s.sign(e) ?? ""} ${side(b, true)}`;
}

/** As an argument: `a < b` and `c >> d` side by side would read as a list in angle brackets. */
export const argument = (e: Expr, s: Spelling): string => (rankIn(e, s) === 0 ? `(${s.expr(e)})` : s.expr(e));
/** Where anything but a name, a call or a literal stands in parentheses. */
export const operand = (e: Expr, s: Spelling): string => (rankIn(e, s) === null ? s.expr(e) : `(${s.expr(e)})`);
