/**
 * Canonical products: a product is a list of factors, division by x a factor 1/x. Rules on products look at factors and
 * rebuild once at the end, so `x / l * y` and `x * y / l` are one shape to them.
 */
import type { Fold, Scalar } from "./node.ts";
import { call, freeNames, mul, num, substitute } from "./scalar.ts";

const isOne = (e: Scalar | undefined): boolean => e?.kind === "const" && e.value === 1;

/** The x of a factor 1/x. */
export const inverseOf = (e: Scalar): Scalar | null =>
  e.kind === "call" && e.fn === "div" && isOne(e.args[0]) ? (e.args[1] ?? null) : null;

/** Factors of a product, left to right; a / b gives those of a and then 1/b. An expression that is no product is one. */
export function factors(e: Scalar): readonly Scalar[] {
  if (e.kind !== "call") return [e];
  const [a, b] = e.args;
  if (a === undefined || b === undefined) return [e];
  if (e.fn === "mul") return [...factors(a), ...factors(b)];
  if (e.fn === "div" && !isOne(a)) return [...factors(a), call("div", num(1), b)];
  return [e];
}

/** The product of factors in their order, with factors 1/x gathered into one division at the end; 1 for none. */
export function productFrom(list: readonly Scalar[]): Scalar {
  const product = (xs: readonly Scalar[]): Scalar => xs.reduce<Scalar>((a, x) => mul(a, x), num(1));
  const above = product(list.filter((f) => inverseOf(f) === null));
  const below = list.flatMap((f) => inverseOf(f) ?? []);
  return below.length === 0 ? above : call("div", above, product(below));
}

/** The a and m of a factor exp(a - m). */
function shiftOf(e: Scalar): readonly [Scalar, string] | null {
  const u = e.kind === "call" && e.fn === "exp" ? e.args[0] : undefined;
  if (u?.kind !== "call" || u.fn !== "sub") return null;
  const [a, m] = u.args;
  return a !== undefined && m?.kind === "name" ? [a, m.name] : null;
}

/** A step's body with the `let`s of its fold replaced by what they stand for. */
export function withoutLets(f: Fold, body: Scalar): Scalar {
  const lets = new Map<string, Scalar>();
  for (const s of f.steps) if (s.how === "let") lets.set(s.name, substitute(s.body, lets));
  return substitute(body, lets);
}

/**
 * The `max m` steps that a sum over `body` is rescaled by when m grows, one for each factor exp(x - m): [] for a body
 * that sees no accumulator, null for one that depends on an accumulator in any other way (also by way of a `let`).
 */
export function mastersOf(f: Fold, body: Scalar): readonly string[] | null {
  const accumulators = new Map(f.steps.flatMap((s) => (s.how === "let" ? [] : [[s.name, s.how] as const])));
  const uses = (e: Scalar): boolean => [...freeNames(e)].some((n) => accumulators.has(n));
  const masters: string[] = [];
  for (const x of factors(withoutLets(f, body))) {
    if (!uses(x)) continue;
    const shift = shiftOf(x);
    if (shift === null || accumulators.get(shift[1]) !== "max" || uses(shift[0])) return null;
    masters.push(shift[1]);
  }
  return masters;
}
