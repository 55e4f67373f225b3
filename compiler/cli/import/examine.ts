/** A downloaded folder held against the text that describes it. */
import type { CheckedProject } from "../../../dsl/checker/check-project.ts";
import { WeightsError } from "../../../runtime/formats/weights-error.ts";
import { openWeights } from "../../../runtime/node/open-weights.ts";
import { TextError } from "../../../runtime/text/text-error.ts";
import { extraFile } from "../../../runtime/weights/extra-tensors.ts";
import type { TensorInfo } from "../../../runtime/weights/weights.ts";
import { ElaborationError } from "../../elaborate/context.ts";
import { elaborate } from "../../elaborate/elaborate.ts";
import { type CheckedFile, type CheckInputs, checkFile, type TextInput } from "../check-file.ts";
import { chooseEntry, tokenEntry } from "../choose-entry.ts";
import { Failure } from "../failure.ts";
import { listedFile } from "../load-model.ts";
import { openText, type TextFiles } from "../open-text.ts";
import { SourceReader } from "../project.ts";
import type { Surroundings } from "../surroundings.ts";
import { tensorListing } from "../tensor-listing.ts";

export interface FoundWeights {
  /** The file, or the index, as diagnostics name it; null where nothing can be read. */
  readonly file: string | null;
  /** Names of the checkpoint's files. */
  readonly files: readonly string[];
  /** Tensors of the checkpoint itself, and with those of the file beside it. */
  readonly own: readonly TensorInfo[];
  readonly all: ReadonlyMap<string, TensorInfo>;
  /** Why nothing can be read. */
  readonly problem: string | null;
}

/** From headers; no number is read. */
export async function findWeights(folder: string): Promise<FoundWeights> {
  try {
    const weights = await openWeights(folder);
    await weights.close();
    return {
      file: listedFile(weights, folder),
      files: [...weights.metadata.keys()].filter((name) => name !== extraFile),
      own: [...weights.tensors.values()].filter(({ file }) => file !== extraFile),
      all: weights.tensors,
      problem: null,
    };
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    return { file: null, files: [], own: [], all: new Map(), problem: error.message };
  }
}

export interface FoundText {
  /** Null where the tokenizer or what stands beside it cannot be read. */
  readonly files: TextFiles | null;
  /** Names of chat templates. */
  readonly templates: readonly string[];
  readonly problem: string | null;
}

export function findText(folder: string, config: string, cwd: string): FoundText {
  try {
    const files = openText(folder, config, cwd);
    if (files instanceof Failure) return { files: null, templates: [], problem: files.message };
    return { files, templates: [...files.templates().keys()], problem: null };
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    return { files: null, templates: [], problem: error.message };
  }
}

interface Holding {
  readonly model: string;
  readonly config: TextInput;
  readonly weights: FoundWeights;
}

/** As `dsc check --config --weights`; without weights the config alone. */
export function holdAgainstText(
  { model, config, weights }: Holding,
  { terminal, home }: Surroundings,
): CheckedFile | Failure {
  const listing = weights.file === null ? null : { file: weights.file, text: tensorListing(weights.all) };
  const inputs: CheckInputs = { config, weights: listing, settings: new Map() };
  return checkFile(model, inputs, new SourceReader(home.folder, terminal.cwd), terminal);
}

/** Why `dsc run` cannot run the model on tokens; null where it can. */
export function notRunOnTokens({ bound, declared }: CheckedProject): string | null {
  if (bound === null) return "its config was refused";
  const choice = chooseEntry(bound, null, ["next", "logits"]);
  if (choice instanceof Failure) return choice.message;
  try {
    const elaborated = elaborate({ model: bound, declared, entry: choice.entry, results: [choice.result] });
    const tokens = tokenEntry(elaborated, choice);
    return tokens instanceof Failure ? tokens.message : null;
  } catch (error) {
    if (!(error instanceof ElaborationError)) throw error;
    return error.message;
  }
}
