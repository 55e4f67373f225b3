import { describe, expect, test } from "vitest";
import { monoids, scalarFunctions } from "../ops/scalar-functions.ts";
import { Builder } from "./builder.ts";
import { dim, printDim } from "./dim.ts";
import { dtypes, type Graph, type Node, type Scalar } from "./node.ts";
import { parse } from "./parse.ts";
import { print, printScalar } from "./print.ts";
import { add, axis, call, mul, name, num, read, reduce } from "./scalar.ts";
import { printProblem, verify } from "./verify.ts";

const text = `graph @tiny.model {
  size D = 64
  size K = 300
  size O = 130
  size S0 in 0..511
  size T in 1..512
  %x : f32[T, D] = input
  %cache : bf16[2, S0, D] = state
  %scale : e8m0[ceil_div(O, 128), D / 2, min(K, 64), K div 7, K mod 7] = weight
  %out : f32[T, D] = repeat 2 from %x with %h, %layer {
    %rows : f32[T, D] = map [t, d] select(d < 8, %h[t, d], -2.5e-7 - %h[t, d - 8]) * maximum(-inf, %h[0, d])
    %k : bf16[S0 + T, D] = append %rows to %cache[%layer[]]
    %soft : f32[T] = map [t] fold[s: S0 + T where s <= t + {S0 + 1}]{ let a = %k[s, 0]; max m = a; sum l = exp(a - m); yield l }
    %rows#1 : f32[T, D] = map [t, d] %rows[t, d] + %soft[t]
    effect %k
    yield %rows#1
  }
  %pick : i32[T, 4] = top_k [t] d: D where d <= t && d < {S0 + T} by %x[t, d]
  %ms : f32[T] = map [t] sum[d: D](%x[t, d] * %x[t, d])
  %layer.ff.up : bf16[T, D] = map [t, d] neg(%x[t, d]) * rsqrt(%ms[t] / D + 1e-6)
  %perm : i32[D] = argsort p: D by %x[0, p]
  return %out, %pick, %layer.ff.up, %perm, %scale
}
`;

const graphOf = (source: string, b?: Builder): Graph => {
  const parsed = parse(source, b);
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column}: ${parsed.message}`);
  return parsed.graph;
};
const plain = (results: readonly Node[]): Graph => ({ name: "g", sizes: new Map(), results, effects: [] });
const roundTrip = (g: Graph): string => {
  const printed = print(g);
  expect(print(graphOf(printed))).toBe(printed);
  return printed;
};

describe("text form", () => {
  test("a graph with everything in it is its own canonical text", () => {
    expect(print(graphOf(text))).toBe(text);
  });
  test("a second parse makes nothing but loops and what hangs on them", () => {
    const b = new Builder();
    const first = graphOf(text, b);
    const made = b.size;
    const again = graphOf(text, b);
    expect(b.size - made).toBe(7); // carry, index, rows, k, soft, rows#1, out
    expect(again.results.slice(1).every((n, i) => n === first.results[i + 1])).toBe(true);
  });
  test("a graph may be deeper than a stack of calls", () => {
    const count = 12_000;
    const lines = Array.from({ length: count }, (_, i) => `  %n${i + 1} : f32[T] = map [t] %n${i}[t] + 1`);
    const deep = `graph @g {\n  size T in 1..9\n  %n0 : f32[T] = input\n${lines.join("\n")}\n  return %n${count}\n}\n`;
    expect(print(graphOf(deep))).toBe(deep);
  });
  test("what is known of sizes together", () => {
    const bounded =
      "graph @g {\n  size T in 1..9\n  size S0 in 0..99\n  given S0 + T <= 64\n  given 2 <= S0\n  return\n}\n";
    const g = graphOf(bounded);
    expect(g.bounds?.map(({ low, high }) => `${printDim(low)} | ${printDim(high)}`)).toEqual(["S0 + T | 64", "2 | S0"]);
    expect(print(g)).toBe(bounded);
    const unknown = graphOf(bounded.replace("2 <= S0", "2 <= U"));
    expect(verify(unknown).map(printProblem).join()).toMatch("size U is not declared");
  });
  test("comments and layout mean nothing", () => {
    const loose = text.replaceAll("\n", " // said aside\n\n ").replaceAll("*", "  *\t");
    expect(print(graphOf(loose))).toBe(text);
  });
  test("every dtype", () => {
    const b = new Builder();
    roundTrip(plain(dtypes.map((d) => b.input(`x_${d}`, ["T"], d))));
  });
  test("every function and monoid", () => {
    const b = new Builder();
    const x = read(b.input("x", ["T"]), [name("t")]);
    const y = read(b.input("y", ["T"]), [name("t")]);
    const z = read(b.input("z", ["T"]), [name("t")]);
    const calls = Object.entries(scalarFunctions).map(([fn, { arity }]) =>
      call(fn as keyof typeof scalarFunctions, ...[x, y, z].slice(0, arity)),
    );
    const reductions = Object.keys(monoids).map((m) =>
      reduce(m as keyof typeof monoids, [axis("t", "T")], x, call("lt", name("t"), num(3))),
    );
    roundTrip(
      plain([
        ...calls.map((e) => b.map("call", [axis("t", "T")], e)),
        ...reductions.map((e) => b.map("reduction", [], e)),
      ]),
    );
  });
  test("numbers read back exactly", () => {
    for (const x of [
      0,
      -0,
      1e-20,
      -1e21,
      5e-324,
      1.7976931348623157e308,
      0.1,
      1 / 3,
      2 ** 53,
      Number.NaN,
      -1 / 0,
      1 / 0,
    ]) {
      const b = new Builder();
      const body = mul(read(b.input("x", []), []), num(x));
      const y = graphOf(print(plain([b.map("y", [], x === 1 ? num(x) : body)]))).results[0];
      const found = y?.kind === "map" && y.body.kind === "call" ? y.body.args[1] : undefined;
      expect(Object.is(found?.kind === "const" ? found.value : undefined, x), String(x)).toBe(true);
    }
  });
  test("brackets only where they are needed, and there", () => {
    const [a, b, c] = [name("a"), name("b"), name("c")];
    const of = (e: Scalar): string => printScalar(e);
    expect(of(call("sub", a, call("sub", b, c)))).toBe("a - (b - c)");
    expect(of(call("sub", call("sub", a, b), c))).toBe("a - b - c");
    expect(of(mul(add(a, b), call("neg", c)))).toBe("(a + b) * neg(c)");
    expect(of(call("div", a, mul(b, c)))).toBe("a / (b * c)");
    expect(of(call("or", call("and", a, b), call("lt", add(a, b), c)))).toBe("a && b || a + b < c");
    expect(of(call("and", call("or", a, b), c))).toBe("(a || b) && c");
    expect(of(call("lt", call("lt", a, b), call("lt", b, c)))).toBe("a < b < (b < c)");
  });
  test("names that could be taken for something else", () => {
    const b = new Builder();
    const odd = ["T", "where", "yield", "inf", "a`b", "a\\nb", "x y", "é", "sum", "exp"];
    const domain = odd.map((n) => axis(n, "T"));
    const x = b.input(
      'a label "with" %signs#1',
      odd.map(() => "T"),
    );
    const y = b.weight(
      'a label "with" %signs#1',
      odd.map(() => "T"),
    );
    const at = odd.map((n) => name(n));
    roundTrip({
      ...plain([b.map("x.", domain, add(read(x, at), read(y, at))), b.map("x.", domain, num(1))]),
      name: "a b",
    });
  });
});

