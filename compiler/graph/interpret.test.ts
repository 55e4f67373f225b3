import { describe, expect, test } from "vitest";
import { scalarFunctions } from "../ops/scalar-functions.ts";
import type { Sizes } from "./dim.ts";
import { InternalError } from "./internal-error.ts";
import { interpretSlowly } from "./interpret/slowly.ts";
import { prepare, type RunOptions, realsOf, StateStore, type Tensor, tensor, wideTensor } from "./interpret.ts";
import type { Graph } from "./node.ts";
import { parse } from "./parse.ts";
import { printProblem, verify } from "./verify.ts";

type Values = Readonly<Record<string, Tensor>>;
const graphOf = (lines: string): Graph => {
  const parsed = parse(`graph @g {\n${lines}\n}`);
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column} ${parsed.message}`);
  return parsed.graph;
};
const given =
  (values: Values): RunOptions["param"] =>
  (n) =>
    values[n.name] ?? tensor([0], []);
const optionsOf = (sizes: Sizes, values: Values, more: Partial<RunOptions> = {}): RunOptions => ({
  sizes,
  param: given(values),
  state: new StateStore(),
  ...more,
});
/** Both interpreters, which must agree; the values of the first result. */
function run(lines: string, sizes: Sizes, values: Values, more: Partial<RunOptions> = {}): readonly number[] {
  const g = graphOf(lines);
  expect(verify(g).map(printProblem)).toEqual([]);
  const fast = prepare(g).run(optionsOf(sizes, values, more))[0];
  const slow = interpretSlowly(g, optionsOf(sizes, values, more))[0];
  if (fast === undefined || slow === undefined) throw new Error("no result");
  expect(fast).toEqual(slow);
  return [...realsOf(fast)];
}
const of = (...xs: readonly number[]): Tensor => tensor([xs.length], xs);
const head = "size N in 0..99 size S0 in 0..99 size T in 0..99 %x : f32[N] = input";

describe("nodes", () => {
  test("maps and reductions", () => {
    const values = { x: of(3, -1, 2, 5, 0.5) };
    const all = (monoid: string, body = "%x[i]"): readonly number[] =>
      run(`${head} %y : f32[] = map [] ${monoid}[i: N](${body}) return %y`, { N: 5 }, values);
    expect(all("sum")).toEqual([9.5]);
    expect(all("product")).toEqual([-15]);
    expect(all("max")).toEqual([5]);
    expect(all("min")).toEqual([-1]);
    expect(all("any", "%x[i] < 0")).toEqual([1]);
    expect(all("all", "%x[i] < 0")).toEqual([0]);
    expect(run(`${head} %y : f32[N] = map [i] exp(%x[i]) - %x[{N - 1} - i] return %y`, { N: 5 }, values)[0]).toBe(
      Math.exp(3) - 0.5,
    );
  });
  test("of nothing: the neutral element", () => {
    const none = (monoid: string): readonly number[] =>
      run(`${head} %y : f32[] = map [] ${monoid}[i: N](%x[i]) return %y`, { N: 0 }, { x: of() });
    expect(["sum", "product", "max", "min", "any", "all"].map((m) => none(m)[0])).toEqual([0, 1, -1 / 0, 1 / 0, 0, 1]);
    expect(run(`${head} %y : f32[N, 3] = map [i, j] %x[i] return %y`, { N: 0 }, { x: of() })).toEqual([]);
  });
  test("guards", () => {
    const guarded = (where: string): readonly number[] =>
      run(
        `${head} %y : f32[3] = map [t] sum[i: N where ${where}](%x[i]) return %y`,
        { N: 6 },
        { x: of(1, 2, 4, 8, 16, 32) },
      );
    expect(guarded("i <= t + 1")).toEqual([3, 7, 15]);
    expect(guarded("t < i")).toEqual([62, 60, 56]);
    expect(guarded("t <= i && i < 4 && i < t + 2")).toEqual([3, 6, 12]);
    expect(guarded("mod(i, 2) == 0")).toEqual([21, 21, 21]);
    expect(guarded("t == 1 && i < 2")).toEqual([0, 3, 0]);
    expect(guarded("2 * i <= t + 2")).toEqual([3, 3, 7]);
    expect(guarded("i < t || 4 < i")).toEqual([32, 33, 35]);
    expect(guarded("i < -t")).toEqual([0, 0, 0]);
  });
  test("what is not chosen is not computed", () => {
    const x = { x: of(1, 2, 3, 4, 5) };
    expect(run(`${head} %y : f32[9] = map [i] select(i < N, %x[i], 0) return %y`, { N: 5 }, x)).toEqual([
      1, 2, 3, 4, 5, 0, 0, 0, 0,
    ]);
    expect(
      run(`${head} %y : f32[9] = map [i] select(mod(i, 2) == 0, %x[floordiv(i, 2)], i) return %y`, { N: 5 }, x),
    ).toEqual([1, 1, 2, 3, 3, 5, 4, 7, 5]);
    expect(run(`${head} %y : f32[9] = map [i] i < N && 2 < %x[i] return %y`, { N: 5 }, x)).toEqual([
      0, 0, 1, 1, 1, 0, 0, 0, 0,
    ]);
    expect(run(`${head} %y : f32[] = map [] sum[i: 9 where i < N && 2 < %x[i]](%x[i]) return %y`, { N: 5 }, x)).toEqual(
      [12],
    );
    expect(
      run(`${head} %y : f32[9] = map [i] %x[minimum(i, 4)] + select(i < N, %x[i], %x[0]) return %y`, { N: 5 }, x),
    ).toEqual([2, 4, 6, 8, 10, 6, 6, 6, 6]);
  });
  test("a branch that reads what stands beside it", () => {
    const x = { x: of(1, 2, 3, 4, 5, 6) };
    const both = (e: string): readonly number[] => run(`${head} %y : f32[N] = map [i] ${e} return %y`, { N: 6 }, x);
    expect(both("%x[i] + select(3 <= i, %x[i] * 10, 0)")).toEqual([1, 2, 3, 44, 55, 66]);
    expect(both("%x[i] + select(i < 3, 0, %x[i] * 10)")).toEqual([1, 2, 3, 44, 55, 66]);
    expect(both("exp(%x[i]) * 0 + %x[i] + select(3 <= i, exp(%x[i]) * 0 + 1, 2)")).toEqual([3, 4, 5, 5, 6, 7]);
  });
  test("top_k: descending, ties by index, nan last, short rows filled with 0", () => {
    const top = (k: number, ...xs: readonly number[]): readonly number[] =>
      run(
        `${head} %y : i32[2, ${k}] = top_k [t] i: N where i <= t + 2 by %x[i] return %y`,
        { N: xs.length },
        { x: of(...xs) },
      );
    expect(top(3, 1, 7, 7, 9, 0)).toEqual([1, 2, 0, 3, 1, 2]);
    expect(top(3, Number.NaN, 1, Number.NaN, 2)).toEqual([1, 0, 2, 3, 1, 0]);
    expect(top(5, 1, -1 / 0, 2)).toEqual([2, 0, 1, 0, 0, 2, 0, 1, 0, 0]);
    expect(top(2, 0, -0)).toEqual([0, 1, 0, 1]);
  });
  test("argsort is stable, its inverse undoes it", () => {
    const sorted = `${head} %p : i32[N] = argsort i: N by %x[i] %q : i32[N] = argsort i: N by %p[i]`;
    const values = { x: of(3, 1, Number.NaN, 1, -1 / 0, 2) };
    expect(run(`${sorted} return %p`, { N: 6 }, values)).toEqual([4, 1, 3, 5, 0, 2]);
    expect(run(`${sorted} %y : f32[N] = map [i] %x[%p[%q[i]]] return %y`, { N: 6 }, values)).toEqual([
      3,
      1,
      Number.NaN,
      1,
      -1 / 0,
      2,
    ]);
  });
  test("an index out of range is told with node, axis and value", () => {
    const fails = (body: string, at: string): void => {
      const g = graphOf(`${head} %i : i32[] = input %y : f32[6, 6] = map [t, s] ${body} return %y`);
      const options = optionsOf({ N: 5 }, { x: of(1, 2, 3, 4, 5), i: tensor([], [7]) });
      for (const go of [() => prepare(g).run(options), () => interpretSlowly(g, options)]) {
        expect(go).toThrow(InternalError);
        expect(go).toThrow(`%y reads %x out of range: axis 0 at ${at}, its size is 5`);
      }
    };
    fails("%x[s]", "5");
    fails("%x[t - 1]", "-1");
    fails("%x[%i[]]", "7");
    fails("sum[k: 9](%x[k])", "5");
    fails("sum[k: 5](%x[4 - 2 * k])", "-2");
    fails("sum[k: 5 where k <= s](%x[%i[] * k])", "7");
    fails("%x[mod(7 * s, 9)]", "7");
  });
  test("on every axis, in short rows and in long ones", () => {
    for (const [domain, n] of [
      ["3", 3],
      ["6", 6],
    ] as const) {
      for (const [at, axis] of [
        ["t - 1, 0", 0],
        [`0, t + ${6 - n}`, 1],
        ["9, t", 0],
        ["t - 1, 0, 0", 0],
        [`0, t + ${6 - n}, 0`, 1],
        [`0, 0, t + ${6 - n}`, 2],
      ] as const) {
        const rank = at.split(",").length;
        const g = graphOf(
          `%m : f32[${Array.from({ length: rank }, () => 5).join(", ")}] = input %y : f32[${domain}] = map [t] %m[${at}] return %y`,
        );
        const m = tensor(new Array<number>(rank).fill(5), new Array<number>(5 ** rank).fill(1));
        expect(() => prepare(g).run(optionsOf({}, { m })), `${at} of ${domain}`).toThrow(
          `%y reads %m out of range: axis ${axis} at`,
        );
      }
    }
  });
  test("of what it is given it believes neither shape nor kind", () => {
    const g = graphOf(`${head} return %x`);
    const fails = (value: Tensor): void => {
      expect(() => prepare(g).run(optionsOf({ N: 2 }, { x: value }))).toThrow(InternalError);
    };
    fails(of(1, 2, 3));
    fails(tensor([2, 1], [1, 2]));
    fails(wideTensor([2], [1n, 2n]));
    expect(prepare(g).run(optionsOf({ N: 2 }, { x: of(1, 2) }))).toEqual([of(1, 2)]);
  });
});

describe("i64", () => {
  const wide = "size N in 0..99 %n : i64[N] = input %m : i64[N] = input";
  const ints = (lines: string, n: readonly bigint[], m: readonly bigint[]): readonly bigint[] => {
    const g = graphOf(`${wide} ${lines} return %y`);
    expect(verify(g).map(printProblem)).toEqual([]);
    const options = optionsOf({ N: n.length }, { n: wideTensor([n.length], n), m: wideTensor([m.length], m) });
    const [fast, slow] = [prepare(g).run(options)[0], interpretSlowly(g, options)[0]];
    expect(fast).toEqual(slow);
    return fast?.data instanceof BigInt64Array ? [...fast.data] : [];
  };
  const each = (body: string, n: bigint, m: bigint): bigint | undefined =>
    ints(`%y : i64[N] = map [i] ${body}`, [n], [m])[0];
  const big = 2n ** 62n + 12345n;
  test("wraps at 64 bit and is exact below", () => {
    expect(each("%n[i] * %m[i]", big, 5n)).toBe(BigInt.asIntN(64, big * 5n));
    expect(each("mod(%n[i] * %m[i], 7)", big, 5n)).toBe(((BigInt.asIntN(64, big * 5n) % 7n) + 7n) % 7n);
    expect(each("%n[i] * %m[i] < 0", 2n ** 62n, 2n)).toBe(1n);
    expect(each("%n[i] + %m[i]", 2n ** 63n - 1n, 1n)).toBe(-(2n ** 63n));
    expect(each("%n[i] - %m[i]", -(2n ** 63n), 1n)).toBe(2n ** 63n - 1n);
    expect(each("xor(%n[i], %m[i])", big, 2n ** 61n + 7n)).toBe(big ^ (2n ** 61n + 7n));
    expect(each("mod(%n[i], %m[i])", -7n, 3n)).toBe(2n);
    expect(each("floordiv(%n[i], %m[i])", -7n, 3n)).toBe(-3n);
    expect(each("select(%n[i] < %m[i], %n[i], %m[i])", 2n ** 53n + 1n, 2n ** 53n)).toBe(2n ** 53n);
    expect(each("neg(%n[i]) + abs(%m[i]) + 1", 5n, -9n)).toBe(5n);
    expect(each("sum[k: 3](%n[i] * k)", 2n ** 62n, 0n)).toBe(BigInt.asIntN(64, 3n * 2n ** 62n));
  });
  test("constants and 32-bit operands of a product that lands in 64 bit are widened first", () => {
    const g = graphOf("%n : i32[] = input %y : i64[] = map [] %n[] * 4294967291 * 3 return %y");
    const y = prepare(g).run(optionsOf({}, { n: tensor([], [2 ** 31 - 1]) }))[0];
    expect(y).toEqual(wideTensor([], [BigInt.asIntN(64, BigInt(2 ** 31 - 1) * 4294967291n * 3n)]));
  });
  test("as an index, a key, and beside reals", () => {
    expect(ints("%y : i64[N] = map [i] %m[mod(%n[i], N)]", [big, 5n, -1n], [10n, 11n, 12n])).toEqual(
      [big, 5n, -1n].map((x) => 10n + (((x % 3n) + 3n) % 3n)),
    );
    expect(
      ints(
        "%p : i32[N] = argsort i: N by %n[i] %y : i64[N] = map [i] %n[%p[i]]",
        [2n ** 53n + 1n, 2n ** 53n, -4n],
        [0n, 0n, 0n],
      ),
    ).toEqual([-4n, 2n ** 53n, 2n ** 53n + 1n]);
    const g = graphOf(`${wide} %y : f32[N] = map [i] 0.5 + exp(%n[i]) return %y`);
    expect(prepare(g).run(optionsOf({ N: 1 }, { n: wideTensor([1], [1n]), m: wideTensor([1], [0n]) }))).toEqual([
      of(0.5 + Math.E),
    ]);
  });
});

describe("folds", () => {
  const scores = "%v : f32[N] = input %w : f32[N] = input";
  const softmax = `%y : f32[] = map [] fold[s: N where WHERE]{ let a = %x[s] * 1; max m = a; sum l = exp(a - m); sum acc = exp(a - m) * %v[s]; yield acc / l } return %y`;
  const value = (x: readonly number[], v: readonly number[], chunks: number, where = "0 <= s"): number =>
    run(
      `${head} ${scores} ${softmax.replace("WHERE", where)}`,
      { N: x.length },
      { x: of(...x), v: of(...v), w: of(...v) },
      { chunks },
    )[0] ?? Number.NaN;
  const pieces = [1, 2, 3, 7, 9];

  test("huge scores: the running maximum is really subtracted, in one piece and in nine of seven points", () => {
    const [x, v] = [
      [-1e4, 3e4, 2.9e4, -3e4, 3e4, 0, 1e4],
      [1, 2, 3, 4, 5, 6, 7],
    ];
    for (const chunks of pieces) expect(value(x, v, chunks)).toBeCloseTo(3.5, 12);
    const rising = [0, 800, 1600, 2400, 3200];
    for (const chunks of pieces) expect(value(rising, [1, 2, 3, 4, 5], chunks)).toBe(5);
    for (const chunks of pieces) expect(value([...rising].reverse(), [1, 2, 3, 4, 5], chunks)).toBe(1);
  });
  test("a maximum that moves on rescales what was summed before it", () => {
    for (const chunks of pieces)
      expect(value([0, 1, 2, 3], [1, 0, 0, 0], chunks)).toBeCloseTo(1 / (1 + Math.E + Math.E ** 2 + Math.E ** 3), 14);
  });
  test("two pieces of nothing merge with factor 1", () => {
    const empty = `${head} %y : f32[] = map [] fold[s: N where s < 0]{ max m = %x[s]; sum l = exp(%x[s] - m) * 2; sum n = 1; yield l + n + 7 } return %y`;
    for (const chunks of pieces) expect(run(empty, { N: 4 }, { x: of(1, 2, 3, 4) }, { chunks })).toEqual([7]);
    for (const chunks of pieces) expect(value([-1 / 0, -1 / 0, 5, -1 / 0], [1, 2, 3, 4], chunks, "s == 2")).toBe(3);
  });
  test("guards that leave gaps", () => {
    for (const chunks of pieces) expect(value([0, 900, 0, 900, 0], [1, 2, 3, 4, 5], chunks, "mod(s, 2) == 0")).toBe(3);
  });
  test("two maxima, two factors", () => {
    const two = `${head} ${scores} %y : f32[] = map [] fold[s: N]{ max m = %x[s]; max n = %w[s]; sum l = exp(%x[s] - m) * %v[s] * exp(%w[s] - n); yield l } return %y`;
    const [x, w, v] = [
      [1, 700, 3],
      [900, 5, 899],
      [1, 1, 1],
    ];
    const want = x.reduce((a, xi, i) => a + Math.exp(xi - 700 + (w[i] ?? 0) - 900), 0);
    for (const chunks of pieces) {
      expect(run(two, { N: 3 }, { x: of(...x), w: of(...w), v: of(...v) }, { chunks })[0]).toBeCloseTo(want, 300);
    }
  });
  test("a step that reduces over what is accumulated goes point by point", () => {
    const nested = `${head} %y : f32[] = map [] fold[s: N]{ let a = %x[s]; max m = sum[k: 2](a + 0); let b = sum[k: 2](a * k); sum l = b; yield l + m } return %y`;
    const rising = `${head} %y : f32[] = map [] fold[s: N]{ let a = %x[s]; max m = a; sum l = exp(a - m) * sum[k: 2](a * k); yield l } return %y`;
    const want = [0, 700, 1400].reduce((sum, x) => sum + x * Math.exp(x - 1400), 0);
    for (const chunks of pieces) expect(run(rising, { N: 3 }, { x: of(0, 700, 1400) }, { chunks })[0]).toBe(want);
    for (const chunks of pieces) expect(run(nested, { N: 4 }, { x: of(1, 4, 2, 3) }, { chunks })).toEqual([18]);
  });
  test("two folds side by side may call their steps the same", () => {
    const one = (x: string): string =>
      `fold[s: N]{ let a = %${x}[s]; max m = a; sum l = exp(a - m); sum acc = exp(a - m) * s; yield acc / l }`;
    const text = `${head} ${scores} %y : f32[] = map [] ${one("x")} + 10 * ${one("v")} + 100 * ${one("w")} return %y`;
    const values = { x: of(0, 900, 0), v: of(900, 0, 0), w: of(0, 0, 900) };
    for (const chunks of pieces) expect(run(text, { N: 3 }, values, { chunks })).toEqual([201]);
  });
  test("the axis of a row shares what does not depend on it", () => {
    const attention = `${head} %v : f32[N, 5] = input %y : f32[3, 5] = map [t, e] fold[s: N where s <= t]{ let a = %x[s] * (t + 1); max m = a; sum l = exp(a - m); sum acc = %v[s, e] * exp(a - m); yield acc / l } return %y`;
    const v = Array.from({ length: 20 }, (_, i) => (i * 7) % 11);
    const y = run(attention, { N: 4 }, { x: of(1, 2, 0.5, 3), v: tensor([4, 5], v) });
    expect(y.slice(0, 5)).toEqual(v.slice(0, 5));
    const [p, q] = [Math.exp(2 - 4), 1];
    y.slice(5, 10).forEach((z, e) => void expect(z).toBeCloseTo((p * (v[e] ?? 0) + q * (v[5 + e] ?? 0)) / (p + q), 12));
  });
});

describe("repeats, and what is kept", () => {
  const loop = `size T in 1..9 %x : f32[T] = input %w : f32[3, 2] = weight
    %big : f32[2] = map [i] exp(%w[0, i])
    %y : f32[T] = repeat 3 from %x with %h, %l {
      %own : f32[2] = map [i] exp(%w[%l[], i])
      %z : f32[T] = map [t] %h[t] + sum[i: 2](%own[i] * %big[i])
      yield %z }
    return %y`;
  const weights = tensor([3, 2], [0, 1, 2, 3, 4, 5]);
  test("rounds carry their value", () => {
    const e = Math.exp;
    const added = [0, 2, 4].map((l) => e(l) * e(0) + e(l + 1) * e(1));
    const [y] = run(loop, { T: 1 }, { x: of(1), w: weights });
    expect(y).toBe(added.reduce((a, b) => a + b, 1));
    expect(run(loop.replace("repeat 3", "repeat 0"), { T: 2 }, { x: of(4, 5), w: weights })).toEqual([4, 5]);
  });
  test("a loop inside of a loop", () => {
    const nested = `size T in 1..9 %x : f32[T] = input
      %y : f32[T] = repeat 2 from %x with %h, %l {
        %a : f32[T] = map [t] %h[t] * 10
        %in : f32[T] = repeat 3 from %a with %g, %m { %b : f32[T] = map [t] %g[t] + %l[] * 100 + %m[] yield %b }
        yield %in }
      return %y`;
    expect(run(nested, { T: 2 }, { x: of(1, 2) })).toEqual([433, 533]);
  });
  test("what depends on weights alone is computed once, per round and sizes, until the weights change", () => {
    const prepared = prepare(graphOf(loop));
    const seen: string[] = [];
    const values = new Map<string, Tensor>();
    const go = (w: Tensor, x: Tensor): readonly number[] => {
      seen.length = 0;
      const observe: RunOptions["observe"] = (n, iterations, value) => {
        const at = `${n.name}@${iterations.join()}`;
        if (values.get(at)?.data.buffer === value.data.buffer) seen.push(at);
        values.set(at, value);
      };
      const [y] = prepared.run(optionsOf({ T: x.dims[0] ?? 0 }, { x, w }, { observe }));
      return y === undefined ? [] : [...realsOf(y)];
    };
    go(weights, of(1));
    expect(seen).toEqual([]);
    go(weights, of(2));
    expect(seen).toEqual(["big@", "own@0", "own@1", "own@2"]);
    go(weights, of(2, 3));
    expect(seen).toEqual(["big@", "own@0", "own@1", "own@2"]);
    const other = tensor([3, 2], [0, 0, 0, 0, 0, 0]);
    expect(go(other, of(1))).toEqual([7]);
    expect(seen).toEqual([]);
  });
  test("kept values follow the sizes they are made with", () => {
    const g = graphOf(
      "size T in 1..9 %w : f32[] = weight %p : f32[T] = map [t] %w[] * t %y : f32[] = map [] sum[t: T](%p[t] + T) return %y",
    );
    const prepared = prepare(g);
    const w = tensor([], [2]);
    const at = (T: number): readonly number[] => prepared.run(optionsOf({ T }, { w })).flatMap((y) => [...realsOf(y)]);
    expect([at(3), at(2), at(3)]).toEqual([[15], [6], [15]]);
  });
  test("results are the caller's", () => {
    const prepared = prepare(graphOf("%w : f32[2] = weight %y : f32[2] = map [i] %w[i] * 2 return %y, %w"));
    const w = of(1, 2);
    const first = prepared.run(optionsOf({}, { w }));
    for (const r of first) r.data.fill(0 as never);
    expect(prepared.run(optionsOf({}, { w })).map((r) => [...realsOf(r)])).toEqual([
      [2, 4],
      [1, 2],
    ]);
  });
  test("a signal stops it between nodes", () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const observe: RunOptions["observe"] = (n, iterations) => {
      seen.push(`${n.name}@${iterations.join()}`);
      if (n.name === "z" && iterations[0] === 1) stop.abort();
    };
    const options = optionsOf({ T: 1 }, { x: of(1), w: weights }, { observe, signal: stop.signal });
    expect(() => prepare(graphOf(loop)).run(options)).toThrow(/abort/);
    expect(seen.at(-1)).toBe("z@1");
  });
});

describe("states", () => {
  const lines = `size S0 in 0..99 size T in 1..9 %x : f32[T, 2] = input %k : f32[3, S0, 2] = state
    %y : f32[T, 2] = repeat 3 from %x with %h, %l {
      %all : f32[S0 + T, 2] = append %h to %k[%l[]]
      %z : f32[T, 2] = map [t, d] %l[] + sum[s: S0 + T where s <= t + S0](%all[s, d])
      effect %all
      yield %z }
    return %y`;
  const rows = (from: number, n: number): Tensor =>
    tensor(
      [n, 2],
      Array.from({ length: 2 * n }, (_, i) => from * 2 + i + 1),
    );
  const prepared = prepare(graphOf(lines));
  const go = (state: StateStore, from: number, n: number): readonly number[] =>
    prepared.run(optionsOf({ S0: from, T: n }, { x: rows(from, n) }, { state })).flatMap((y) => [...realsOf(y)]);
  const remembered = (state: StateStore): readonly number[] => [...realsOf(state.read("k") ?? of())];

  test("row by row is all at once, beyond every growth of the buffer", () => {
    const [one, all] = [new StateStore(), new StateStore()];
    const last = Array.from({ length: 40 }, (_, i) => go(one, i, 1)).at(-1);
    const every = [...go(all, 0, 7), ...go(all, 7, 33)];
    expect(every.slice(-2)).toEqual(last);
    expect(remembered(one)).toEqual(remembered(all));
    expect(one.rows("k")).toBe(40);
  });
  test("both interpreters leave the same", () => {
    const [a, b] = [new StateStore(), new StateStore()];
    for (const [from, n] of [
      [0, 2],
      [2, 1],
      [3, 3],
    ] as const) {
      const y = go(a, from, n);
      const slow = interpretSlowly(graphOf(lines), optionsOf({ S0: from, T: n }, { x: rows(from, n) }, { state: b }));
      expect(slow.flatMap((t) => [...realsOf(t)])).toEqual(y);
      expect(remembered(b)).toEqual(remembered(a));
    }
  });
  test("rollback forgets, snapshot keeps", () => {
    const state = new StateStore();
    go(state, 0, 5);
    const kept = state.snapshot();
    const next = go(state, 5, 2);
    state.rollback(2);
    expect(state.rows("k")).toBe(5);
    expect(remembered(state)).toEqual(remembered(kept));
    expect(go(state, 5, 2)).toEqual(next);
    expect(kept.rows("k")).toBe(5);
    const before = remembered(kept);
    state.rollback(7);
    prepared.run(optionsOf({ S0: 0, T: 1 }, { x: rows(9, 1) }, { state }));
    expect(remembered(kept)).toEqual(before);
    expect(() => state.rollback(8)).toThrow("8 cannot be forgotten");
  });
  test("a run that fails, or is stopped, remembers nothing", () => {
    const state = new StateStore();
    go(state, 0, 2);
    const before = remembered(state);
    const observe: RunOptions["observe"] = (_, iterations) => {
      if (iterations[0] === 2) throw new Error("seen enough");
    };
    expect(() => prepared.run(optionsOf({ S0: 2, T: 1 }, { x: rows(9, 1) }, { state, observe }))).toThrow(
      "seen enough",
    );
    expect(remembered(state)).toEqual(before);
    expect(go(state, 2, 1)).toEqual(go(new StateStore(), 0, 3).slice(-2));
  });
  test("sizes that do not fit the rows are refused", () => {
    expect(() => go(new StateStore(), 3, 1)).toThrow("state %k holds 0 rows, its size says 3");
  });
  test("old rows can be read beside the new", () => {
    const text = `size S0 in 0..99 size T in 1..9 %x : f32[T] = input %k : f32[S0] = state
      %all : f32[S0 + T] = append %x to %k[]
      %y : f32[S0 + T] = map [s] %all[s] - select(s < S0, %k[s], 0.5)
      effect %all return %y`;
    const g = prepare(graphOf(text));
    const state = new StateStore();
    const y = (x: Tensor): readonly number[] =>
      g.run(optionsOf({ S0: state.rows("k"), T: x.dims[0] ?? 0 }, { x }, { state })).flatMap((r) => [...realsOf(r)]);
    expect(y(of(1, 2))).toEqual([0.5, 1.5]);
    expect(y(of(3))).toEqual([0, 0, 2.5]);
  });
});

test("every scalar function, along an axis and alone, is its entry", () => {
  const x = [-2.5, -1, -0, 0, 0.3, 1, 3, 1 / 0, Number.NaN];
  for (const [fn, { arity, evaluate }] of Object.entries(scalarFunctions)) {
    const args = ["%x[i]", "%x[8 - i]", "%x[mod(i * 2, 9)]"].slice(0, arity).join(", ");
    const want = x.map((a, i) => evaluate(a, x[8 - i] ?? 0, x[(i * 2) % 9] ?? 0));
    expect(run(`${head} %y : f32[9] = map [i] ${fn}(${args}) return %y`, { N: 9 }, { x: of(...x) }), fn).toEqual(want);
    const alone = run(
      `${head} %y : f32[] = map [] ${fn}(${["%x[1]", "%x[7]", "%x[2]"].slice(0, arity).join(", ")}) return %y`,
      { N: 9 },
      { x: of(...x) },
    );
    expect(alone, fn).toEqual([evaluate(x[1] ?? 0, x[7] ?? 0, x[2] ?? 0)]);
  }
});
