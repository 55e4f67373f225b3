/** Tensors that are stored in a format of the text: which of the program's decoders takes them, and what stands beside them. */
import type { DecoderDecl, DecoderTensor, Program } from "../../artifact/program.ts";
import { type DtypeName, findDtype } from "../../formats/dtypes.ts";
import type { TensorInfo, Weights } from "../../weights/weights.ts";
import { storedDtypes } from "./stored-dtypes.ts";

/** A tensor that a decoder takes. */
export interface StoredPart {
  readonly tensor: TensorInfo;
  /** Its rows, those of a band, and elements of a row. */
  readonly rows: number;
  readonly band: number;
  readonly width: number;
  /** How its bytes are read: two e2m1 in a byte, whatever the file calls them. */
  readonly dtype: DtypeName;
  /** Whether it is the tensor itself. */
  readonly main: boolean;
}
export interface StoredTensor {
  readonly decoder: DecoderDecl;
  readonly parts: readonly StoredPart[];
}

/** Null where no decoder is for tensors of this element type and shape; else what is wrong, as a text. */
export function storedTensor(
  program: Pick<Program, "decoders">,
  weights: Weights,
  { name, dtype }: TensorInfo,
  [rows = 1, ...tail]: readonly number[],
): StoredTensor | string | null {
  const decoder = program.decoders?.find((d) => storedDtypes[d.scalar]?.includes(dtype) && same(d.tail, tail));
  if (decoder === undefined) return null;
  const parts: StoredPart[] = [];
  for (const part of decoder.tensors) {
    const found = storedPart(part, decoder, weights, { name, rows });
    if (typeof found === "string") return found;
    parts.push(found);
  }
  return { decoder, parts };
}

function storedPart(
  { name: pattern, rows: band, tail }: DecoderTensor,
  decoder: DecoderDecl,
  weights: Weights,
  of: { readonly name: string; readonly rows: number },
): StoredPart | string {
  const name = pattern.replaceAll("{name}", of.name).replaceAll("{stem}", of.name.replace(/\.weight$/, ""));
  const tensor = weights.tensors.get(name);
  const rows = Math.ceil((of.rows * band) / decoder.rows);
  const wanted = [rows, ...tail];
  if (tensor === undefined) return `${JSON.stringify(name)} [${wanted.join(", ")}] is missing`;
  const main = pattern === "{name}";
  const packed = main && decoder.scalar === "e2m1";
  const dtype = packed ? "F4" : tensor.dtype;
  const shape = packed && tensor.dtype !== "F4" ? unpacked(tensor.shape) : tensor.shape;
  if (!same(shape, wanted))
    return `${JSON.stringify(name)} is [${shape.join(", ")}], ${decoder.scalar} wants [${wanted.join(", ")}]`;
  if (findDtype(dtype)?.decode == null) return `${JSON.stringify(name)} holds ${dtype}, which is not read`;
  return { tensor, rows, band, width: tail.reduce((n, d) => n * d, 1), dtype, main };
}

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);
const unpacked = (shape: readonly number[]): readonly number[] =>
  shape.map((n, i) => (i === shape.length - 1 ? 2 * n : n));
