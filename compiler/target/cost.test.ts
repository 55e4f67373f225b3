import { describe, expect, test } from "vitest";
import { Builder } from "../graph/builder.ts";
import { printDim } from "../graph/dim.ts";
import type { Node, Scalar } from "../graph/node.ts";
import { add, axis, call, mul, name, num, read, reduce } from "../graph/scalar.ts";
import { bytes, expectedDistinct, flops, flopsAt, isSorted, readElements, tiledFlops, timeOf } from "./cost.ts";
import { cpu, exampleTargets, gpu } from "./example-targets.ts";

const at = (n: Node, ...xs: readonly (string | Scalar)[]): Scalar =>
  read(
    n,
    xs.map((x) => (typeof x === "string" ? name(x) : x)),
  );
const [t, l, d, p] = [axis("t", "T"), axis("l", "L"), axis("d", "D"), axis("p", "P")];
const b = new Builder();
const [x, w] = [b.input("x", ["T", "D"]), b.weight("w", ["L", "D"], "e4m3")];
const product = b.map("y", [t, l], reduce("sum", [d], mul(at(x, "t", "d"), at(w, "l", "d"))));

describe("flops", () => {
  test("a contraction multiplies and adds at each point", () => {
    expect(printDim(flops(product))).toBe("2*D*L*T");
    expect(flopsAt(product, { T: 2, L: 3, D: 5 })).toBe(60);
  });
  test("what does not depend on an index is computed once for all of it, and equal expressions once", () => {
    const e = call("exp", at(x, "t", "d"));
    const n = b.map("n", [t, l, d], mul(add(e, e), at(w, "l", "d")));
    // exp and its doubling at T·D points, the product at T·L·D
    expect(flopsAt(n, { T: 2, L: 3, D: 5 })).toBe(10 * (8 + 1) + 30);
  });
  test("once a tile of outputs where a work unit holds no more", () => {
    const n = b.map("m", [t, l], call("exp", at(x, "t", num(0))));
    expect(tiledFlops(n, { T: 2, L: 1024 }, { ...gpu, tile: 512 })).toBe(2 * 8 * 2);
    expect(tiledFlops(n, { T: 2, L: 1024 }, { ...gpu, tile: 1024 })).toBe(2 * 8);
  });
  test("steps of a fold count at the points of its axis, its result at those of the node", () => {
    const steps = [
      { how: "let", name: "a", body: call("exp", at(x, "t", "d")) },
      { how: "sum", name: "z", body: mul(name("a"), name("a")) },
    ] as const;
    const n = b.map("f", [t], { kind: "fold", axis: d, where: null, steps, result: call("sqrt", name("z")) });
    expect(flopsAt(n, { T: 2, D: 5 })).toBe(10 * (8 + 1 + 1) + 2 * 4);
  });
});

describe("bytes", () => {
  const sizes = { T: 4, L: 3, D: 5, P: 100 };
  const extent = (n: string): number => ({ t: 4, l: 3, d: 5, p: 100 })[n] ?? 1;
  test("a read moves no more than the tensor holds; two reads of the same elements count once", () => {
    expect(bytes(product, sizes)).toBe(4 * 20 + 15 + 4 * 12);
    const twice = b.map("twice", [t, d], mul(at(x, "t", "d"), at(x, add(name("t"), num(0)), "d")));
    expect(bytes(twice, sizes)).toBe(4 * 20 + 4 * 20);
  });
  test("through indices a row a point; through sorted ones the rows that are hit at all", () => {
    const keys = b.input("keys", ["P"], "i32");
    const order = b.argsort("order", p, at(keys, "p"));
    const sorted = b.map("sorted", [p], at(keys, at(order, "p")), "i32");
    expect([isSorted(sorted), isSorted(b.map("copy", [p], at(keys, "p"), "i32")), isSorted(x)]).toEqual([
      true,
      false,
      false,
    ]);
    const through = (n: Node) => at(w, at(n, "p"), "d");
    const moved = [keys, sorted].map((n) => {
      const r = through(n);
      return r.kind === "read" ? readElements(r, extent, sizes) : 0;
    });
    expect(moved[0]).toBe(500);
    expect(moved[1]).toBeCloseTo(5 * expectedDistinct(3, 100), 9);
    expect(expectedDistinct(256, 8)).toBeCloseTo(7.89, 2);
  });
});

test("a kernel takes its launch and the slower of arithmetic and memory", () => {
  const sizes = { T: 1, L: 4096, D: 4096 };
  const memory = bytes(product, sizes) / gpu.bytesPerSecond;
  expect(timeOf(product, sizes, gpu)).toBeCloseTo(memory + gpu.launchSeconds, 12);
  expect(timeOf(product, { ...sizes, T: 65536 }, gpu)).toBeGreaterThan(4 * memory);
  expect([...exampleTargets.values()]).toEqual([gpu, cpu]);
});
