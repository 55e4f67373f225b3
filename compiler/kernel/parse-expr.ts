/** Expressions of the text form. Types come from the declarations of names, so nothing is written twice. */
import type { Cursor, Token } from "../graph/tokens.ts";
import { isElem, readType, type Type, typeOf, widths } from "./elem.ts";
import { resultType } from "./expr.ts";
import type { Expr } from "./kernel.ts";
import { isMonoid, isOp, ops } from "./ops.ts";
import { infixes, mostNesting } from "./text-form.ts";
import { children } from "./walk.ts";

/** What is declared so far. */
export interface Declared {
  readonly names: Map<string, Type>;
  readonly memories: Map<string, Type>;
}

/** A number as constants have it: `-1.5`, `inf`, `nan`. */
export function parseNumber(c: Cursor): number {
  const sign = c.accept("-") ? -1 : 1;
  if (c.accept("inf")) return sign * Number.POSITIVE_INFINITY;
  if (c.accept("nan")) return Number.NaN;
  return sign * Number(c.of("number", "a number").text);
}

export function parseExpr(c: Cursor, declared: Declared): Expr {
  const depths = new WeakMap<Expr, number>();
  const made = (e: Expr): Expr => {
    const depth = 1 + children(e).reduce((d, x) => Math.max(d, depths.get(x) ?? 1), 0);
    if (depth > mostNesting) c.fail("an expression is nested too deep");
    depths.set(e, depth);
    return e;
  };
  let open = 0;
  const expr = (level = 0): Expr => {
    open += 1;
    if (open > mostNesting) c.fail("an expression is nested too deep");
    let left = primary();
    for (;;) {
      const infix = c.next.kind === "sign" ? infixes.get(c.next.text) : undefined;
      if (infix === undefined || infix.level <= level) break;
      c.take();
      const args = [left, expr(infix.level)];
      left = made({ kind: "op", type: resultType(infix.op, args), op: infix.op, args });
    }
    open -= 1;
    return left;
  };
  const primary = (): Expr => {
    const t = c.next;
    if (t.kind === "number") return { kind: "const", type: typeOf("i32"), value: parseNumber(c) };
    if (c.accept("(")) {
      const e = expr();
      c.expect(")");
      return e;
    }
    const word = c.of("word", "an expression").text;
    if (c.accept("[")) return element(word, t);
    if (c.accept("(")) return readType(word) === null ? call(word, t) : constant(readType(word) ?? typeOf("i32"));
    const type = declared.names.get(word) ?? c.fail(`unknown name ${word}`, t);
    return { kind: "name", type, name: word };
  };
  const constant = (type: Type): Expr => {
    if (type.elem === "i64") return wide(type);
    const value = parseNumber(c);
    const step = c.accept("step") ? { step: parseNumber(c) } : {};
    c.expect(")");
    return { kind: "const", type, value, ...step };
  };
  const wide = (type: Type): Expr => {
    const negative = c.accept("-");
    const t = c.of("number", "a whole number");
    if (!/^[0-9]+$/.test(t.text)) c.fail("expected a whole number", t);
    c.expect(")");
    const size = BigInt(t.text);
    return { kind: "wide", type, value: negative ? -size : size };
  };
  const element = (from: string, t: Token): Expr => {
    const memory = declared.memories.get(from) ?? c.fail(`unknown memory ${from}`, t);
    const first = expr();
    const inPiece = c.accept(";");
    const index = inPiece ? expr() : first;
    c.expect("]");
    const width = c.accept(":") ? c.whole("a width") : memory.width;
    const piece = inPiece ? { piece: first } : {};
    return made({ kind: "load", type: typeOf(memory.elem, width), from, index, ...piece });
  };
  const call = (word: string, t: Token): Expr => {
    const args = c.list(")", () => expr());
    const [x, b, acc] = args;
    if (isOp(word)) {
      const { arity } = ops[word];
      if (args.length !== arity) c.fail(`${word} has ${arity} arguments, not ${args.length}`, t);
      return made({ kind: "op", type: resultType(word, args), op: word, args });
    }
    const [, group, b7] = /^dot(2|4)(_b7)?$/.exec(word) ?? [];
    if (group !== undefined) {
      if (x === undefined || b === undefined || acc === undefined || args.length !== 3)
        return c.fail(`${word} has 3 arguments, not ${args.length}`, t);
      return made({ kind: "dot", type: acc.type, a: x, b, acc, group: Number(group), b7: b7 !== undefined });
    }
    if (x === undefined || args.length !== 1) return c.fail(`there is no function ${word} of ${args.length}`, t);
    return made(ofOne(word, x) ?? c.fail(`there is no function ${word}`, t));
  };
  return expr();
}

function ofOne(word: string, arg: Expr): Expr | null {
  const { elem, width } = arg.type;
  const rest = (prefix: string): string | null => (word.startsWith(prefix) ? word.slice(prefix.length) : null);
  const to = rest("to_");
  if (to !== null && isElem(to)) return { kind: "convert", type: typeOf(to, width), arg };
  const as = rest("as_");
  if (as !== null && isElem(as)) return { kind: "bitcast", type: typeOf(as, width), arg };
  const monoid = rest("fold_");
  if (monoid !== null && isMonoid(monoid)) return { kind: "fold", type: typeOf(elem), monoid, arg };
  const splat = rest("splat");
  if (splat !== null && widths.includes(Number(splat)) && /^[0-9]+$/.test(splat))
    return { kind: "splat", type: typeOf(elem, Number(splat)), arg };
  const lane = rest("extract");
  if (lane !== null && /^[0-9]{1,2}$/.test(lane))
    return { kind: "extract", type: typeOf(elem), arg, lane: Number(lane) };
  return null;
}
