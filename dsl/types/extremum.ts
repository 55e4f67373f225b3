/** min and max of symbolic integers in normal form. */
import { asAtom, asRational, atomPoly, extremumAtom, type Poly, rationalPoly, zero } from "./polynomial.ts";
import { compareRational, type Rational } from "./rational.ts";

/** The least of the arguments. */
export const minOf = (args: readonly Poly[]): Poly => extremumOf("min", args);

/** The greatest of the arguments. */
export const maxOf = (args: readonly Poly[]): Poly => extremumOf("max", args);

function extremumOf(kind: "min" | "max", args: readonly Poly[]): Poly {
  const kept = new Map<string, Poly>();
  let best: Rational | null = null;
  for (const arg of flatten(kind, args)) {
    const c = asRational(arg);
    if (c === null) kept.set(arg.key, arg);
    else if (best === null || compareRational(c, best) < 0 === (kind === "min")) best = c;
  }
  if (best !== null) {
    const c = rationalPoly(best);
    kept.set(c.key, c);
  }
  const sorted = [...kept.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const first = sorted[0];
  if (first === undefined) return zero;
  return sorted.length === 1 ? first : atomPoly(extremumAtom(kind, sorted));
}

function flatten(kind: "min" | "max", args: readonly Poly[]): readonly Poly[] {
  return args.flatMap((arg) => {
    const atom = asAtom(arg);
    return atom !== null && (atom.kind === "min" || atom.kind === "max") && atom.kind === kind ? atom.args : [arg];
  });
}
