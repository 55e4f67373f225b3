import { expect, test } from "vitest";
import { type Elem, typeOf } from "./elem.ts";
import { constant, floorDiv, floorMod, load, sign } from "./expr.ts";
import { type Data, interpret, newData } from "./interpret.ts";
import type { Expr } from "./kernel.ts";

/** y[i] = value(x[i]) for one lane of an elem. */
function results(elem: Elem, x: readonly number[], value: (x: Expr) => Expr): Data {
  const [xs, y] = [newData(elem, x.length), newData(elem, x.length)];
  xs.set(x);
  const i: Expr = { kind: "name", type: typeOf("i32"), name: "g" };
  const extent = constant(x.length);
  const fault = interpret(
    {
      name: "k",
      source: "",
      sizes: [],
      buffers: [
        { name: "x", elem, extent, access: "read", layout: "rows" },
        { name: "y", elem, extent, access: "write", layout: "rows" },
      ],
      grid: [{ name: "g", extent }],
      lanes: 1,
      shared: [],
      body: [{ kind: "store", to: "y", index: i, value: value(load("x", i, typeOf(elem))) }],
    },
    { sizes: {}, buffers: { x: xs, y } },
  );
  expect(fault).toBeNull();
  return y;
}
const numbers = [0, 1, -1, 6, -6, 7, -7, 8, -8, 1000003, -1000003, 0x7fffffff, -0x80000000];

test.each([1, 2, 3, 7, 8, 4096, -1, -2, -3, -8])("floorDiv and floorMod by %i, constant or not", (by) => {
  const down = numbers.map((x) => Math.floor(x / by) | 0);
  const rest = numbers.map((x) => x - by * Math.floor(x / by) + 0);
  expect([...results("i32", numbers, (x) => floorDiv(x, by))]).toEqual(down);
  expect([...results("i32", numbers, (x) => floorMod(x, by))]).toEqual(rest);
  const runtime = (f: (a: Expr, b: Expr) => Expr): Data =>
    results("i32", [...numbers, by], (x) => f(x, load("x", numbers.length, typeOf("i32"))));
  expect([...runtime(floorDiv)].slice(0, -1)).toEqual(down);
  expect([...runtime(floorMod)].slice(0, -1)).toEqual(rest);
});

test("the sign of floats and integers", () => {
  expect([...results("i32", [-5, 0, 7], sign)]).toEqual([-1, 0, 1]);
  const floats = [-2.5, -0, 0, 1e-30, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  expect([...results("f32", floats, sign)]).toEqual(floats.map(Math.sign));
});
