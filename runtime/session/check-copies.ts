/** Tensors that a checkpoint holds twice, as V3's layer 61 holds the embedding: read beside each other, as they are stored. */
import { type WeightProblem, WeightsMismatchError } from "../artifact/errors.ts";
import type { WeightDecl } from "../artifact/program.ts";
import type { TensorInfo, Weights } from "../weights/weights.ts";

export interface Copy {
  readonly decl: WeightDecl;
  readonly tensor: TensorInfo;
  readonly copy: TensorInfo;
}

/** Those of one tensor of a weight, by its ordinal, that are there. */
export const copiesIn = (
  decl: WeightDecl,
  ordinal: number,
  tensor: TensorInfo,
  { tensors }: Weights,
): readonly Copy[] =>
  (decl.copies?.[ordinal] ?? []).flatMap((name) => {
    const copy = tensors.get(name);
    return copy === undefined ? [] : [{ decl, tensor, copy }];
  });

/** Throws WeightsMismatchError with all that differ, WeightsError and `signal.reason`. */
export async function checkCopies(weights: Weights, copies: readonly Copy[], signal?: AbortSignal): Promise<void> {
  const problems: WeightProblem[] = [];
  for (const pair of copies) {
    const { decl, tensor, copy } = pair;
    const alike = copy.dtype === tensor.dtype && copy.shape.join() === tensor.shape.join();
    if (alike && (await haveSameBytes(weights, pair, signal))) continue;
    const how = alike ? "" : ` in ${copy.dtype === tensor.dtype ? "shape" : "type"}`;
    const message = `${JSON.stringify(copy.name)} should be equal to ${JSON.stringify(tensor.name)} and differs${how}`;
    problems.push({ kind: "copies-differ", tensor: copy.name, weight: decl.name, at: decl.at, message });
  }
  if (problems.length > 0) throw new WeightsMismatchError(problems.slice(0, 20), problems.length);
}

async function haveSameBytes(weights: Weights, { tensor, copy }: Copy, signal?: AbortSignal): Promise<boolean> {
  const options = signal === undefined ? {} : { signal };
  const other = weights.pieces(copy.name, options);
  try {
    for await (const piece of weights.pieces(tensor.name, options)) {
      const { value } = await other.next();
      if (value === undefined || !piece.every((byte, i) => byte === value[i])) return false;
    }
    return true;
  } finally {
    await other.return();
  }
}
