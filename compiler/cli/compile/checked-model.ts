/** What is compiled: a model that was checked with its config, and the choices of the command line. */

import { targetNames } from "../../../backends/registry.ts";
import type { BoundModel } from "../../../dsl/checker/check-project.ts";
import { closest } from "../../../dsl/diagnostics/suggest.ts";
import type { ElaborateOptions } from "../../elaborate/elaborate.ts";
import { type CheckInputs, checkFile } from "../check-file.ts";
import { chooseEntry } from "../choose-entry.ts";
import type { CommandLine } from "../command-line.ts";
import { exitCodes } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { SourceReader } from "../project.ts";
import { showDiagnostics } from "../show-diagnostics.ts";
import type { Surroundings } from "../surroundings.ts";

export const weightTypes = ["f32", "bf16", "f16"] as const;
export type WeightType = (typeof weightTypes)[number];

export interface CompileChoices {
  readonly target: string;
  readonly weights: WeightType;
  /** Null: the one that the model's loop samples. */
  readonly entry: string | null;
  /** Checks every intermediate result. */
  readonly verify: boolean;
}

/** `names`: of the targets that there are; `usual`: the one that is meant where none is named. */
export function readChoices(line: CommandLine, names = targetNames, usual = "wasm"): CompileChoices | Failure {
  const target = line.value("target") ?? usual;
  if (!names.includes(target)) {
    const near = closest(target, names);
    const hint = `${near === null ? "" : `did you mean \`${near}\`? `}there is ${names.join(", ")}`;
    return new Failure(exitCodes.usage, `--target ${target}: there is no such target`, hint);
  }
  const given = line.value("weights-type") ?? "f32";
  const weights = weightTypes.find((type) => type === given);
  if (weights === undefined) {
    const hint = `there is ${weightTypes.join(", ")}`;
    return new Failure(exitCodes.usage, `--weights-type ${given}: weights are not kept so`, hint);
  }
  return { target, weights, entry: line.value("entry"), verify: line.has("verify") };
}

export interface ModelToCompile {
  readonly model: BoundModel;
  readonly declared: ElaborateOptions["declared"];
  readonly entry: string;
  readonly choices: CompileChoices;
  /** Of the project, as diagnostics name it. */
  readonly shown: string;
  /** All that was read, by name: what the result depends on besides the choices. */
  readonly texts: readonly (readonly [name: string, text: string])[];
}

export interface CheckOrder {
  readonly file: string;
  readonly inputs: CheckInputs;
  readonly choices: CompileChoices;
}

/** Null where the model has errors, which have been told. */
export function checkedModel(order: CheckOrder, { terminal, home }: Surroundings): ModelToCompile | Failure | null {
  const { file, inputs, choices } = order;
  const reader = new SourceReader(home.folder, terminal.cwd);
  const checked = checkFile(file, inputs, reader, terminal);
  if (checked instanceof Failure) return checked;
  showDiagnostics(checked.diagnostics, terminal);
  if (!checked.ok) return null;
  const { bound: model, declared } = checked.result;
  if (model === null) return new Failure(exitCodes.errorsFound, `${checked.shown} has no model to compile`);
  if (!model.config.given)
    return new Failure(exitCodes.errorsFound, `${checked.shown}: sizes are not known`, "--config config.json");
  const choice = chooseEntry(model, choices.entry, ["logits", "next"]);
  if (choice instanceof Failure) return choice;
  const settings = [...inputs.settings].map(([name, value]) => `${name}=${value}`).join("\n");
  const texts = [
    ...reader.textsIn(checked.project),
    ["config", inputs.config?.text ?? ""],
    ["settings", settings],
    ["schedule", inputs.schedule?.text ?? ""],
    ["choices", JSON.stringify([choice.entry, choices.target, choices.weights])],
  ] as const;
  return { model, declared, entry: choice.entry, choices, shown: checked.shown, texts };
}
