/** Affine normal form of an index expression: Σ coefficient · atom + constant, where coefficients are sizes. */
import { addDim, type Dim, dim, mulDim, zeroDim } from "./dim.ts";
import type { Scalar } from "./node.ts";
import { asDim, key } from "./scalar.ts";

export interface AffineTerm {
  /** A name, a read, or any other expression that is not itself a sum: told apart by `key`. */
  readonly atom: Scalar;
  readonly coefficient: Dim;
}
export interface Affine {
  /** By key of the atom, sorted; no coefficient is 0. */
  readonly terms: ReadonlyMap<string, AffineTerm>;
  readonly constant: Dim;
}

const forms = new WeakMap<Scalar, Affine>();
/** Every expression has such a form: what is not a sum of multiples is an atom of its own. */
export function affineOf(e: Scalar): Affine {
  const known = forms.get(e) ?? formOf(e);
  forms.set(e, known);
  return known;
}
function formOf(e: Scalar): Affine {
  const terms = new Map<string, AffineTerm>();
  let constant = zeroDim;
  const gather = (x: Scalar, scale: Dim): void => {
    const size = asDim(x);
    if (size !== null) {
      constant = addDim(constant, mulDim(scale, size));
      return;
    }
    const [a, b] = x.kind === "call" ? x.args : [];
    const fn = x.kind === "call" && a !== undefined && b !== undefined ? x.fn : null;
    if (a !== undefined && b !== undefined) {
      if (fn === "add" || fn === "sub") {
        gather(a, scale);
        gather(b, fn === "add" ? scale : mulDim(scale, -1));
        return;
      }
      if (fn === "mul") {
        const [left, right] = [asDim(a), asDim(b)];
        if (left !== null) return gather(b, mulDim(scale, left));
        if (right !== null) return gather(a, mulDim(scale, right));
      }
    }
    if (x.kind === "call" && x.fn === "neg" && a !== undefined) return gather(a, mulDim(scale, -1));
    const k = key(x);
    terms.set(k, { atom: x, coefficient: addDim(terms.get(k)?.coefficient ?? zeroDim, scale) });
  };
  gather(e, dim(1));
  const kept = [...terms].filter(([, t]) => t.coefficient.key !== zeroDim.key);
  return { terms: new Map(kept.sort(([a], [b]) => (a < b ? -1 : 1))), constant };
}

/** A text that is equal for expressions of one affine form: `2*i + u - 1` and `u + 2*i - 1`. */
export function affineKey(e: Scalar): string {
  const { terms, constant } = affineOf(e);
  const parts = [...terms].map(([k, t]) => `(${t.coefficient.key})${k}`);
  if (constant.key !== zeroDim.key || parts.length === 0) parts.push(`(${constant.key})`);
  return parts.join("+");
}
