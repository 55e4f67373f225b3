/** The closed core's scalar functions and reductions, as data. Docs: docs/language.md, the core. */

export type ScalarResult = "float" | "same" | "integer";

export interface ScalarFunction {
  readonly params: readonly string[];
  /** `same`: an integer of integers, else real. */
  readonly result: ScalarResult;
  readonly doc: string;
  /** For arguments that are known; nan where it is not defined. */
  readonly evaluate: (...args: readonly number[]) => number;
  /** May be given more than its parameters: min, max. */
  readonly variadic?: boolean;
}

const float = (doc: string, evaluate: (x: number) => number): ScalarFunction => ({
  params: ["x"],
  result: "float",
  doc,
  evaluate,
});

export const scalarFunctions: ReadonlyMap<string, ScalarFunction> = new Map<string, ScalarFunction>([
  ["exp", float("e^x", Math.exp)],
  ["log", float("natural logarithm; x > 0", Math.log)],
  ["log1p", float("log(1 + x), exact near 0", Math.log1p)],
  ["sqrt", float("square root; x >= 0", Math.sqrt)],
  ["rsqrt", float("1 / sqrt(x); x > 0", (x) => 1 / Math.sqrt(x))],
  ["sin", float("sine of radians", Math.sin)],
  ["cos", float("cosine of radians", Math.cos)],
  ["tanh", float("hyperbolic tangent", Math.tanh)],
  ["erf", float("error function", () => Number.NaN)],
  ["abs", { params: ["x"], result: "same", doc: "|x|", evaluate: Math.abs }],
  ["sign", { params: ["x"], result: "same", doc: "-1, 0 or 1", evaluate: Math.sign }],
  ["floor", { params: ["x"], result: "integer", doc: "greatest integer <= x", evaluate: Math.floor }],
  ["ceil", { params: ["x"], result: "integer", doc: "least integer >= x", evaluate: Math.ceil }],
  ["min", { params: ["x", "y"], result: "same", doc: "the least", evaluate: Math.min, variadic: true }],
  ["max", { params: ["x", "y"], result: "same", doc: "the greatest", evaluate: Math.max, variadic: true }],
  ["pow2_ceil", float("least power of two >= x", (x) => 2 ** Math.ceil(Math.log2(x)))],
  [
    "ceil_div",
    { params: ["a", "b"], result: "integer", doc: "a / b rounded up", evaluate: (a = 0, b = 1) => Math.ceil(a / b) },
  ],
]);

export const reductions = ["sum", "product", "max", "min", "any", "all", "argmax", "argmin"] as const;
export type Reduction = (typeof reductions)[number];
export const isReduction = (name: string): name is Reduction => (reductions as readonly string[]).includes(name);

export const staticConstants: ReadonlyMap<string, number> = new Map([
  ["inf", Number.POSITIVE_INFINITY],
  ["pi", Math.PI],
]);

/** Names with a meaning of their own where no declaration takes it. */
export const coreNames: ReadonlySet<string> = new Set([
  ...scalarFunctions.keys(),
  ...reductions,
  ...staticConstants.keys(),
  "top",
]);
