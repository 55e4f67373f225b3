/** `dsc quantize`: a checkpoint with its matrices in a storage format of the model's text. */
import { join } from "node:path";
import type { BoundModel } from "../../dsl/checker/check-project.ts";
import { WeightsError } from "../../runtime/formats/weights-error.ts";
import { openWeights } from "../../runtime/node/open-weights.ts";
import type { Weights } from "../../runtime/weights/weights.ts";
import { type StorageLine, storageLines } from "../quantize/storable-weights.ts";
import { type WritableFormat, writableFormat } from "../quantize/writable-format.ts";
import { type CheckedFile, type CheckInputs, checkFile } from "./check-file.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { interruptible } from "./interrupt.ts";
import { listedFile } from "./load-model.ts";
import { nameFrom, SourceReader } from "./project.ts";
import { type Choice, chooseTensors } from "./quantize/choose-tensors.ts";
import { type QuantizeOrder, readOrder, refusal } from "./quantize/order.ts";
import {
  bytesOf,
  carriedFiles,
  indexFile,
  indexOf,
  textToWrite,
  type WrittenFile,
  weightFiles,
  weightsToWrite,
} from "./quantize/output-files.ts";
import { saysPow2, withQuantization } from "./quantize/quantization-config.ts";
import { type QuantizeReport, type ReportedTensor, reportText } from "./quantize/report.ts";
import { packingError, UnfaithfulError } from "./quantize/verify.ts";
import { reasonOf } from "./read-file.ts";
import { showDiagnostics } from "./show-diagnostics.ts";
import type { Surroundings } from "./surroundings.ts";
import { tellError } from "./tell-error.ts";
import { tensorListing } from "./tensor-listing.ts";
import { reportFailure } from "./terminal.ts";
import { writeFolder } from "./tiny/write-folder.ts";

const unfaithful = (error: unknown): Failure | null =>
  error instanceof UnfaithfulError ? new Failure(exitCodes.errorsFound, error.message, "nothing is written") : null;

export async function runQuantize(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  const order = await readOrder(line, terminal.cwd);
  if (order instanceof Failure) return reportFailure(terminal, order);
  return interruptible(async (signal) => {
    try {
      const weights = await openWeights(order.weights, { signal });
      try {
        const done = await quantize(order, { weights, signal, surroundings });
        if (done instanceof Failure) return reportFailure(terminal, done);
        if ("diagnostics" in done) {
          showDiagnostics(done.diagnostics, terminal);
          return exitCodes.errorsFound;
        }
        terminal.out(line.has("json") ? `${JSON.stringify(done, null, 2)}\n` : reportText(done));
        return exitCodes.fine;
      } finally {
        await weights.close();
      }
    } catch (error) {
      if (signal.aborted && error === signal.reason) return exitCodes.interrupted;
      return tellError(error, order.model, terminal, unfaithful);
    }
  });
}

interface Work {
  readonly weights: Weights;
  readonly signal: AbortSignal;
  readonly surroundings: Surroundings;
}

async function quantize(order: QuantizeOrder, work: Work): Promise<QuantizeReport | CheckedFile | Failure> {
  const { weights, signal, surroundings } = work;
  const { terminal } = surroundings;
  const config = order.configs.at(-1)?.input ?? null;
  const listing = { file: listedFile(weights, order.folder), text: tensorListing(weights.tensors) };
  const checked = checkWith(order, { config, weights: listing }, surroundings);
  if (checked instanceof Failure || !checked.ok) return checked;
  showDiagnostics(checked.diagnostics, terminal);
  const { bound, declared } = checked.result;
  if (bound === null) return new Failure(exitCodes.errorsFound, `${checked.shown} has no model`);
  const line = chosenLine(order.format, bound, checked.shown);
  if (line instanceof Failure) return line;
  const format = writableFormat(bound, declared, line.item.scalar.text, line.item.span);
  const pow2 = format.multiplier.powersOnly || (order.pow2 ?? saysPow2(config?.text ?? "", bound));
  const { only, keep } = order;
  const choice = chooseTensors({ checked: checked.result, line, format, weights, only, keep });
  if (choice instanceof Failure) return choice;
  const files = weightFiles(choice, { source: weights, format, pow2, signal });
  const configs = order.configs.map(({ name, input: { text } }) => ({
    name,
    text: withQuantization(text, bound, format, pow2),
  }));
  const fit = checkWith(order, whatIsWritten(order, configs, files), surroundings);
  if (fit instanceof Failure || !fit.ok) return fit;
  const tensors = await write({ order, files, configs, choice, format }, work);
  if (tensors instanceof Failure) return tensors;
  return {
    ...{ folder: nameFrom(terminal.cwd, order.out), model: bound.name, format: format.scalar, block: format.blocks },
    multipliers: { dtype: format.multiplier.dtype, pow2 },
    ...{ tensors, staying: choice.staying },
    bytes: {
      before: [...weights.tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0),
      after: files.reduce((sum, file) => sum + file.tensors.reduce((n, tensor) => n + bytesOf(tensor), 0), 0),
    },
  };
}

