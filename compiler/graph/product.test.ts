import { describe, expect, test } from "vitest";
import { affineKey, affineOf } from "./affine.ts";
import { Builder } from "./builder.ts";
import type { Fold, FoldStep, Scalar } from "./node.ts";
import { factors, mastersOf, productFrom } from "./product.ts";
import { add, axis, call, dimValue, key, mul, name, num, read } from "./scalar.ts";

const [x, y, l] = [name("x"), name("y"), name("l")];
const div = (a: Scalar, b: Scalar): Scalar => call("div", a, b);
const sub = (a: Scalar, b: Scalar): Scalar => call("sub", a, b);

describe("factors", () => {
  test("a division is a factor 1/x, gathered again at the end", () => {
    const product = mul(div(x, l), y);
    expect(factors(product).map((f) => key(f))).toEqual(["x", "div(1,l)", "y"]);
    expect(key(productFrom(factors(product)))).toBe("div(mul(x,y),l)");
    expect(key(productFrom(factors(div(num(1), l))))).toBe("div(1,l)");
    expect(productFrom([])).toEqual(num(1));
  });
});

describe("mastersOf", () => {
  const s = axis("s", "S");
  const a = read(new Builder().input("a", ["S"]), [name("s")]);
  const fold = (...steps: readonly FoldStep[]): Fold => ({ kind: "fold", axis: s, where: null, steps, result: num(0) });
  const max: FoldStep = { how: "max", name: "m", body: a };
  const shifted = call("exp", sub(a, name("m")));

  test("factors exp(x - m) of a running max, each counted", () => {
    const f = fold(max);
    expect(mastersOf(f, mul(shifted, y))).toEqual(["m"]);
    expect(mastersOf(f, mul(shifted, shifted))).toEqual(["m", "m"]);
    expect(mastersOf(f, y)).toEqual([]);
  });
  test("any other use is refused", () => {
    const f = fold(max);
    for (const body of [
      add(a, name("m")),
      div(y, shifted),
      add(shifted, num(1)),
      call("exp", sub(name("m"), name("m"))),
    ]) {
      expect(mastersOf(f, body)).toBeNull();
    }
    expect(mastersOf(fold({ how: "sum", name: "m", body: a }), shifted)).toBeNull();
  });
  test("a let does not hide what it uses", () => {
    const f = fold(max, { how: "let", name: "p", body: shifted }, { how: "let", name: "q", body: add(name("m"), a) });
    expect(mastersOf(f, mul(name("p"), y))).toEqual(["m"]);
    expect(mastersOf(f, mul(name("q"), y))).toBeNull();
  });
});

describe("affine form", () => {
  const [i, u] = [name("i"), name("u")];
  test("one text for one form", () => {
    const e = sub(add(mul(num(2), i), num(1)), u);
    expect(affineKey(e)).toBe(affineKey(add(sub(num(1), u), add(i, i))));
    expect(affineKey(e)).not.toBe(affineKey(add(e, num(1))));
    expect(affineKey(sub(i, i))).toBe(affineKey(num(0)));
  });
  test("sizes are coefficients, everything else an atom", () => {
    const { terms, constant } = affineOf(add(mul(i, dimValue("K")), add(mul(i, u), dimValue("S"))));
    expect([...terms].map(([k, t]) => [k, t.coefficient.key])).toEqual([
      ["i", "1*$K"],
      ["mul(i,u)", "1"],
    ]);
    expect(constant.key).toBe("1*$S");
  });
});
