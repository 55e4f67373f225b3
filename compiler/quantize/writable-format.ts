/** A storage format of a text as something that tensors can be written in. */
import type { BoundModel } from "../../dsl/checker/check-project.ts";
import type { Span } from "../../dsl/diagnostics/source.ts";
import { ElaborationError } from "../elaborate/context.ts";
import type { Elaborated, ElaborateOptions } from "../elaborate/elaborate.ts";
import { elaborateFormat, formatAxes } from "../elaborate/storage-format.ts";
import { type BlockForm, blockForm } from "./block-form.ts";
import { type ElementType, elementTypes, type MultiplierType, multiplierTypes } from "./element-types.ts";
import { type TextDecoder, textDecoder } from "./text-decoder.ts";

export interface WritableFormat {
  /** As the text says it after `storage`: `e4m3`. */
  readonly scalar: string;
  readonly axes: number;
  /** How many neighbours along each axis have one multiplier; null: all. */
  readonly blocks: readonly (number | null)[];
  readonly element: ElementType;
  readonly multiplier: MultiplierType;
  /** Null where a condition of the block does not hold for this shape. */
  readonly formOf: (tensor: string, shape: readonly number[]) => BlockForm | null;
  readonly decoderOf: (shape: readonly number[]) => TextDecoder;
}

/** Larger than any block, and a multiple of all that are powers of two. */
const large = 2 ** 20;

/** `at`: its line in the text. Throws ElaborationError where the block is of a form or of types that are not written. */
export function writableFormat(
  model: BoundModel,
  declared: ElaborateOptions["declared"],
  scalar: string,
  at: Span,
): WritableFormat {
  const axes = formatAxes({ model, declared, scalar }) ?? 0;
  const elaborated = (tensor: string, shape: readonly number[]): Elaborated => {
    const format = elaborateFormat({ model, declared, scalar, tensor, shape });
    if (format === null) throw new ElaborationError(`there is no storage format for ${scalar}`, at);
    return format;
  };
  const formOf = (tensor: string, shape: readonly number[]): BlockForm =>
    blockForm(elaborated(tensor, shape), { tensor, at });
  const usual = formOf("weight", new Array<number>(axes).fill(large));
  const element = elementTypes.get(usual.code.element);
  const multiplier = multiplierTypes.get(usual.multiplier.element);
  if (element === undefined || usual.code.element !== scalar)
    throw new ElaborationError(`codes of ${usual.code.element} are not written`, at);
  if (multiplier === undefined)
    throw new ElaborationError(`multipliers of ${usual.multiplier.element} are not written`, at);
  const decoders = new Map<string, TextDecoder>();
  return {
    scalar,
    axes,
    blocks: Array.from({ length: axes }, (_, axis) => usual.shared.find((s) => s?.axis === axis)?.by ?? null),
    element,
    multiplier,
    formOf: (tensor, shape) => {
      if ((shape.at(-1) ?? 1) % element.perByte !== 0) return null;
      try {
        return formOf(tensor, shape);
      } catch (error) {
        // The usual shape went well: what fails is a condition on this one.
        if (error instanceof ElaborationError) return null;
        throw error;
      }
    },
    decoderOf: (shape) => {
      const key = shape.join("x");
      const known = decoders.get(key) ?? textDecoder(elaborated("weight", shape), { tensor: "weight", at });
      decoders.set(key, known);
      return known;
    },
  };
}
