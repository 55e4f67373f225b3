/** Precedence: a flat chain of operands and operators to a tree, without recursion. Loosest first, docs/language.md. */
import type { IToken } from "chevrotain";
import type { BinaryOp, Expr } from "../ast/nodes.ts";
import { coverSpans, type Span, spanText } from "../diagnostics/source.ts";
import { Equals, Write } from "../lexer/tokens.ts";
import type { BuildContext } from "./cst.ts";

const precedence: Readonly<Record<BinaryOp, number>> = {
  "??": 1,
  or: 2,
  and: 3,
  "==": 5,
  "!=": 5,
  "<": 5,
  "<=": 5,
  ">": 5,
  ">=": 5,
  in: 5,
  "~": 5,
  "..": 6,
  "+": 7,
  "-": 7,
  xor: 7,
  "*": 8,
  "/": 8,
  div: 8,
  mod: 8,
  "^": 10,
};
const notPrecedence = 4;
const minusPrecedence = 9;
export const comparison = 5;
const range = 6;

/** How tightly an operator binds, for those that print trees. */
export const binaryPrecedence = (op: BinaryOp): number => precedence[op];
export const unaryPrecedence = (op: "-" | "not"): number => (op === "not" ? notPrecedence : minusPrecedence);

const isBinaryOp = (text: string): text is BinaryOp => Object.hasOwn(precedence, text);

interface Pending {
  readonly op: BinaryOp | "not" | "negative";
  readonly precedence: number;
  readonly span: Span;
  readonly token: IToken | null;
}

/** An operand with the signs before it. */
export interface Operand {
  readonly prefixes: readonly IToken[];
  readonly value: Expr;
}

export function resolveChain(context: BuildContext, operands: readonly Operand[], operators: readonly IToken[]): Expr {
  const chain = new Chain(context);
  for (const [i, operand] of operands.entries()) {
    for (const prefix of operand.prefixes) chain.prefix(prefix);
    chain.value(operand.value);
    const operator = operators[i];
    if (operator !== undefined && i + 1 < operands.length) chain.binary(operator);
  }
  return chain.finish();
}

class Chain {
  readonly #context: BuildContext;
  readonly #values: Expr[] = [];
  readonly #pending: Pending[] = [];

  constructor(context: BuildContext) {
    this.#context = context;
  }

  value(value: Expr): void {
    this.#values.push(value);
  }

  prefix(token: IToken): void {
    const span = this.#context.tokenSpan(token);
    if (token.image === "-") {
      this.#pending.push({ op: "negative", precedence: minusPrecedence, span, token });
      return;
    }
    const before = this.#pending.at(-1);
    if (before !== undefined && before.precedence > notPrecedence) {
      const outer = before.op === "negative" ? "-" : before.op;
      this.#context.error(
        "DS0001",
        "unexpected `not`",
        span,
        `\`not\` binds looser than \`${outer}\`: put it in parentheses`,
      );
    }
    this.#pending.push({ op: "not", precedence: notPrecedence, span, token });
  }

  binary(token: IToken): void {
    const span = this.#context.tokenSpan(token);
    const op = token.tokenType === Write ? "<" : token.tokenType === Equals ? "==" : token.image;
    if (!isBinaryOp(op)) return;
    const level = precedence[op];
    for (let top = this.#pending.at(-1); top !== undefined; top = this.#pending.at(-1)) {
      if (top.precedence < level || (top.precedence === level && op === "^")) break;
      this.#reduce();
    }
    this.#pending.push({ op, precedence: level, span, token });
    if (token.tokenType === Write) {
      const minus = this.#context.span(span.end - 1, span.end);
      this.#pending.push({ op: "negative", precedence: minusPrecedence, span: minus, token: null });
    }
  }

  finish(): Expr {
    while (this.#pending.length > 0) this.#reduce();
    return this.#values[0] ?? { kind: "error", span: this.#context.span(0, 0) };
  }

  #reduce(): void {
    const top = this.#pending.pop();
    const right = this.#values.pop();
    if (top === undefined || right === undefined) return;
    if (top.op === "not" || top.op === "negative") {
      const op = top.op === "not" ? "not" : "-";
      this.#values.push({ kind: "unary", op, operand: right, span: coverSpans(top.span, right.span) });
      return;
    }
    const left = this.#values.pop();
    if (left === undefined) return;
    this.#report(top, top.op, left, right);
    const span = coverSpans(left.span, right.span);
    this.#values.push({ kind: "binary", op: top.op, left, right, span });
  }

  #report(operator: Pending, op: BinaryOp, left: Expr, right: Expr): void {
    const whole = coverSpans(left.span, right.span);
    const pair = `${spanText(left.span)} ${op} ${spanText(right.span)}`;
    const context = this.#context;
    if (operator.token?.tokenType === Write) {
      context.replaceable("DS0007", "`<-` inside an expression", operator.span, "this writes a state", whole, pair);
    }
    if (operator.token?.tokenType === Equals) {
      context.replaceable("DS0001", "unexpected `=`", operator.span, "a comparison is `==`", whole, pair);
    }
    if (left.kind !== "binary") return;
    const chained = (level: number): boolean => precedence[op] === level && precedence[left.op] === level;
    if (chained(comparison) && !(left.left.kind === "binary" && precedence[left.left.op] === comparison)) {
      const text = `${spanText(left.span)} and ${spanText(left.right.span)} ${op} ${spanText(right.span)}`;
      context.replaceable("DS0006", "comparisons do not chain", operator.span, "a second comparison", whole, text);
    }
    if (chained(range)) context.error("DS0001", "unexpected `..`", operator.span, "a range has two ends");
  }
}