describe("mistakes", () => {
  const at = (source: string): string => {
    const parsed = parse(source);
    return parsed.ok ? "ok" : `${parsed.line}:${parsed.column} ${parsed.message}`;
  };
  const one = (line: string): string => at(`graph @g {\n  %x : f32[T, D] = input\n  ${line}\n  return %x\n}\n`);
  test("have a place and a reason", () => {
    expect(one("%y : f32[T] = map [t] %z[t]")).toBe("3:25 %z is not defined");
    expect(one("%y : f99[T] = map [t] 1")).toBe("3:8 there is no type f99");
    expect(one("%y : f32[T] = blob [t] 1")).toBe("3:17 there is no node blob");
    expect(one("%y : f32[T] = map [t, d] 1")).toBe("3:22 2 indices for 1 axes");
    expect(one("%y : f32[T] = map [t] exp(1, 2)")).toBe("3:28 exp has 1 arguments, not 2");
    expect(one("%y : f32[T] = map [t] expo(1)")).toBe("3:25 there is no function expo");
    expect(one("%y : f32[T] = map [t] mean[s: T](1)")).toMatch("there is no reduction mean");
    expect(one("%x : f32[T, D] = input")).toBe("3:3 %x is defined twice");
    expect(one("%x#1 : f32[T] = input")).toMatch("made twice with different types");
    expect(one("%y : f32[T] = argsort d: D by %x[0, d]")).toBe("3:3 %y has another type");
    expect(one("%y : i32[T] = argsort d: T by ?")).toBe("3:33 expected an expression, found ?");
    expect(one("%y : f32[T / 0] = input")).toMatch("divided by 0");
    expect(one("%y : f32[T, D] = repeat 2 from %x with %h, %l { %z : f32[T] = map [t] 1 yield %z }")).toMatch(
      "another type",
    );
    expect(one("%y : f32[T, D] = append %x to %x[]")).toMatch("%x is no state");
    expect(at("graph @g {\n return\n}\n}")).toBe("4:1 expected the end of the text, found }");
    expect(at("graph @g {\n size T in 5..2\n return\n}")).toMatch("size T has no value");
    expect(at("")).toBe("1:1 expected graph, found the end of the text");
  });
  test("nesting has an end", () => {
    const many = 50_000;
    const deep = [
      "(".repeat(many),
      "exp(".repeat(many),
      "-".repeat(many),
      "1 + ".repeat(many),
      `${"t + ".repeat(many)}t`,
    ];
    for (const body of deep) expect(one(`%y : f32[T] = map [t] ${body}`)).toMatch(/nested too deep|found/);
    for (const size of [
      "(".repeat(many),
      `(A + B + C + D)${"^9".repeat(40)}`,
      "9".repeat(400),
      "T^99999999",
      "min(".repeat(many),
    ]) {
      expect(one(`%y : f32[${size}] = input`)).not.toBe("ok");
    }
    const chain = Array.from({ length: 100 }, (_, i) => `(A${i} + B${i})`).join(" * ");
    expect(one(`%y : f32[${chain}] = input`)).toMatch("too long");
    expect(one("%y : f32[T, D] = repeat 2 from %x with %h, %l { ".repeat(1000))).toMatch(/nested too deep|twice/);
    expect(dim("T").key).toBe("1*$T");
  });
});
