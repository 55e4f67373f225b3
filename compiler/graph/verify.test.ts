import { describe, expect, test } from "vitest";
import { Builder } from "./builder.ts";
import { addDim, type Dim, subDim } from "./dim.ts";
import type { Append, Axis, DType, FoldStep, Graph, Node, Scalar, SizeRange } from "./node.ts";
import { add, axis, call, dimValue, mul, name, num, read, reduce } from "./scalar.ts";
import { printProblem, verify } from "./verify.ts";

const sizes = new Map<string, SizeRange>([
  ["D", { low: 4, high: 4 }],
  ["E", { low: 1, high: 9 }],
  ["S0", { low: 0, high: 99 }],
  ["T", { low: 1, high: 50 }],
]);
const S = addDim("S0", "T");
const graph = (results: readonly Node[], effects: readonly Append[] = []): Graph => ({
  name: "g",
  sizes,
  results,
  effects,
});
const problems = (g: Graph): string =>
  verify(g)
    .map((p) => `${p.rule} ${printProblem(p)}`)
    .join("; ");
const t = axis("t", "T");
const [i, s] = [name("t"), name("s")];
const sub = (a: Scalar, b: Scalar): Scalar => call("sub", a, b);

/** Problems of y[t] = body, where body may read x: [T]. */
function of(body: (x: Node, b: Builder) => Scalar, dtype: DType = "f32", domain: readonly Axis[] = [t]): string {
  const b = new Builder();
  return problems(graph([b.map("y", domain, body(b.input("x", ["T"]), b), dtype)]));
}

describe("1: names", () => {
  test("free", () => expect(of((x) => read(x, [name("q")]))).toBe("1 %y: q is not bound"));
  test("free below a reduction of that name", () => {
    expect(of((x) => add(reduce("sum", [axis("s", "T")], read(x, [s])), read(x, [s])))).toMatch("1 %y: s is not bound");
  });
  test("shadowing", () => {
    expect(of((x) => reduce("sum", [axis("t", "T")], read(x, [i])))).toBe("1 %y: t is bound twice");
  });
  test("one binder, one name twice", () => {
    expect(of((x) => reduce("sum", [axis("s", "T"), axis("s", "T")], read(x, [s])))).toMatch("binds a name twice");
    expect(of((x) => read(x, [i]), "f32", [t, t])).toMatch("1 %y: binds an index twice");
  });
  test("a reduction over no axis", () => {
    expect(of(() => ({ kind: "reduce", monoid: "sum", axes: [], where: null, body: num(1) }))).toBe(
      "1 %y: sum has no axis",
    );
  });
  test("siblings may share one", () => {
    const part = (x: Node): Scalar => reduce("sum", [axis("s", "T")], read(x, [s]));
    expect(of((x) => mul(part(x), call("exp", part(x))))).toBe("");
  });
});

