import { describe, expect, it } from "vitest";
import type { Expr } from "../ast/nodes.ts";
import { makeSource } from "../diagnostics/source.ts";
import { parse } from "./parse.ts";

/** The expression with all its parentheses; those that were written are square. */
function show(expr: Expr): string {
  switch (expr.kind) {
    case "name":
    case "number":
      return expr.text;
    case "hole":
      return "_";
    case "config-root":
      return "$";
    case "null":
      return "null";
    case "group":
      return `[${show(expr.inner)}]`;
    case "unary":
      return `(${expr.op} ${show(expr.operand)})`;
    case "binary":
      return `(${show(expr.left)} ${expr.op} ${show(expr.right)})`;
    case "conditional":
      return `(${show(expr.condition)} ? ${show(expr.then)} : ${show(expr.else)})`;
    case "else":
      return `(${show(expr.value)} else ${show(expr.fallback)})`;
    case "cast":
      return `(${show(expr.value)} as ${expr.type.kind === "index-type" ? `in ${show(expr.type.axis)}` : expr.type.kind})`;
    case "index":
      return `${show(expr.base)}[${expr.subscript.items.map(show).join(",")}]`;
    case "call":
      return `${show(expr.callee)}(${expr.args.map((arg) => (arg.kind === "spread" ? ".." : show(arg.value))).join(",")})`;
    case "member":
      return `${show(expr.base)}.${expr.word.text}`;
    case "tuple":
      return `<${expr.items.map(show).join(",")}>`;
    case "join":
      return `<${expr.items.map(show).join("|")}>`;
    default:
      return expr.kind;
  }
}

function read(text: string): string {
  const { file, diagnostics } = parse(makeSource("a.ds", `fn f(x: real) = ${text}`));
  expect(diagnostics).toEqual([]);
  const fn = file.declarations[0];
  return fn?.kind === "fn" && fn.expression !== null ? show(fn.expression) : "";
}

describe("precedence", () => {
  it.each([
    ["a + b * c - d", "((a + (b * c)) - d)"],
    ["a - b - c", "((a - b) - c)"],
    ["a / b * c div d mod e", "((((a / b) * c) div d) mod e)"],
    ["a xor b + c", "((a xor b) + c)"],
    ["a ^ b ^ c", "(a ^ (b ^ c))"],
    ["-a ^ b", "(- (a ^ b))"],
    ["a ^ -b ^ c", "(a ^ (- (b ^ c)))"],
    ["a ^ -b * c", "((a ^ (- b)) * c)"],
    ["2^-0.5 * x", "((2 ^ (- 0.5)) * x)"],
    ["a * -b", "(a * (- b))"],
    ["- - a", "(- (- a))"],
    ["-a as i32", "(- (a as word))"],
    ["a as i32 ^ 2", "((a as word) ^ 2)"],
    ["a as in D + 1", "(a as in (D + 1))"],
    ["a as in D and b", "((a as in D) and b)"],
    ["not a == b and c", "((not (a == b)) and c)"],
    ["not not a", "(not (not a))"],
    ["a or b and not c", "(a or (b and (not c)))"],
    ["a ?? b or c ?? d", "((a ?? (b or c)) ?? d)"],
    ["a in 1 .. b + 1", "(a in (1 .. (b + 1)))"],
    ["1..9", "(1 .. 9)"],
    ["a < b and c >= d", "((a < b) and (c >= d))"],
    ["a ~ b + c", "(a ~ (b + c))"],
    ["a ? b : c ? d : e", "(a ? b : (c ? d : e))"],
    ["a ? b ? c : d : e", "(a ? (b ? c : d) : e)"],
    ["a ?? b ? c : d ?? e", "((a ?? b) ? c : (d ?? e))"],
    ["a + x[i] else 0 * b", "(a + ((x[i] else 0) * b))"],
    ["x[i] else y[i] as i64", "((x[i] else y[i]) as word)"],
    ["a.b.type[c](d, ..)[e]", "a.b.type[c](d,..)[e]"],
    ["$.a.b ?? null", "($.a.b ?? null)"],
    ["(a | b, )".replace(", ", " "), "<a|b>"],
    ["((a), (b | c))", "<[a],<b|c>>"],
  ])("%s", (text, expected) => {
    expect(read(text)).toBe(expected);
  });
});
