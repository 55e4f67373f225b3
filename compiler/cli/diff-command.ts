/** `dsc diff`: the same tokens through the reference and through a backend, and the first definition that differs. */
import { resolve } from "node:path";
import { bindWeights } from "../../backends/reference/bind-weights.ts";
import { ReferenceSession } from "../../backends/reference/session.ts";
import { loadTarget, targetNames } from "../../backends/registry.ts";
import type { Program } from "../../runtime/artifact/program.ts";
import { choosePiece } from "../../runtime/calls/choose-phase.ts";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { narrowFormats } from "../directives/read-directives.ts";
import { compileModel } from "../driver/compile.ts";
import { elaborate } from "../elaborate/elaborate.ts";
import { realsOf } from "../graph/interpret/tensor.ts";
import { type CheckInputs, readJson, readSchedule, readSettings } from "./check-file.ts";
import { tokenEntry } from "./choose-entry.ts";
import type { CommandLine } from "./command-line.ts";
import { checkedModel, readChoices } from "./compile/checked-model.ts";
import { type Compared, compareCalls } from "./diff/compare-calls.ts";
import { keptWeights } from "./diff/kept-weights.ts";
import { reproFiles } from "./diff/repro.ts";
import { TracedProgram } from "./diff/traced-program.ts";
import { usualTolerance } from "./diff/usual-tolerance.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { runtimeFailure } from "./known-failures.ts";
import { checkpointAt } from "./load-package.ts";
import { nameFrom } from "./project.ts";
import { readNumber } from "./read-number.ts";
import { readIdList, readTokenFile, unfitTokens } from "./read-tokens.ts";
import type { Surroundings } from "./surroundings.ts";
import { tellError } from "./tell-error.ts";
import { formatFinder, tensorReader } from "./tensor-reader.ts";
import { reportFailure, type Terminal } from "./terminal.ts";
import { writeFolder } from "./tiny/write-folder.ts";

export async function runDiff(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  const [file = ""] = line.operands;
  try {
    const code = await diff(line, file, surroundings);
    return code instanceof Failure ? reportFailure(terminal, code) : code;
  } catch (error) {
    return tellError(error, file, terminal, runtimeFailure);
  }
}

async function diff(line: CommandLine, file: string, surroundings: Surroundings): Promise<ExitCode | Failure> {
  const { terminal, home } = surroundings;
  const sides = readSides(line);
  if (sides instanceof Failure) return sides;
  const choices = readChoices(line);
  if (choices instanceof Failure) return choices;
  const ids = readIds(line, terminal.cwd);
  if (ids instanceof Failure) return ids;
  const tolerance = readNumber(line, "tolerance");
  if (tolerance instanceof Failure) return tolerance;
  const checkpoint = await checkpointAt(line, terminal.cwd);
  if (checkpoint instanceof Failure) return checkpoint;
  const inputs = readInputs(line, checkpoint.config, terminal.cwd);
  if (inputs instanceof Failure) return inputs;
  const checked = checkedModel({ file, inputs, choices: { ...choices, target: sides } }, surroundings);
  if (checked === null || checked instanceof Failure) return checked ?? exitCodes.errorsFound;
  const { model, declared, entry } = checked;
  const packages = await loadTarget(sides);
  if (packages === null) throw new Error(`no target ${sides}`);
  const { target, emit } = packages;
  terminal.progress("compiling");
  const compiled = compileModel({
    model,
    declared,
    entry,
    target,
    weights: choices.weights,
    compiler: home.version,
    verify: true,
    ahead: false, // every value is seen
  });
  const { program, reports } = compiled;
  const unfit = unfitTokens(ids, program);
  if (unfit !== null) return unfit;
  const module = (await emit(compiled)).modules.find(({ name }) => name === "simd.wasm")?.content;
  if (module === undefined || typeof module === "string") throw new Error(`${sides} has no module to trace`);
  const weights = await openWeights(checkpoint.weights);
  try {
    const results = model.path.entries.get(entry)?.decl.results.map((r) => r.name.text) ?? [];
    const result = results.includes("next") ? "next" : "logits";
    const elaborated = elaborate({ model, declared, entry, results: [result], format: narrowFormats(model, entry) });
    const tokens = tokenEntry(elaborated, { entry, result });
    if (tokens instanceof Failure) return tokens;
    terminal.progress("reading weights");
    const { sizes, token, before } = tokens;
    const read = await bindWeights({
      elaborated,
      sizes,
      reader: tensorReader(weights, model),
      format: formatFinder({ model, declared }),
    });
    const bound = keptWeights(read, program);
    const traced = await TracedProgram.open({ program, module, weights, context: ids.length, chunk: ids.length });
    terminal.progress("running both");
    const graphs = reports.map(({ phase: name, graph }) => ({ name, graph }));
    const calls = callsFor(traced.plan.program, ids);
    const most = tolerance ?? usualTolerance(reports.map(({ graph }) => graph));
    const compared = compareCalls(calls, { traced, graphs, weights: bound, tolerance: most });
    if (compared.difference !== null) return await tellDifference(compared, compiled.kernels, line, terminal);
    const session = new ReferenceSession({ elaborated, weights: bound, token, before });
    const [logits] = session.forward(ids);
    const text = logits === undefined ? new Float64Array(0) : realsOf(logits).subarray(-tokens.width);
    return tellPasses(compared, text, most, sides, terminal);
  } finally {
    await weights.close();
  }
}

