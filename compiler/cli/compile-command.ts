/** `dsc compile`: a package from a model's text. */
import { basename, resolve } from "node:path";
import { checksFile, readKernelChecks } from "../../runtime/artifact/kernel-checks.ts";
import { byteText } from "../package/number-words.ts";
import type { PackageFile } from "../package/package-file.ts";
import { type SparePart, spareParts, type TextWish, textWishes } from "../package/runtime-parts.ts";
import { readInputs } from "./check-file.ts";
import type { CommandLine } from "./command-line.ts";
import { type BuiltPackage, buildPackage, type PageWish } from "./compile/build-package.ts";
import { checkedModel, readChoices } from "./compile/checked-model.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { nameFrom } from "./project.ts";
import type { Surroundings } from "./surroundings.ts";
import { tellError } from "./tell-error.ts";
import { reportFailure } from "./terminal.ts";
import { refusedPlace, writePackage } from "./write-package.ts";

export async function runCompile(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  const [file = ""] = line.operands;
  try {
    const done = await compile(line, file, surroundings);
    if (done instanceof Failure) return reportFailure(terminal, done);
    return done ? exitCodes.fine : exitCodes.errorsFound;
  } catch (error) {
    return tellError(error, file, terminal);
  }
}

/** False where the model has errors, which have been told. */
async function compile(line: CommandLine, file: string, surroundings: Surroundings): Promise<boolean | Failure> {
  const { terminal } = surroundings;
  const choices = readChoices(line);
  if (choices instanceof Failure) return choices;
  const page = readPage(line);
  if (page instanceof Failure) return page;
  const text = readText(line);
  if (text instanceof Failure) return text;
  const without = readWithout(line);
  if (without instanceof Failure) return without;
  const inputs = readInputs(line, terminal.cwd);
  if (inputs instanceof Failure) return inputs;
  const folder = resolve(terminal.cwd, line.value("out") ?? basename(file).replace(/\.ds$/, ""));
  const shown = nameFrom(terminal.cwd, folder);
  const refused = await refusedPlace(folder, shown);
  if (refused !== null) return refused;
  const started = performance.now();
  const model = checkedModel({ file, inputs, choices }, surroundings);
  if (model === null || model instanceof Failure) return model ?? false;
  const built = await buildPackage(model, surroundings, { page, wish: { text, without } });
  if (built instanceof Failure) return built;
  const failure = await writePackage(folder, shown, built.files);
  if (failure !== null) return failure;
  const seconds = (performance.now() - started) / 1000;
  terminal.out(line.has("json") ? jsonLine(shown, built, seconds) : textLine(shown, built, seconds));
  return true;
}

function readPage(line: CommandLine): PageWish | Failure | null {
  const weights = line.value("page-weights");
  if (line.has("page")) return { weights };
  return weights === null
    ? null
    : new Failure(exitCodes.usage, "--page-weights is what a page offers to load", "--page brings one along");
}

function readText(line: CommandLine): TextWish | Failure {
  const given = line.value("text") ?? "chat";
  const wish = textWishes.find((one) => one === given);
  if (wish === undefined) {
    const hint = "chat for conversations and all texts, plain for texts as they are, none for ids of tokens alone";
    return new Failure(exitCodes.usage, `--text ${given}: there is ${textWishes.join(", ")}`, hint);
  }
  if (wish !== "chat" && line.has("page"))
    return new Failure(exitCodes.usage, `--text ${wish}: a page talks with the model`, "leave out --text or --page");
  return wish;
}

function readWithout(line: CommandLine): readonly SparePart[] | Failure {
  const given = line.value("without")?.split(",") ?? [];
  const without = spareParts.filter((part) => given.includes(part));
  const unknown = given.find((name) => !spareParts.some((part) => part === name));
  if (unknown !== undefined) {
    const hint = "cache keeps weights of servers in a browser, node reads files of Node";
    return new Failure(exitCodes.usage, `--without ${unknown}: there is ${spareParts.join(", ")}`, hint);
  }
  if (without.includes("cache") && line.has("page"))
    return new Failure(exitCodes.usage, "--without cache: a page keeps weights", "leave out --without cache or --page");
  return without;
}

const sizeOf = ({ content }: PackageFile): number =>
  typeof content === "string" ? Buffer.byteLength(content) : content.length;

/** Kernels that a device is to be tried with, and for which there are no values. */
function untried({ compiled, files }: BuiltPackage): readonly string[] {
  const checks = files.find(({ name }) => name === checksFile);
  if (checks === undefined) return [];
  const { program } = compiled;
  const content = typeof checks.content === "string" ? new TextEncoder().encode(checks.content) : checks.content;
  const known = new Set(readKernelChecks(content, program).map((c) => c.kernel));
  return program.kernels.flatMap(({ name }, i) => (known.has(i) ? [] : [name]));
}

function textLine(shown: string, built: BuiltPackage, seconds: number): string {
  const { compiled, files } = built;
  const { program, kernels } = compiled;
  const without = untried(built).length;
  const module = files.find(({ name }) => name === "kernels/simd.wasm" || name === "kernels/plain.wgsl");
  const parts = [
    `${program.model}, ${kernels.length} kernels`,
    ...(module === undefined
      ? []
      : [`${byteText(sizeOf(module))} of ${module.name.endsWith(".wasm") ? "WebAssembly" : "WGSL"}`]),
    ...(without === 0 ? [] : [`${without} of them without values to try them by`]),
    `${seconds.toFixed(2)} s`,
  ];
  return `${shown}: ${parts.join(", ")}\n`;
}

function jsonLine(out: string, built: BuiltPackage, seconds: number): string {
  const { compiled, files, seconds: steps } = built;
  const { program, kernels, reports } = compiled;
  const phases = program.phases.map(({ name, entry, outputs, from, to, rows }) => {
    const results = outputs.map((o) => o.name);
    return { name, entry, results, from, to, ...(rows === undefined ? {} : { rows }) };
  });
  const sizes = files.map((file) => ({ name: file.name, bytes: sizeOf(file) }));
  const calls = reports.map((report) => ({ phase: report.phase, kernels: report.kernels.length }));
  const about = { out, model: program.model, kernels: kernels.length, phases, calls, files: sizes, seconds, steps };
  return `${JSON.stringify({ ...about, untried: untried(built) })}\n`;
}
