/** Every scalar function, of each type that it takes. */
import { type ScalarFn, scalarFunctions } from "../../ops/scalar-functions.ts";
import { edges, reals } from "../seeded-values.ts";
import { type Given, pairs, type TextCase } from "./text-case.ts";

const truths: ReadonlySet<ScalarFn> = new Set(["and", "or", "not"]);
const tests: ReadonlySet<ScalarFn> = new Set(["lt", "le", "eq", "and", "or", "not"]);
/** Products of two fit. */
const wholeEdges: readonly number[] = [0, 1, -1, 2, -2, 3, 7, -7, 8, 255, -256, 4095, 32767, -32768];
/** Around the ends of 32 bits, of what a double holds, and of 64 bits. */
const wideEdges: readonly bigint[] = [
  ...[0n, 1n, -1n, 3n, -7n, 255n, 2n ** 31n, -(2n ** 31n), 2n ** 32n + 5n, 2n ** 53n + 1n, -(2n ** 62n) - 3n],
  ...[2n ** 63n - 1n, -(2n ** 63n)],
];

const ordinary = [...reals("ordinary", 100), ...reals("larger", 100, 20)];
export function scalarCases(): readonly TextCase[] {
  const made: TextCase[] = [];
  for (const [fn, { arity }] of Object.entries(scalarFunctions)) {
    const name = fn as ScalarFn;
    if (name === "select") continue;
    const result = tests.has(name) ? "bool" : "f32";
    const whole = [
      "add",
      "sub",
      "mul",
      "floordiv",
      "mod",
      "xor",
      "maximum",
      "minimum",
      "neg",
      "abs",
      "sign",
      "lt",
      "le",
      "eq",
    ];
    if (truths.has(name)) made.push(applied(name, arity, "bool", "bool", [0, 1]));
    else if (name !== "xor")
      made.push(applied(name, arity, "f32", result, arity === 1 ? [...edges, ...ordinary] : edges));
    if (!whole.includes(name)) continue;
    made.push(applied(name, arity, "i32", tests.has(name) ? "bool" : "i32", wholeEdges));
    made.push(applied(name, arity, "i64", tests.has(name) ? "bool" : "i64", wideEdges));
  }
  return made;
}
function applied<T extends number | bigint>(
  fn: ScalarFn,
  arity: number,
  dtype: string,
  result: string,
  values: readonly T[],
): TextCase {
  const zeroDivides = (dtype === "i32" || dtype === "i64") && (fn === "floordiv" || fn === "mod");
  const taken = (arity === 2 ? pairs(values) : values.map((x) => [x, x] as const)).filter(
    ([, y]) => !zeroDivides || Number(y) !== 0,
  );
  const args = arity === 2 ? "%x[t], %z[t]" : "%x[t]";
  const given: Given = (n, count) =>
    Array.from(
      { length: count },
      (_, i) => taken[(i + (count < taken.length ? 5 * count : 0)) % taken.length]?.[n.name === "x" ? 0 : 1],
    ) as readonly number[] | readonly bigint[];
  return {
    subject: `${fn} of ${dtype}`,
    lines: [
      `%x : ${dtype}[T] = input`,
      ...(arity === 2 ? [`%z : ${dtype}[T] = input`] : []),
      `%y : ${result}[T] = map [t] ${spelled(fn, args)}`,
      "return %y",
    ],
    given,
    calls: [1, 7, 8, 9, taken.length].map((T) => ({ T, S0: 0 })),
  };
}
const infix: Partial<Record<ScalarFn, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  lt: "<",
  le: "<=",
  eq: "==",
  and: "&&",
  or: "||",
};
function spelled(fn: ScalarFn, args: string): string {
  const sign = infix[fn];
  const [a, b] = args.split(", ");
  return sign === undefined || b === undefined ? `${fn}(${args})` : `${a} ${sign} ${b}`;
}