/** All tokens but the last in as few calls as there are phases for, then the last one alone. */
function callsFor(
  { phases, entry }: Program,
  ids: readonly number[],
): readonly { readonly phase: string; readonly tokens: readonly number[] }[] {
  const calls: { phase: string; tokens: readonly number[] }[] = [];
  const wanted = { entry, logits: "next", rows: [] } as const;
  for (let at = 0; at < ids.length; ) {
    const left = at === ids.length - 1 ? 1 : ids.length - 1 - at;
    const piece = choosePiece(phases, left, left, at, wanted);
    const phase = phases[piece?.phase ?? -1];
    if (piece === null || phase === undefined) throw new RangeError(`no phase takes ${left} tokens`);
    calls.push({ phase: phase.name, tokens: ids.slice(at, at + piece.tokens) });
    at += piece.tokens;
  }
  return calls;
}

/** The backend that is held to the reference. */
function readSides(line: CommandLine): string | Failure {
  const [a, b] = [line.value("a") ?? "reference", line.value("b") ?? "wasm"];
  if (a !== "reference") return new Failure(exitCodes.usage, `--a ${a}: only reference can be seen node by node`);
  if (!targetNames.includes(b))
    return new Failure(exitCodes.usage, `--b ${b}: there is no such backend`, "there is wasm");
  if (b !== "wasm") return new Failure(exitCodes.usage, `--b ${b}: only wasm can be seen kernel by kernel`);
  return b;
}

function readIds(line: CommandLine, cwd: string): readonly number[] | Failure {
  const [file, list] = [line.value("tokens"), line.value("ids")];
  if (list !== null && file === null) return readIdList("ids", list);
  if (file !== null && list === null) return readTokenFile(file, cwd);
  return new Failure(exitCodes.usage, "diff needs tokens", "--ids 1,2,3 or --tokens FILE.json");
}

function readInputs(line: CommandLine, beside: string | null, cwd: string): CheckInputs | Failure {
  const config = readJson(line.value("config") ?? beside, cwd);
  if (config instanceof Failure) return config;
  const schedule = readSchedule(line, cwd);
  if (schedule instanceof Failure) return schedule;
  const settings = readSettings(line.values("set"));
  return settings instanceof Failure ? settings : { config, weights: null, settings, schedule };
}

async function tellDifference(
  { difference }: Compared,
  kernels: Parameters<typeof reproFiles>[1],
  line: CommandLine,
  terminal: Terminal,
): Promise<ExitCode> {
  if (difference === null) return exitCodes.fine;
  const { phase, node, iterations, before, tokens, dims, at, reference, found, error, step } = difference;
  const folder = resolve(terminal.cwd, line.value("out") ?? "dsc-diff");
  const files = reproFiles(difference, kernels);
  await writeFolder(
    folder,
    files.map(({ name, content }) => ({
      name,
      chunks: async function* () {
        yield typeof content === "string" ? new TextEncoder().encode(content) : content;
      },
    })),
  );
  const round = iterations.length === 0 ? "" : `, round ${iterations.join(", ")}`;
  terminal.out(
    [
      `%${node.name}${round} differs first: phase ${phase}, ${tokens} tokens behind ${before}, kernel ${step.kernel.name}`,
      `  [${dims.join(", ")}] at [${at.join(", ")}]: reference ${reference}, found ${found}`,
      `  that is ${error.toPrecision(3)} of the largest value`,
      `  ${nameFrom(terminal.cwd, folder)}: ${files.map(({ name }) => name).join(", ")}`,
      "",
    ].join("\n"),
  );
  return exitCodes.errorsFound;
}

/** Every definition agrees; what is left are the passes, between the text and the graphs that were compiled. */
function tellPasses(
  { reference, found, values, worst }: Compared,
  text: Float64Array,
  tolerance: number,
  backend: string,
  terminal: Terminal,
): ExitCode {
  const passes = shareOf(text, reference);
  const whole = shareOf(text, Float64Array.from(found));
  terminal.out(
    `${values} values of definitions agree, the worst to ${worst.toPrecision(2)}; logits: the passes change ${passes.toPrecision(2)}, ${backend} and passes ${whole.toPrecision(2)} of the largest\n`,
  );
  if (passes <= tolerance) return exitCodes.fine;
  terminal.error("the passes change the result: `dsc opt --print-after` shows each of them\n");
  return exitCodes.errorsFound;
}

function shareOf(expected: Float64Array, found: Float64Array): number {
  const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), Number.MIN_VALUE);
  return expected.reduce((most, x, i) => Math.max(most, Math.abs(x - (found[i] ?? Number.NaN)) / scale), 0);
}