describe("2: reads", () => {
  test("rank", () => expect(of((x) => read(x, [i, i]))).toBe("2 %y: %x has 1 axes and is read with 2 indices"));
  test("whole", () => {
    expect(of((x) => read(x, [call("div", i, num(2))]))).toBe("2 %y: index 0 of %x is no whole number");
    expect(of((x) => read(x, [call("floor", call("div", i, num(2)))]))).toBe("");
    expect(of((x, b) => read(x, [read(b.input("w", ["T"]), [i])]))).toMatch("no whole number");
    expect(of((x, b) => read(x, [read(b.input("w", ["T"], "i32"), [i])]))).toBe("");
  });
  test("range", () => {
    expect(of((x) => read(x, [add(i, num(1))]))).toBe("2 %y: index 0 of %x reaches 1..T, its size is T");
    expect(of((x) => read(x, [sub(i, num(1))]))).toMatch("reaches -1..T - 2");
    expect(of((x) => read(x, [sub(dimValue("T"), i)]))).toMatch("reaches 1..T");
    expect(of((x) => read(x, [sub(dimValue(subDim("T", 1)), i)]))).toBe("");
    expect(of((_, b) => read(b.input("w", ["D"]), [num(4)]))).toMatch("reaches 4..4");
    expect(of((_, b) => read(b.input("w", ["E"]), [num(4)]))).toBe("");
    expect(of((x) => read(x, [dimValue("T")]))).toMatch("reaches T..T");
  });
  test("what may be in range is not refused", () => {
    expect(of((x) => read(x, [call("mod", i, dimValue("E"))]))).toBe("");
    expect(of((_, b) => read(b.input("w", ["D"]), [call("mod", name("d"), num(8))]), "f32", [axis("d", "D")])).toBe("");
    expect(of((_, b) => read(b.input("w", ["D"]), [call("mod", name("d"), num(8))]), "f32", [axis("d", 9)])).toBe("");
    const diagonal = sub(add(i, name("u")), name("u"));
    expect(of((x) => read(x, [diagonal]), "f32", [t, axis("u", "T")])).toBe("");
  });
  test("floordiv and min keep the ends", () => {
    const halves = (size: Dim): string =>
      of((x) => read(x, [call("floordiv", name("p"), num(2))]), "f32", [axis("p", size)]);
    expect(halves(addDim("T", "T"))).toBe("");
    expect(halves(addDim(addDim("T", "T"), 1))).toMatch("reaches 0..T");
    expect(of((x) => read(x, [call("minimum", i, num(3))]))).toBe("");
    expect(of((x) => read(x, [call("maximum", i, dimValue("T"))]))).toMatch("reaches max(0, T)..max(T - 1, T)");
  });
  test("a select guards both of its branches", () => {
    const joined = axis("c", addDim("D", "T"));
    const [c, first] = [name("c"), call("lt", name("c"), dimValue("D"))];
    const concat = (shift: Scalar, swap = false): string =>
      of(
        (x, b) => {
          const [left, right] = [read(b.input("w", ["D"]), [c]), read(x, [sub(c, shift)])];
          return swap ? call("select", call("not", first), right, left) : call("select", first, left, right);
        },
        "f32",
        [joined],
      );
    expect(concat(dimValue("D"))).toBe("");
    expect(concat(dimValue("D"), true)).toBe("");
    expect(concat(num(3))).toMatch("index 0 of %x reaches D - 3..D + T - 4");
    expect(of((x) => call("select", call("lt", i, num(0)), read(x, [add(i, num(1))]), num(0)))).toBe("");
  });
  test("a branch that no point takes", () => {
    expect(of((x) => call("select", call("lt", i, num(-3)), read(x, [add(i, num(9))]), num(0)))).toBe("");
  });
  test("a where guards the body, a first operand the second", () => {
    const shifted = (where: Scalar | null): string =>
      of((x) => reduce("sum", [axis("s", 3)], read(x, [sub(i, s)]), where));
    expect(shifted(null)).toMatch("reaches -2..T - 1");
    expect(shifted(call("le", s, i))).toBe("");
    expect(of((x) => call("and", call("lt", num(0), i), read(x, [sub(i, num(1))])))).toBe("");
    expect(of((x) => call("and", call("le", num(0), i), read(x, [sub(i, num(1))])))).toMatch("reaches -1");
  });
  test("a guard that may cut the end off, or not", () => {
    const cut = (guard: Scalar): string =>
      of((_, b) => call("select", guard, read(b.input("w", [addDim("T", 4)]), [name("c")]), num(0)), "f32", [
        axis("c", addDim("T", 5)),
      ]);
    expect(cut(call("lt", name("c"), dimValue("E")))).toBe("");
    expect(cut(call("lt", name("c"), dimValue(addDim("T", 9))))).toMatch("reaches 0..T + 4");
  });
  test("a guard on sizes alone may hold or not", () => {
    expect(
      of((_, b) => call("select", call("lt", num(9), dimValue("T")), read(b.input("w", ["D"]), [i]), num(0))),
    ).toBe("");
  });
  test("the index of a loop", () => {
    const b = new Builder();
    const x = b.input("x", ["T"]);
    const { carry, index } = b.loop("h", x.type);
    const w = b.weight("w", ["D"]);
    const body = b.map("y", [t], mul(read(carry, [i]), read(w, [read(index, [])])));
    const times = (count: number): string => problems(graph([b.repeat("r", { count, init: x, carry, index, body })]));
    expect(times(4)).toBe("");
    expect(times(0)).toBe("");
    expect(times(5)).toMatch("2 %y: index 0 of %w reaches 0..4");
  });
});

