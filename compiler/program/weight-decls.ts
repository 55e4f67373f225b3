/** What a program says of its weights: where their numbers are in a checkpoint, without a line for every layer. */
import type { BufferElem, TensorNames, WeightDecl } from "../../runtime/artifact/program.ts";
import type { WeightSource } from "../elaborate/context.ts";
import { evalDim, type Sizes } from "../graph/dim.ts";

/** Formats of few bits, which files store as codes. */
export const isCoded = (element: string): boolean => coded.has(element);
const coded: ReadonlySet<string> = new Set(["e4m3", "e5m2", "e2m1", "e8m0"]);

/** As declarations of a program have it. */
export const formatOf = ({ element }: WeightSource): { readonly format?: string } =>
  isCoded(element) ? { format: element } : {};

export interface DeclaredWeight {
  readonly label: string;
  readonly elem: BufferElem;
  readonly source: WeightSource;
  readonly optional: string | null;
  readonly at: string | null;
}

export function weightDecl({ label, elem, source, optional, at }: DeclaredWeight, sizes: Sizes): WeightDecl {
  return {
    name: label,
    elem,
    stacks: source.stacks,
    shape: source.stored.map((d) => evalDim(d, sizes)),
    ...formatOf(source),
    tensors: tensorNames(source),
    below: source.below === null ? null : evalDim(source.below, sizes),
    ...(optional === null ? {} : { optional }),
    at,
  };
}

/** As patterns, where the names count up with the stacks. */
function tensorNames({ tensors, stacks }: WeightSource): TensorNames {
  const [first] = tensors;
  if (first === undefined || stacks.length === 0) return { patterns: first ?? [], from: [] };
  const found = first.map((name, spelling) =>
    patternOf(
      name,
      tensors.map((t) => t[spelling] ?? ""),
      stacks,
    ),
  );
  const [one] = found;
  const same = one !== null && one !== undefined && found.every((p) => p !== null && p.from.join() === one.from.join());
  if (!same) return { list: tensors };
  return { patterns: found.flatMap((p) => (p === null ? [] : [p.pattern])), from: one.from };
}

interface Pattern {
  readonly pattern: string;
  readonly from: readonly number[];
}

/** The numbers in the first name that count with each stack, in every choice of places that gives all names. */
function patternOf(first: string, names: readonly string[], stacks: readonly number[]): Pattern | null {
  const parts = first.split(/([0-9]+)/);
  const places = parts.flatMap((p, i) => (/^[0-9]+$/.test(p) ? [i] : []));
  const choose = (chosen: readonly number[]): Pattern | null => {
    if (chosen.length < stacks.length) {
      for (const p of places) {
        const found = chosen.includes(p) ? null : choose([...chosen, p]);
        if (found !== null) return found;
      }
      return null;
    }
    const from = chosen.map((p) => Number(parts[p]));
    const made = names.every((name, n) => {
      const index = indicesOf(n, stacks);
      return (
        name ===
        parts
          .map((part, i) =>
            chosen.includes(i) ? String((from[chosen.indexOf(i)] ?? 0) + (index[chosen.indexOf(i)] ?? 0)) : part,
          )
          .join("")
      );
    });
    if (!made) return null;
    return { pattern: parts.map((part, i) => (chosen.includes(i) ? `{${chosen.indexOf(i)}}` : part)).join(""), from };
  };
  return choose([]);
}

/** Of entry n, row-major. */
function indicesOf(n: number, stacks: readonly number[]): readonly number[] {
  const out: number[] = [];
  let rest = n;
  for (const size of [...stacks].reverse()) {
    out.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return out;
}
