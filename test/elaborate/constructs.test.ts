/** What each construct of the language means, in numbers worked out by hand. */
import { describe, expect, test } from "vitest";
import { ElaborationError } from "../../compiler/elaborate/context.ts";
import { spanText } from "../../dsl/diagnostics/source.ts";
import { runOnce, runText } from "./run-text.ts";

const x4 = [1, 2, 3, 4];

describe("axes", () => {
  test("an index only on the right is summed over the smallest product that holds it", () => {
    const text = `
  weight w : [2, 3] at "w"
  weight v : [3] at "v"
  entry f(x: [T]) -> (y: [2]) { y[o] := w[o,i] * v[i] + 1 }`;
    expect(
      runOnce({
        text: text.replaceAll("entry f", "entry forward"),
        inputs: { x: [0] },
        weights: { w: [1, 2, 3, 4, 5, 6], v: [1, 10, 100] },
      }),
    ).toEqual([322, 655]);
  });

  test("pieces of a split and of a join lie at offsets; a tuple is row-major", () => {
    const text = `
  weight w : [(2, (1 | 2))] at "w"
  entry forward(x: [T]) -> (y: [(4 | 2)]) {
    a[h] | b[h] := w[(h,_)]
    c : [4] := b
    d[h] := a[h,0]
    y := (c | d)
  }`;
    expect(runOnce({ text, inputs: { x: [0] }, weights: { w: [1, 2, 3, 4, 5, 6] } })).toEqual([2, 3, 5, 6, 1, 4]);
  });

  test("regrouping keeps row-major order, whatever the axes", () => {
    const text = `
  entry forward(x: [T, 6]) -> (y: [T, 3, 2]) {
    u[t] : [(2, 3)] := x[t]
    v[t] : [(3, 2)] := swap(u[t])
    y[t,i,j] := v[t,(i,j)]
  }`;
    const before = `fn swap(u: [(2, 3)]) -> y: [(3, 2)] { y[(i,j)] := u[(j,i)] }`;
    expect(runOnce({ text, before, inputs: { x: [1, 2, 3, 4, 5, 6] }, calls: [1] })).toEqual([1, 4, 2, 5, 3, 6]);
  });

  test("parentheses on the left may stand in parentheses", () => {
    const text = `
  weight w : [((2, 3), 2)] at "w"
  entry forward(x: [T]) -> (y: [2]) {
    u[((a,b),c)] := w[((a,b),c)] * (a + 1)
    v : [12] := u
    y[c] := sum[i in 6](v[2 * i + c])
  }`;
    const w = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    expect(runOnce({ text, inputs: { x: [0] }, weights: { w } })).toEqual([9 + 2 * 27, 12 + 2 * 30]);
  });

  test("cases choose by literal subscripts, inside parentheses too", () => {
    const text = `
  entry forward(x: [T, 4]) -> (y: [T, 4]) {
    u[t] : [(2, 2)] := x[t]
    r[t] := rot(u[t])
    y := r
  }`;
    const before = `fn rot(x: [(J, 2)]) -> y: [(J, 2)] {
  y[(j,0)] := -x[(j,1)]
  y[(j,1)] := x[(j,0)]
}`;
    expect(runOnce({ text, before, inputs: { x: x4 }, calls: [1] })).toEqual([-2, 1, -4, 3]);
  });
});