describe("3: folds", () => {
  const a = (x: Node): Scalar => read(x, [s]);
  const fold = (steps: (x: Node) => readonly FoldStep[], result: Scalar): string =>
    of((x) => ({ kind: "fold", axis: axis("s", "T"), where: null, steps: steps(x), result }));
  const shifted = (x: Node): Scalar => call("exp", sub(a(x), name("m")));
  const max = (x: Node): FoldStep => ({ how: "max", name: "m", body: a(x) });

  test("a shift by a running maximum", () => {
    expect(fold((x) => [max(x), { how: "sum", name: "l", body: shifted(x) }], name("l"))).toBe("");
  });
  test("any other use", () => {
    const wrong = "cannot be rescaled";
    expect(fold((x) => [max(x), { how: "sum", name: "l", body: add(name("m"), a(x)) }], name("l"))).toMatch(wrong);
    expect(fold((x) => [max(x), { how: "max", name: "l", body: shifted(x) }], name("l"))).toMatch(wrong);
    expect(
      fold(
        (x) => [
          { how: "min", name: "m", body: a(x) },
          { how: "sum", name: "l", body: shifted(x) },
        ],
        name("l"),
      ),
    ).toMatch(wrong);
  });
  test("order", () => {
    const later = "step l uses m, which comes later";
    expect(fold((x) => [{ how: "sum", name: "l", body: shifted(x) }, max(x)], name("l"))).toMatch(later);
    expect(fold((x) => [{ how: "let", name: "l", body: add(name("l"), a(x)) }], num(0))).toMatch("step l uses l");
  });
  test("the result", () => {
    expect(fold((x) => [max(x)], s)).toMatch("the result uses s");
    expect(fold((x) => [{ how: "let", name: "m", body: a(x) }], name("m"))).toMatch("the result uses m");
  });
  test("in 64 bit", () => {
    const wide = (b: Builder): Scalar => read(b.input("n", ["T"], "i64"), [s]);
    expect(
      of((_, b) => ({
        kind: "fold",
        axis: axis("s", "T"),
        where: null,
        steps: [{ how: "sum", name: "n", body: wide(b) }],
        result: name("n"),
      })),
    ).toMatch("step n is an i64");
  });
});