const checkWith = (
  { model, settings }: QuantizeOrder,
  inputs: Omit<CheckInputs, "settings">,
  { terminal, home }: Surroundings,
): CheckedFile | Failure =>
  checkFile(model, { ...inputs, settings }, new SourceReader(home.folder, terminal.cwd), terminal);

/** The line of the text for the format that was asked for, or for the only one. */
function chosenLine(format: string | null, bound: BoundModel, shown: string): StorageLine | Failure {
  const lines = storageLines(bound);
  const scalars = lines.map(({ item }) => item.scalar.text);
  const there = scalars.length === 0 ? "it has no storage format" : `it has ${scalars.join(", ")}`;
  if (format === null && lines.length > 1) return new Failure(exitCodes.usage, `--format is missing: ${there}`);
  const line = lines.find(({ item }) => format === null || item.scalar.text === format);
  if (line !== undefined) return line;
  const message =
    format === null ? `${shown} has no storage format` : `${shown} has no \`storage ${format} as …\`: ${there}`;
  return new Failure(
    exitCodes.errorsFound,
    message,
    "a storage format is what weights are decoded by when they are loaded",
  );
}

interface NamedFile {
  readonly name: string;
  readonly text: string;
}

/** As the folder will be when it is read again. */
function whatIsWritten(
  { out }: QuantizeOrder,
  configs: readonly NamedFile[],
  files: readonly WrittenFile[],
): Omit<CheckInputs, "settings"> {
  const config = configs.at(-1);
  const listed = new Map(files.flatMap(({ tensors }) => tensors.map((tensor) => [tensor.name, tensor] as const)));
  return {
    config: config === undefined ? null : { file: join(out, config.name), text: config.text },
    weights: { file: join(out, files.length === 1 ? (files[0]?.name ?? "") : indexFile), text: tensorListing(listed) },
  };
}

interface Writing {
  readonly order: QuantizeOrder;
  readonly files: readonly WrittenFile[];
  readonly configs: readonly NamedFile[];
  readonly choice: Choice;
  readonly format: WritableFormat;
}

/** All files or none. What was written is decoded and held against the checkpoint before it takes its place. */
async function write(
  { order, files, configs, choice, format }: Writing,
  { weights, signal, surroundings: { terminal } }: Work,
): Promise<readonly ReportedTensor[] | Failure> {
  const index = indexOf(files);
  const all = [
    ...[...configs, ...(index === null ? [] : [{ name: indexFile, text: index }])].map(textToWrite),
    ...(await carriedFiles(order.folder)),
    ...weightsToWrite(files, weights.metadata),
  ];
  const names = all.map(({ name }) => name);
  const refused = await refusal(order, names, terminal.cwd);
  if (refused !== null) return refused;
  const shown = nameFrom(terminal.cwd, order.out);
  const tensors: ReportedTensor[] = [];
  terminal.progress(`writing ${shown}`);
  try {
    await writeFolder(order.out, all, async (draft) => {
      const written = await openWeights(draft, { signal });
      try {
        for (const { name, pattern, shape, form } of choice.packed) {
          terminal.progress(`checking ${name}: ${tensors.length} of ${choice.packed.length}`);
          const error = await packingError(
            { name, pattern, shape, form },
            { source: weights, written, format, signal },
          );
          tensors.push({ name, pattern, shape, error });
        }
      } finally {
        await written.close();
      }
    });
  } catch (error) {
    if (error instanceof WeightsError || error instanceof UnfaithfulError || signal.aborted) throw error;
    return new Failure(exitCodes.cannotReadOrWrite, `cannot write ${shown}: ${reasonOf(error)}`);
  }
  return tensors;
}