describe("reads", () => {
  test("a read outside yields what `else` says", () => {
    const text = `
  entry forward(x: [T, 4]) -> (y: [T, 4]) { y[t,i] := (x[t, i - 1] else 9) + (x[t, i + 1] else 0) }`;
    expect(runOnce({ text, inputs: { x: x4 }, calls: [1] })).toEqual([11, 4, 6, 3]);
  });

  test("a gather from a join splices", () => {
    const text = `
  weight a : [2, 2] at "a"
  weight b : [1, 2] at "b"
  entry forward(ids: [T] in (2 | 1)) -> (y: [T, 2]) { y[t] := (a | b)[ids[t]] }`;
    expect(runOnce({ text, inputs: { ids: [2, 0] }, weights: { a: [1, 2, 3, 4], b: [5, 6] } })).toEqual([5, 6, 1, 2]);
  });

  test("what is read with `else` may leave no restricted axis open", () => {
    const text = `
  weight w : [4] at "w"
  entry forward(x: [T, 2]) -> (y: [2]) {
    a[i in 2, e where e < 2] := w[e] * i
    b[i in 2] := a[i - 1] else 0
    y[i] := sum[e](b[i,e])
  }`;
    expect(() => runOnce({ text, inputs: { x: [1, 2] }, calls: [1], weights: { w: x4 } })).toThrow(ElaborationError);
  });

  test("a restricted value is filled for every index that stays open", () => {
    const text = `
  entry forward(x: [T, 4]) -> (y: [T, 4]) {
    w[t, e in top(x[t], 2)] := x[t,e]
    y[_,e] := w[_,e] else 9
  }`;
    expect(runOnce({ text, inputs: { x: [1, 2, 3, 4, 8, 7, 6, 5] }, calls: [2] })).toEqual([9, 9, 3, 4, 8, 7, 9, 9]);
  });

  test("a value restricted to chosen members is filled by `else` elsewhere", () => {
    const text = `
  entry forward(x: [T, 4]) -> (y: [T, 4]) {
    pick[t] := top(x[t], 2)
    w[t, e in pick[t]] := x[t,e] * 10
    y[t,e] := w[t,e] else 9
  }`;
    expect(runOnce({ text, inputs: { x: [3, 7, 7, 1] }, calls: [1] })).toEqual([9, 70, 70, 9]);
  });
});

describe("sets", () => {
  test("`top` of a restricted row holds only what exists; equal scores: the lower index", () => {
    const text = `
  entry forward(x: [T, 4]) -> (y: [T]) {
    some[t, e where e < 3] := x[t,e]
    y[t] := sum[e in top(some[t], 2)](x[t,e] * (e + 1))
  }`;
    expect(runOnce({ text, inputs: { x: [5, 5, 4, 9] }, calls: [1] })).toEqual([5 * 1 + 5 * 2]);
  });

  test("a list shorter than asked for is not padded with what is not there", () => {
    const text = `
  entry forward(x: [T, 4]) -> (y: [T]) {
    some[t, e where e < 1] := x[t,e]
    y[t] := sum[e in top(some[t], 3)](x[t,e] + 100)
  }`;
    expect(runOnce({ text, inputs: { x: x4 }, calls: [1] })).toEqual([101]);
  });

  test("groups: the best of a group opens it; membership is asked by `in`", () => {
    const text = `
  entry forward(x: [T, 6]) -> (y: [T]) {
    v[t] : [(3, 2)] := x[t]
    rank[t,g] := max[m](v[t,(g,m)])
    best[t] := top(rank[t], 2)
    open[t, e where e div 2 in best[t]] := x[t,e]
    y[t] := sum[e in top(open[t], 3)](x[t,e])
  }`;
    // Groups (1 8) (7 2) (3 6): the first two are open, their three best are 8, 7, 2.
    expect(runOnce({ text, inputs: { x: [1, 8, 7, 2, 3, 6] }, calls: [1] })).toEqual([17]);
  });

  test("argmax takes the first of equals; argmin of the negated row is the same", () => {
    const text = `
  entry forward(x: [T, 4]) -> (y: [T]) { y[t] := argmax[i](x[t,i]) * 10 + argmin[i](-x[t,i]) }`;
    expect(runOnce({ text, inputs: { x: [1, 5, 5, 2] }, calls: [1] })).toEqual([11]);
  });

  test("argmax and argmin look only where their condition holds", () => {
    const text = `
  entry forward(x: [T, 4]) -> (y: [T]) {
    y[t] := argmax[i where i < 2](x[t,i]) * 10 + argmin[i where i >= 1](x[t,i])
  }`;
    expect(runOnce({ text, inputs: { x: x4 }, calls: [1] })).toEqual([11]);
  });

  test("a row that ends at a number that is not whole has the members below it", () => {
    const text = `
  entry forward(x: [T, 4]) -> (y: [T]) {
    some[t, e where e <= x[t,0]] := x[t,e]
    y[t] := sum[e in top(some[t], 4)](x[t,e])
  }`;
    expect(runOnce({ text, inputs: { x: [1.5, 5, 6, 7] }, calls: [1] })).toEqual([6.5]);
  });

  test("a set has no duplicates, by image or written out", () => {
    const text = `
  weight w : [4] in 4 at "w"
  entry forward(x: [T, 4]) -> (y: [T]) {
    pick := { w[j] for j in 4 }
    y[t] := sum[e in pick](x[t,e]) + 100 * sum[e in {3, 1, 3}](x[t,e])
  }`;
    expect(runOnce({ text, inputs: { x: x4 }, calls: [1], weights: { w: [2, 0, 2, 2] } })).toEqual([3 + 1 + 600]);
  });

  test("a row with no member is summed to 0", () => {
    const text = `
  entry forward(x: [T, 2]) -> (y: [T]) {
    none[t, e where e < 0] := x[t,e]
    p[t] := softmax(none[t])
    y[t] := sum[e](p[t,e])
  }`;
    expect(runOnce({ text, before: 'import softmax from "std/softmax"', inputs: { x: [1, 2] }, calls: [1] })).toEqual([
      0,
    ]);
  });
});