describe("4: repeats", () => {
  const build = () => {
    const b = new Builder();
    const x = b.input("x", ["T"]);
    const { carry, index } = b.loop("h", x.type);
    const body = b.map("y", [t], add(read(carry, [i]), read(index, [])));
    const r = b.repeat("r", { count: 2, init: x, carry, index, body });
    return { b, x, carry, index, body, r };
  };
  test("well formed", () => expect(problems(graph([build().r]))).toBe(""));
  test("a carry without its repeat", () => {
    const { b, carry, index } = build();
    expect(problems(graph([b.map("z", [t], read(carry, [i]))]))).toMatch("4 %h: stands outside of its repeat");
    expect(problems(graph([b.map("z", [], read(index, []))]))).toMatch("4 %layer: stands outside of its repeat");
  });
  test("a result, or a use, of what lies inside", () => {
    const { b, body, r } = build();
    expect(problems(graph([r, body]))).toMatch("4 %y: is a result, and lies inside a repeat");
    const outside = b.map("z", [t], add(read(r, [i]), read(body, [i])));
    expect(problems(graph([outside]))).toMatch("4 %z: uses %y, which lies inside the repeat %r");
  });
  test("a loop inside of a loop sees both", () => {
    const { b, x, carry } = build();
    const { carry: inner, index } = b.loop("g", x.type);
    const body = b.map("z", [t], add(read(carry, [i]), read(inner, [i])));
    const deep = b.repeat("deep", { count: 2, init: x, carry: inner, index, body });
    const other = build();
    const outer = b.repeat("outer", { count: 2, init: x, carry, index: other.index, body: deep });
    expect(problems(graph([outer]))).toBe("");
    expect(problems(graph([deep]))).toMatch("4 %h: stands outside of its repeat");
  });
  test("two repeats on one carry", () => {
    const { b, x, carry, index, r } = build();
    const body = b.map("z", [t], mul(read(carry, [i]), read(r, [i])));
    expect(problems(graph([b.repeat("q", { count: 2, init: x, carry, index, body })]))).toMatch("shares %h with");
  });
  test("types", () => {
    const { b, carry, index, body } = build();
    const init = b.input("z", ["D"]);
    expect(problems(graph([b.repeat("q", { count: 2, init, carry, index, body })]))).toMatch(
      "4 %q: %z and %y have different types",
    );
  });
});

test("5: equal nodes are one", () => {
  const node = (b: Builder, n: string): Node => b.map("y", [axis(n, "T")], read(b.input("x", ["T"]), [name(n)]));
  const [one, two] = [new Builder(), new Builder()];
  expect(problems(graph([node(one, "t"), node(one, "u")]))).toBe("");
  expect(problems(graph([node(one, "t"), node(two, "u")]))).toMatch("5 %x: an equal node exists");
});

describe("6: appends", () => {
  const build = (parts: { dtype?: DType; row?: number; remembered?: Dim; at?: Scalar } = {}) => {
    const b = new Builder();
    const state = b.state("k", [2, "S0", "D"], parts.dtype ?? "f32");
    const rows = b.input("rows", ["T", parts.row ?? "D"]);
    const node = b.append("all", state, [parts.at ?? num(0)], rows, parts.remembered ?? S);
    return { b, state, rows, node };
  };
  const alone = (parts: Parameters<typeof build>[0]): string => {
    const { node } = build(parts);
    return problems(graph([node], [node]));
  };
  test("well formed", () => expect(alone({})).toBe(""));
  test("dtype", () => expect(alone({ dtype: "bf16" })).toMatch("6 %all: rows are f32, %k is bf16"));
  test("shape", () => expect(alone({ row: 3 })).toMatch("6 %all: rows of %rows do not fit %k"));
  test("rows", () => expect(alone({ remembered: addDim(S, 1) })).toMatch("remembers S0 + T + 1 rows, not S0 + T"));
  test("place", () => {
    expect(alone({ at: num(2) })).toMatch("2 %all: index 0 of %k reaches 2..2");
    const { b, state, node } = build();
    const other = b.append("other", state, [num(0)], b.input("more", ["T", "D"]), S);
    expect(problems(graph([node, other], [node, other]))).toMatch("another append writes to this place");
  });
  test("leading indices", () => {
    const b = new Builder();
    const state = b.state("k", ["S0", "S0"]);
    const [one, two] = [
      b.append("a", state, [], b.input("rows", ["T", "S0"]), S),
      b.append("b", state, [num(0)], b.input("x", ["T"]), S),
    ];
    expect(problems(graph([one, two], [one, two]))).toMatch("another number of leading indices");
    const many = b.append("d", b.state("e", ["S0"]), [num(0), num(0)], b.input("x", ["T"]), S);
    expect(problems(graph([many], [many]))).toMatch("2 %d: %e has no axis 1");
    const flat = b.append("c", b.state("f", ["D"]), [num(0)], b.input("x", ["T"]), S);
    expect(problems(graph([flat], [flat]))).toMatch("has no axis of rows");
  });
  test("effects", () => {
    const { node } = build();
    expect(problems(graph([node]))).toBe("6 %all: is no effect of the graph");
    expect(problems(graph([node], [node, node]))).toBe("6 %all: is listed as an effect twice");
  });
  test("inside of a repeat", () => {
    const b = new Builder();
    const x = b.input("x", ["T", "D"]);
    const { carry, index } = b.loop("h", x.type);
    const append = (at: Scalar): Append => b.append("all", b.state("k", [2, "S0", "D"]), [at], carry, S);
    const loop = (at: Scalar, effects: readonly Append[]): Node =>
      b.repeat("r", {
        count: 2,
        init: x,
        carry,
        index,
        body: b.map("y", [t, axis("d", "D")], read(append(at), [i, name("d")])),
        effects,
      });
    const layer = read(index, []);
    expect(problems(graph([loop(layer, [append(layer)])]))).toBe("");
    expect(problems(graph([loop(layer, [])]))).toBe("6 %all: is no effect of %r");
    expect(problems(graph([loop(num(1), [append(num(1))])]))).toBe(
      "6 %all: writes the same place in every round of %r",
    );
  });
});

