/** Which tensors of a checkpoint are packed, and why others stay. */
import type { CheckedProject } from "../../../dsl/checker/check-project.ts";
import { globToRegExp } from "../../../dsl/checker/globs.ts";
import type { Weights } from "../../../runtime/weights/weights.ts";
import type { BlockForm } from "../../quantize/block-form.ts";
import {
  type StaysBecause,
  type StorableTensor,
  type StorageLine,
  storableWeights,
} from "../../quantize/storable-weights.ts";
import type { WritableFormat } from "../../quantize/writable-format.ts";
import { exitCodes } from "../exit-codes.ts";
import { Failure } from "../failure.ts";

export interface PackedTensor {
  readonly name: string;
  /** The weight's name in the text's spelling, `layers.{l}.up.weight`: tensors of one pattern belong together. */
  readonly pattern: string;
  readonly shape: readonly number[];
  readonly form: BlockForm;
}

export interface StayingTensor {
  readonly name: string;
  readonly pattern: string;
  /** `shape`: a condition of the format does not hold for it. `asked`: by an option. */
  readonly because: StaysBecause | "shape" | "asked";
}

export interface Choice {
  readonly packed: readonly PackedTensor[];
  /** Only those that could have been packed by their type and axes. */
  readonly staying: readonly StayingTensor[];
}

export interface ChoiceOptions {
  readonly checked: CheckedProject;
  readonly line: StorageLine;
  readonly format: WritableFormat;
  readonly weights: Weights;
  /** Patterns of names: these, whatever the text says; none: as the text says. */
  readonly only: readonly string[];
  /** Those of them that stay. */
  readonly keep: readonly string[];
}

interface Found {
  readonly name: string;
  readonly pattern: string;
  readonly shape: readonly number[];
  readonly tensor: StorableTensor;
}

const plainDtypes: ReadonlySet<string> = new Set(["F64", "F32", "F16", "BF16"]);

export function chooseTensors(options: ChoiceOptions): Choice | Failure {
  const { checked, line, format, weights } = options;
  const found = storableWeights(checked, line, format.axes).flatMap(({ pattern, shape, tensors }) =>
    tensors.flatMap((tensor): readonly Found[] => {
      const name = tensor.spellings.find((n) => weights.tensors.has(n));
      return name === undefined ? [] : [{ name, pattern, shape, tensor }];
    }),
  );
  const unmatched = [...options.only, ...options.keep].find((glob) => {
    const pattern = globToRegExp(glob);
    return !found.some(({ name }) => pattern.test(name));
  });
  if (unmatched !== undefined)
    return new Failure(exitCodes.usage, `no tensor that could be stored as ${format.scalar} is named ${unmatched}`);
  const packedAlready = found.find(({ name }) => !plainDtypes.has(weights.tensor(name).dtype));
  if (packedAlready !== undefined) {
    const { name, dtype, file } = weights.tensor(packedAlready.name);
    return new Failure(
      exitCodes.errorsFound,
      `${file}: ${name} is ${dtype} already`,
      "quantize takes checkpoints of F64, F32, F16 and BF16",
    );
  }
  return divide(found, options);
}

function divide(found: readonly Found[], { format, weights, only, keep }: ChoiceOptions): Choice | Failure {
  const [asked, kept] = [only.map(globToRegExp), keep.map(globToRegExp)];
  const packed: PackedTensor[] = [];
  const staying: StayingTensor[] = [];
  for (const { name, pattern, shape, tensor } of found) {
    const stay = (because: StayingTensor["because"]): number => staying.push({ name, pattern, because });
    const isAsked = asked.some((glob) => glob.test(name));
    const notAsked = asked.length > 0 && !isAsked;
    if (notAsked || kept.some((glob) => glob.test(name))) {
      stay(notAsked ? (tensor.stays ?? "asked") : "asked");
      continue;
    }
    if (tensor.stays !== null && !isAsked) {
      stay(tensor.stays);
      continue;
    }
    const form = format.formOf(name, shape);
    if (form === null) {
      stay("shape");
      continue;
    }
    const copy = tensor.copies.find((n) => weights.tensors.has(n));
    if (copy !== undefined)
      return new Failure(
        exitCodes.errorsFound,
        `${name} stands in the checkpoint again as ${copy}, and both are compared as they are stored`,
        `--keep ${name}`,
      );
    const beside = form.multiplier.tensor;
    if (weights.tensors.has(beside))
      return new Failure(exitCodes.errorsFound, `${weights.tensor(beside).file}: ${beside} is there already`);
    packed.push({ name, pattern, shape, form });
  }
  if (packed.length === 0) return new Failure(exitCodes.errorsFound, `no tensor is left to store as ${format.scalar}`);
  return { packed, staying };
}