describe("joins of restricted rows", () => {
  const before = `import softmax from "std/softmax"
fn two_memories(near: [N], far: [M], pick: set of M, v: [N], u: [M], n: int) -> y: real {
  a[i where i < n] := near[i]
  b[j in pick]     := far[j]
  p | q := softmax((a | b))
  y     := p[i] * v[i] + q[j] * u[j]
}`;

  test("what exists of a join is what exists of its pieces", () => {
    const text = `
  entry forward(x: [T, 4]) -> (y: [T]) {
    a[t, i where i < 2]       := x[t,i]
    b[t, i in top(x[t], 1)]   := x[t,i]
    j[t] := (a[t] | b[t] | x[t])
    y[t] := sum[i](j[t,i])
  }`;
    expect(runOnce({ text, inputs: { x: x4 }, calls: [1] })).toEqual([1 + 2 + 4 + (1 + 2 + 3 + 4)]);
  });

  test("one softmax over a window and over chosen distant rows, taken apart again", () => {
    const text = `
  weight v : [4] at "v"
  weight u : [4] at "u"
  entry forward(x: [T, 4]) -> (y: [T]) {
    z[t,i] := 0 * x[t,i]
    y[t] := two_memories(z[t], z[t], top(x[t], 2), v, u, 2)
  }`;
    const weights = { v: [1, 2, 50, 60], u: [70, 300, 800, 90] };
    // Each of rows 0 and 1 of the window, and of rows 1 and 3 of the others, has a quarter.
    expect(runOnce({ text, before, weights, inputs: { x: [1, 3, 2, 4] }, calls: [1] })).toEqual([
      (1 + 2 + 300 + 90) / 4,
    ]);
  });
});