test("7: a state shows its old rows", () => {
  const [row, old] = [axis("s", S), call("lt", s, dimValue("S0"))];
  const of7 = (body: (state: Node, b: Builder) => Scalar, domain: readonly Axis[]): string => {
    const b = new Builder();
    return problems(graph([b.map("y", domain, body(b.state("k", ["S0"]), b))]));
  };
  expect(of7((k) => read(k, [s]), [axis("s", "S0")])).toBe("");
  expect(of7((k) => call("select", old, read(k, [s]), num(0)), [row])).toBe("");
  expect(of7((k) => read(k, [call("minimum", s, num(0))]), [row])).toMatch(
    "7 %y: index 0 of the state %k is not proved",
  );
  expect(of7((k) => read(k, [num(0)]), [])).toMatch("7 %y");
  expect(of7((k, b) => read(k, [read(b.input("pick", ["T"], "i32"), [i])]), [t])).toBe("");
});

describe("8: sizes", () => {
  test("declared", () => {
    const b = new Builder();
    expect(problems(graph([b.input("x", ["Q"])]))).toBe("8 %x: size Q is not declared");
    expect(problems(graph([b.map("y", [], reduce("sum", [axis("s", "Q")], num(1)))]))).toBe(
      "8 %y: size Q is not declared",
    );
    expect(problems(graph([b.map("y", [], dimValue("Q"))]))).toBe("8 %y: size Q is not declared");
  });
  test("bounds", () => {
    const with_ = (low: number, high: number): string =>
      problems({ ...graph([]), sizes: new Map([["T", { low, high }]]) });
    expect(with_(1, Number.POSITIVE_INFINITY)).toBe("");
    for (const [low, high] of [
      [2, 1],
      [-1, 3],
      [0.5, 2],
      [Number.NaN, 2],
    ] as const) {
      expect(with_(low, high)).toMatch("8 graph: size T in");
    }
    expect(problems({ ...graph([]), sizes: new Map([["a b", { low: 1, high: 1 }]]) })).toMatch(
      "8 graph: a b is no name",
    );
  });
});

test("9: whole numbers and arguments", () => {
  expect(of((x) => read(x, [i]), "i32")).toBe("9 %y: is i32, its body is no whole number");
  expect(of((x) => call("floor", read(x, [i])), "i32")).toBe("");
  expect(of((x) => call("lt", read(x, [i]), num(1)), "bool")).toBe("");
  expect(of((x) => ({ kind: "call", fn: "exp", args: [read(x, [i]), num(1)] }))).toMatch(
    "9 %y: exp has 1 arguments, not 2",
  );
});
