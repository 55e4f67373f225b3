/** Decoders of a file: that the phase takes what they give it, and gives what they promise. */
import type { DecoderDecl, DecoderTensor, Phase, SizeExpr } from "./program.ts";
import { type At, corrupt, count, list, member, text } from "./read-value.ts";
import { evalSize } from "./size-expr.ts";

const mostElements = 2 ** 31 - 1;

export function readDecoder(at: At, phases: readonly Phase[]): DecoderDecl {
  const extents = (a: At): readonly number[] => list(a, 8, (one) => count(one, mostElements, 1));
  const name = text(member(at, "phase"), 256);
  const phase = phases.find((p) => p.name === name);
  if (phase === undefined) throw corrupt(`${at.path}.phase`, `there is no phase ${JSON.stringify(name)}`);
  const decl: DecoderDecl = {
    scalar: text(member(at, "scalar"), 64),
    rows: count(member(at, "rows"), mostElements, 1),
    tail: extents(member(at, "tail")),
    tensors: list(
      member(at, "tensors"),
      16,
      (a): DecoderTensor => ({
        name: text(member(a, "name"), 1024),
        rows: count(member(a, "rows"), mostElements, 1),
        tail: extents(member(a, "tail")),
      }),
    ),
    phase: name,
  };
  if (decl.tensors.every((t) => t.name !== "{name}")) throw corrupt(`${at.path}.tensors`, "none is the tensor itself");
  const { inputs, outputs } = phase;
  if (inputs.length !== decl.tensors.length) throw corrupt(`${at.path}.tensors`, `${name} takes ${inputs.length}`);
  for (const [i, { rows, tail }] of decl.tensors.entries())
    if (elements(inputs[i]?.dims) !== elements([rows, ...tail]) || inputs[i]?.elem !== "f32")
      throw corrupt(`${at.path}.tensors[${i}]`, `${name} takes another shape`);
  const [output, ...others] = outputs;
  if (others.length > 0 || output?.elem !== "f32" || elements(output.dims) !== elements([decl.rows, ...decl.tail]))
    throw corrupt(`${at.path}.phase`, `${name} gives another shape`);
  return decl;
}

/** Their number; not a number where a call decides, or where they are too many: then it equals nothing. */
function elements(dims: readonly SizeExpr[] | undefined): number {
  const product = (dims ?? [Number.NaN]).reduce<number>((n, d) => n * constant(d), 1);
  return product <= mostElements ? product : Number.NaN;
}
function constant(e: SizeExpr): number {
  try {
    return evalSize(e, () => undefined);
  } catch (error) {
    if (error instanceof RangeError) return Number.NaN;
    throw error;
  }
}