describe("blocks", () => {
  test("a family indexed at run time is stacked; each member has its own weights", () => {
    const before = `block scale(x: [D]) -> y: [D] { weight w : [D] at "w"  y := w * x }`;
    const text = `
  part s[e in 3] : scale() at "s.{e}"
  entry forward(x: [T, 3]) -> (y: [T, 3]) {
    pick[t] := top(x[t], 1)
    y[t] := sum[e in pick[t]](s[e](x[t]))
  }`;
    // Member 1 is the greatest of (1, 5, 2).
    expect(
      runOnce({
        text,
        before,
        inputs: { x: [1, 5, 2] },
        calls: [1],
        weights: { "s.w": [1, 1, 1, 10, 20, 30, 3, 3, 3] },
      }),
    ).toEqual([10, 100, 60]);
  });

  test("layers of two kinds: runs of equal ones are repeats, in their order", () => {
    const before = `block add(x: [D]) -> y: [D] { param c : real  weight w : [D] at "w"  y := x * c + w }`;
    const text = `
  part layer[l in 4] : add(c: l < 2 ? 1 : 2) at "l.{l}"
  entry forward(x: [T, 1]) -> (y: [T, 1]) {
    h[0] := x
    h[l + 1, t] := layer[l](h[l,t])
    y := h[4]
  }`;
    const run = (weights: Record<string, readonly number[]>) => runOnce({ text, before, inputs: { x: [1] }, weights });
    // ((1 + 1 + 2) * 2 + 3) * 2 + 4
    expect(run({ "layer0.w": [1], "layer1.w": [2], "layer2.w": [3], "layer3.w": [4] })).toEqual([26]);
  });

  test("a default may hang on a parameter that is declared after it", () => {
    const before = `block scaled(x: [D]) -> y: [D] {
  param a : real = b * 2
  param b : real = n + 1
  param n : int = 3
  y := x * a
}`;
    const text = `
  part p : scaled(b: 5)
  part q : scaled()
  entry forward(x: [T, 1]) -> (y: [T, (1 | 1)]) { y[t] := (p(x[t]) | q(x[t])) }`;
    expect(runOnce({ text, before, inputs: { x: [1] } })).toEqual([10, 8]);
  });

  test("a block as a default is refused, with its place", () => {
    const before = `block same(x: [D]) -> y: [D] { y := x }
block around(x: [D]) -> y: [D] {
  param inner : block?(x: [D]) -> y: [D] = same
  if inner != null {
    part i : inner
    y := i(x)
  } else { y := 2 * x }
}`;
    const text = `
  part p : around()
  entry forward(x: [T, 1]) -> (y: [T, 1]) { y[t] := p(x[t]) }`;
    expect(() => runOnce({ text, before, inputs: { x: [1] } })).toThrow(ElaborationError);
  });

  test("layers that differ in a bound that is infinite are not taken for one", () => {
    const before = `block cut(x: [D]) -> y: [D] { param most : real  y := min(x, most) }`;
    const text = `
  weight start : [2] at "start"
  part layer[l in 4] : cut(most: l < 2 ? inf : -inf)
  entry forward(x: [T]) -> (y: [2]) {
    h[0]     := start
    h[l + 1] := layer[l](h[l])
    y[i]     := h[4,i] < 0 ? 1 : 0
  }`;
    expect(runOnce({ text, before, inputs: { x: [1] }, weights: { start: [1, 2] } })).toEqual([1, 1]);
  });

  test("calls with several results inside of each other are looked at once each", () => {
    const depth = 24;
    const step = (k: number) =>
      `fn step${k}(x: [D]) -> (a: [D], b: [D]) { u, v := step${k - 1}(x)  a := u + v  b := u - v }`;
    const before = [
      "fn step0(x: [D]) -> (a: [D], b: [D]) { a := x  b := 2 * x }",
      ...Array.from({ length: depth }, (_, i) => step(i + 1)),
    ].join("\n");
    const text = `
  entry forward(x: [T, 1]) -> (y: [T, 1]) {
    a[t], b[t] := step${depth}(x[t])
    y := a + b
  }`;
    // Two steps double both.
    expect(runOnce({ text, before, inputs: { x: [1] } })).toEqual([3 * 2 ** (depth / 2)]);
  });

  test("a scalar parameter lifts over open axes; a shared argument is computed once", () => {
    const before = `fn twice(x: real) = x + x`;
    const text = `
  weight w : [2, 2] at "w"
  entry forward(x: [T, 2]) -> (y: [T, 2]) { y[t] := twice(w[_,i] * x[t,i]) }`;
    expect(runOnce({ text, before, inputs: { x: [1, 2] }, calls: [1], weights: { w: [1, 0, 1, 1] } })).toEqual([2, 6]);
  });

  test("rows of a recurrence may be read as a whole, and at an index", () => {
    const text = `
  entry forward(x: [T, 2]) -> (y: [T, 2]) {
    h[0] := x
    h[k + 1 in 3, t, i] := h[k,t,i] * 2
    g := h + 1
    y[t,i] := sum[k](h[k,t,i]) + 100 * g[2,t,i]
  }`;
    expect(runOnce({ text, inputs: { x: [1, 10] }, calls: [1] })).toEqual([7 + 500, 70 + 4100]);
  });

  test("a recurrence along another axis than the first is chosen by its position", () => {
    const text = `
  entry forward(x: [T, 3]) -> (y: [T, 3]) {
    c[t,0] := x[t,0]
    c[t, k + 1 in 3] := c[t,k] + x[t, k + 1]
    y := c
  }`;
    expect(runOnce({ text, inputs: { x: [1, 10, 100] }, calls: [1] })).toEqual([1, 11, 111]);
  });
});

