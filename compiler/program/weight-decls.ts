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
    ...(source.copies.some((names) => names.length > 0) ? { copies: source.copies } : {}),
    at,
  };
}

/** As patterns, where the members of each stack count up. */
function tensorNames({ spellings, members, tensors }: WeightSource): TensorNames {
  const countUp = members.every((of) => of.every((m, i) => m === (of[0] ?? 0) + i));
  return countUp ? { patterns: spellings, from: members.map(([first = 0]) => first) } : { list: tensors };
}