describe("memory", () => {
  const before = `block remember(x: [T], pos: [T] in S) -> y: [T] {
  state seen : [S]
  seen[pos[t]] <- x[t]
  past[t, s where s <= pos[t]] := seen[s]
  y[t] := sum[s](past[t,s]) + pos[t] * 1000
}`;
  const text = `
  part r : remember()
  entry forward(x: [T], pos: [T] in S) -> (y: [T]) { y := r(x, pos) }`;

  test("a token sees what came before it and itself, however the prompt is cut", () => {
    const expected = [1, 1003, 2006, 3010];
    expect(runText({ text, before, inputs: { x: x4 }, calls: [4] }).flat()).toEqual(expected);
    expect(runText({ text, before, inputs: { x: x4 }, calls: [1, 2, 1] }).flat()).toEqual(expected);
  });

  test("a state is of the type that is declared, whatever is written", () => {
    const typed = before.replace("seen : [S]", "seen : [S] f64");
    expect(runText({ text, before: typed, inputs: { x: [0.5, 2] }, calls: [1, 1] }).flat()).toEqual([0.5, 1002.5]);
    const truth = `block signs(x: [T], pos: [T] in S) -> y: [T] {
  state positive : [S] bool
  positive[pos[t]] <- x[t] > 0
  past[t, s where s <= pos[t]] := positive[s] ? 1 : 10
  y[t] := sum[s](past[t,s])
}`;
    const call = text.replace("remember()", "signs()");
    expect(runText({ text: call, before: truth, inputs: { x: [1.5, -2] }, calls: [1, 1] }).flat()).toEqual([1, 11]);
  });

  test("a call with several results writes once", () => {
    const several = before
      .replace("-> y: [T]", "-> (y: [T], most: [T])")
      .replace("y[t] :=", "most[t] := max[s](past[t,s])\n  y[t] :=");
    const both = text.replace("y := r(x, pos)", "a, b := r(x, pos)\n y := a + 100 * b");
    expect(runText({ text: both, before: several, inputs: { x: [2, 1] }, calls: [1, 1] }).flat()).toEqual([202, 1203]);
  });

  test("a part with memory that is called twice is refused, with its place", () => {
    const twice = text.replace("y := r(x, pos)", "y := r(r(x, pos), pos)");
    expect(() => runText({ text: twice, before, inputs: { x: x4 }, calls: [4] })).toThrow(ElaborationError);
  });

  test("a state that nobody reads is remembered all the same", () => {
    const unread = before.replace(/past.*\n/, "").replace(/y\[t\] := .*\n/, "y := x\n");
    expect(runText({ text, before: unread, inputs: { x: x4 }, calls: [2, 2] })).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test("a write under a condition is refused, with its place", () => {
    const refused = before.replace("<- x[t]", "<- x[t] where x[t] > 0").replace(":= seen[s]", ":= seen[s] else 0");
    let error: unknown = null;
    try {
      runText({ text, before: refused, inputs: { x: x4 }, calls: [4] });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ElaborationError);
    const { span } = error as ElaborationError;
    expect(span.source.text.slice(span.start, span.end)).toContain("seen[pos[t]] <-");
  });
});

describe("numbers", () => {
  test("casts round to the format; a cast to an integer says what the number is", () => {
    const text = `
  entry forward(x: [T]) -> (y: [T]) { y[t] := (x[t] as e4m3) + (x[t] as bf16) / 1000000 }`;
    const [a] = runOnce({ text, inputs: { x: [1.0625, 1.0625] }, calls: [2] });
    expect(a).toBeCloseTo(1 + 1.0625e-6, 12);
  });

  test("sizes are numbers; division of sizes in an expression is real", () => {
    const text = `
  entry forward(x: [T]) -> (y: [T]) { y[t] := x[t] * (D / 4) + D^-0.5 + (D div 4) }`;
    const fields = "D : dim = $.d";
    expect(runOnce({ text, fields, config: { d: 16 }, inputs: { x: [1] } })).toEqual([4 + 0.25 + 4]);
    expect(runOnce({ text, fields, config: { d: 25 }, inputs: { x: [1] } })[0]).toBeCloseTo(6.25 + 0.2 + 6, 12);
  });

  test("what is cast to i64 is computed with 64 bits wherever it stands", () => {
    const text = `
  weight w : [7] at "w"
  entry forward(ids: [T] in 1000000) -> (y: [T]) { y[t] := w[((ids[t] as i64) * 1000003 xor 7) mod 7] }`;
    const expected = [123456n, 999999n].map((id) => Number(((id * 1000003n) ^ 7n) % 7n));
    expect(runOnce({ text, inputs: { ids: [123456, 999999] }, weights: { w: [0, 1, 2, 3, 4, 5, 6] } })).toEqual(
      expected,
    );
  });

  test("what is divided by a size of the call is a real number", () => {
    const text = `
  entry forward(x: [T]) -> (y: [T]) { y[t] := x[t] * (T / 2) + (1 - 1 / T) * 10 - (T * 4 / 2) }`;
    expect(runOnce({ text, inputs: { x: [1, 2, 3, 4, 5] } })).toEqual([0.5, 3, 5.5, 8, 10.5]);
  });

  test("whole numbers beyond 2^53 stay exact, known when compiling or not", () => {
    const text = `
  entry forward(ids: [T] in 8) -> (y: [T]) {
    a[t] := ((ids[t] as i64) * 9007199254740993) mod 1000
    y[t] := a[t] + 1000 * ((9007199254740993 * 3) mod 1000) + 1000000 * (-9007199254740993 mod 10)
  }`;
    expect(runOnce({ text, inputs: { ids: [3] } })).toEqual([979 + 979_000 + 7_000_000]);
  });

  test("each list of the config is a table of its own", () => {
    const text = `
  entry forward(x: [T]) -> (y: [T, 3]) { y[t,i] := a[i] * x[t] + b[i] * a[i] }`;
    const fields = "a : [3] int = $.a\n b : [3] int = $.b";
    const config = { a: [1, 2, 3], b: [10, 20, 30] };
    expect(runOnce({ text, fields, config, inputs: { x: [5] } })).toEqual([15, 50, 105]);
  });

  test("a condition that fails behind a recursion is refused, with its place", () => {
    const before = `fn folded(x: [N]) -> y: [1] {
  if N == 1 { y := x } else {
    require N mod 2 == 0
    v : [(2, N / 2)] := x
    z[j] := v[(0,j)] + v[(1,j)]
    y := folded(z)
  }
}`;
    const text = (n: number): string => `
  entry forward(x: [T, ${n}]) -> (y: [T, 1]) { y[t] := folded(x[t]) }`;
    const inputs = { x: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048] };
    expect(runOnce({ text: text(4), before, inputs: { x: x4 }, calls: [1] })).toEqual([x4.reduce((n, x) => n + x)]);
    let error: unknown;
    try {
      runOnce({ text: text(12), before, inputs, calls: [1] });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ElaborationError);
    expect(spanText((error as ElaborationError).span)).toBe("N mod 2 == 0");
  });

  test("a choice between sets is refused, with its place", () => {
    const text = `
  entry forward(x: [T, 4]) -> (y: [T]) {
    p[t] := x[t,0] > 0 ? top(x[t], 2) : top(x[t], 1)
    y[t] := sum[i in p[t]](x[t,i])
  }`;
    expect(() => runOnce({ text, inputs: { x: x4 }, calls: [1] })).toThrow(ElaborationError);
  });

  test("a cast to a shorter integer wraps", () => {
    const text = `
  entry forward(n: [T] i32) -> (y: [T]) {
    y[t] := (n[t] as u8) + 1000 * (n[t] as i8) + 1000000 * (((n[t] as i64) * 4294967296 + 1) as i32)
  }`;
    expect(runOnce({ text, inputs: { n: [300, -1] } })).toEqual([44 + 44_000 + 1_000_000, 255 - 1000 + 1_000_000]);
  });

  test("a part from the beginning of a value is not the whole of it", () => {
    const text = `
  entry forward(x: [T, 4]) -> (y: [T, 3]) {
    s[t] : [(3 | 1)] := x[t]
    a[t] | b[t] := s[t]
    y := a
  }`;
    expect(runOnce({ text, inputs: { x: [1, 2, 3, 4] }, calls: [1] })).toEqual([1, 2, 3]);
  });
});
