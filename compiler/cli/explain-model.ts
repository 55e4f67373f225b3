/**
 * `dsc explain MODEL.ds --target wasm`: every kernel of every phase, what was fused into it and why, and what it costs; or the text of one.
 */
import { loadPlan, planNames } from "../../backends/registry.ts";
import { closest } from "../../dsl/diagnostics/suggest.ts";
import type { TokenChoice } from "../../runtime/artifact/program.ts";
import { placeText, strategyText } from "../directives/directives.ts";
import { type Compiled, type CompileTarget, compileModel, type PhaseReport } from "../driver/compile.ts";
import type { PlanTarget } from "../driver/package-target.ts";
import { narrowFormat } from "../elaborate/narrowed.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { memoryCard } from "../package/memory-card.ts";
import { byteText } from "../package/number-words.ts";
import { kernelCosts, launchesIn, playedFor } from "../package/phase-cost.ts";
import { printReport } from "../passes/pass.ts";
import type { KernelReport } from "../program/phase-order.ts";
import type { CostTarget } from "../target/target.ts";
import { readInputs } from "./check-file.ts";
import type { CommandLine } from "./command-line.ts";
import { checkedModel, readChoices } from "./compile/checked-model.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { windowsText } from "./explain-windows.ts";
import { Failure } from "./failure.ts";
import type { Surroundings } from "./surroundings.ts";
import { tellError } from "./tell-error.ts";
import { reportFailure } from "./terminal.ts";

/** What is said of one kernel; times and bytes are of one call of it. */
export interface ExplainedKernel {
  readonly definition: string;
  /** Where the text defines it; null of what it does not name. */
  readonly where: string | null;
  readonly kernel: string;
  readonly strategy: string;
  /** Calls in one run of the phase. */
  readonly calls: number;
  /** Which launch of the phase it is part of. */
  readonly launch: number;
  /** Of a token, that it is for alone; null: it is launched always. */
  readonly choice: TokenChoice | null;
  readonly bytes: number;
  /** Of these, of weights. */
  readonly weights: number;
  readonly flops: number;
  /** By the roofline: the slower of arithmetic and traffic, and the launch. */
  readonly seconds: number;
  /** Of the time of the phase, 0 to 1. */
  readonly share: number;
  /** What the text says of it; what became part of it, and why; better plans that could not be had. */
  readonly because: readonly string[];
}

export async function runExplainModel(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  const [file = ""] = line.operands;
  try {
    const told = await explain(line, file, surroundings);
    if (told === null) return exitCodes.errorsFound;
    if (told instanceof Failure) return reportFailure(terminal, told);
    if (typeof told === "string") {
      terminal.out(told);
      return exitCodes.fine;
    }
    if (line.has("json")) terminal.out(`${JSON.stringify(told.phases, null, 2)}\n`);
    else terminal.out([cardText(told.program, told.target), ...told.phases.map(phaseText)].join(""));
    for (const { path, at } of told.unmet)
      terminal.error(`${placeText(at)}: nothing that is computed here is called \`${path}\`\n`);
    return exitCodes.fine;
  } catch (error) {
    return tellError(error, file, terminal);
  }
}

interface ExplainedPhase extends Pick<PhaseReport, "from" | "to" | "rows"> {
  readonly phase: string;
  readonly sizes: PhaseReport["sizes"];
  /** Inputs that are rows of tables, and what numbers the rows. */
  readonly lookups: readonly { readonly input: string; readonly rows: string }[];
  /** In one run. */
  readonly launches: number;
  /** At temperature 0. */
  readonly greedyLaunches: number;
  readonly kernels: readonly ExplainedKernel[];
}

interface Explained {
  readonly target: CompileTarget;
  readonly program: Compiled["program"];
  readonly phases: readonly ExplainedPhase[];
  readonly unmet: Compiled["unmet"];
}

async function explain(
  line: CommandLine,
  file: string,
  surroundings: Surroundings,
): Promise<Explained | string | Failure | null> {
  const { terminal, home } = surroundings;
  const choices = readChoices(line, planNames);
  if (choices instanceof Failure) return choices;
  const inputs = readInputs(line, terminal.cwd);
  if (inputs instanceof Failure) return inputs;
  const checked = checkedModel({ file, inputs, choices }, surroundings);
  if (checked === null || checked instanceof Failure) return checked;
  const found = await loadPlan(choices.target);
  if (found === null) throw new Error(`no target ${choices.target}`);
  const { model, declared, entry } = checked;
  const { target } = found;
  const { weights, verify } = choices;
  const compiled = compileModel({ model, declared, entry, target, weights, verify, compiler: home.version });
  const asked = line.value("kernel");
  if (asked !== null) return kernelText(asked, compiled.scheduled, found);
  const wanted = line.value("phase");
  const phases = compiled.reports.filter((r) => wanted === null || r.phase === wanted);
  const { program } = compiled;
  const unmet = wanted === null ? compiled.unmet : [];
  if (phases.length > 0)
    return { target, program, phases: phases.map((r) => explained(r, program, target.cost)), unmet };
  const names = compiled.reports.map((r) => r.phase).join(", ");
  return new Failure(exitCodes.usage, `--phase ${wanted}: there is no such phase`, `there is ${names}`);
}

/** One kernel as the target has it. */
async function kernelText(
  asked: string,
  kernels: readonly Kernel[],
  { textOf }: PlanTarget,
): Promise<string | Failure> {
  const kernel = kernels.find((k) => k.name === asked);
  if (kernel !== undefined) return textOf(kernel);
  const near = closest(
    asked,
    kernels.map((k) => k.name),
  );
  const hint = near === null ? "the names are those that `dsc explain` lists" : `did you mean \`${near}\`?`;
  return new Failure(exitCodes.usage, `--kernel ${asked}: there is no such kernel`, hint);
}

function explained(report: PhaseReport, program: Compiled["program"], target: CostTarget): ExplainedPhase {
  const { phase, from, to, rows, sizes, kernels, passes, lookups, storageOf } = report;
  const costs = kernelCosts(report, program, target);
  const played = new Set(playedFor(kernels));
  const whole = kernels.reduce((sum, k, i) => (played.has(k) ? sum + (costs[i]?.seconds ?? 0) * k.times : sum), 0);
  return {
    phase,
    from,
    to,
    rows,
    sizes,
    lookups: lookups.map(({ input, rows }) => ({ input, rows })),
    launches: launchesIn(kernels),
    greedyLaunches: launchesIn(kernels, "greedy"),
    kernels: kernels.map((k, i) => {
      const name = `%${k.node.name}`;
      const about = passes.filter((r) => r.decision.split(/[ ,]+/).includes(name) || `%${r.node}` === name);
      const { bytes, weights, flops, seconds } = costs[i] ?? { bytes: 0, weights: 0, flops: 0, seconds: 0 };
      return {
        definition: k.node.name,
        where: k.where,
        kernel: k.kernel,
        strategy: k.says,
        calls: k.times,
        launch: k.launch,
        choice: k.choice,
        bytes,
        weights,
        flops,
        seconds,
        share: (seconds * k.times) / whole,
        because: [...saidOf(k, storageOf), ...about.map(printReport), ...k.refused.map((why) => `not ${why}`)],
      };
    }),
  };
}

/** What the text decides of a kernel. */
function saidOf({ node, rule }: KernelReport, storageOf: PhaseReport["storageOf"]): readonly string[] {
  const format = narrowFormat(node);
  // Rows of a state and rounds of a recurrence bear the name of what they are written to.
  const kept = storageOf(node.name) ?? storageOf(node.name.replace(/\.(rows|next|\d+)$/, ""));
  return [
    ...(rule === null ? [] : [`schedule: ${strategyText(rule.strategy)} (${placeText(rule.at)})`]),
    ...(kept === null || format === null ? [] : [`numerics: kept as ${format} (${placeText(kept.at)})`]),
  ];
}

/** What is kept whatever is called. */
function cardText(program: Compiled["program"], target: CompileTarget): string {
  const { weights, statePerToken, context, stateAtContext } = memoryCard(program);
  const kinds = [...new Set(program.weights.map((w) => w.elem))].sort().join(", ");
  const elements = program.weights.reduce((n, w) => [...w.stacks, ...w.shape].reduce((m, size) => m * size, 1) + n, 0);
  const kept = `${byteText(weights)} of weights (${countText(elements).trim()} numbers as ${kinds})`;
  const tokens = `${byteText(statePerToken)} a remembered token, ${byteText(stateAtContext)} for ${context}`;
  return `${program.model}: ${kept}; ${tokens}\n${windowsText(program, target)}\n`;
}

/** The calls of a phase: `2 to 163 tokens, up to 2048 rows after them`. */
function callsText({ from, to, rows }: ExplainedPhase): string {
  const tokens = from === to ? `${from} ${from === 1 ? "token" : "tokens"}` : `${from} to ${to} tokens`;
  if (rows === null) return tokens;
  return `${tokens}, ${rows.from === 1 ? "up to" : `${rows.from} to`} ${rows.to} rows after ${from === 1 && to === 1 ? "it" : "them"}`;
}

function phaseText(explained: ExplainedPhase): string {
  const { phase, sizes, lookups, launches, greedyLaunches, kernels } = explained;
  const numbers = Object.entries(sizes).map(([name, n]) => `${name} = ${n}`);
  const played = playedFor(kernels);
  const total = (of: "seconds" | "bytes" | "weights"): number => played.reduce((sum, k) => sum + k[of] * k.calls, 0);
  const run = greedyLaunches === launches ? `${launches}` : `${launches} (at temperature 0 ${greedyLaunches})`;
  const moved = `${run} kernels run, ${byteText(total("bytes"))} moved, ${byteText(total("weights"))} of it weights`;
  const lines = [
    `${phase}: ${callsText(explained)}, planned for ${numbers.join(", ")}: ${moved}; ${timeText(total("seconds"))} by the roofline`,
  ];
  for (const { input, rows } of lookups) lines.push(`  ${input}: looked up before it, by ${rows}`);
  for (const k of kernels) {
    const cost = `${byteText(k.bytes)}, ${countText(k.flops)}FLOP, ${timeText(k.seconds)}, ${(100 * k.share).toFixed(1)} %`;
    const named = k.where === null ? k.definition : `${k.definition} (${k.where})`;
    lines.push(`  ${named}${k.calls > 1 ? ` (${k.calls} times)` : ""}: ${cost}`);
    const others = kernels.filter((x) => x !== k && x.launch === k.launch).map((x) => x.definition);
    lines.push(`    ${k.kernel}: ${k.strategy}`);
    if (k.choice === "greedy") lines.push("    at temperature 0 alone");
    if (k.choice === "best") lines.push("    not at temperature 0");
    if (others.length > 0) lines.push(`    launched with ${[...new Set(others)].join(", ")}`);
    for (const why of k.because) lines.push(`    ${why}`);
  }
  return `${lines.join("\n")}\n\n`;
}

const timeText = (s: number): string =>
  s >= 1 ? `${s.toFixed(2)} s` : s >= 1e-3 ? `${(s * 1e3).toFixed(2)} ms` : `${(s * 1e6).toFixed(2)} us`;
function countText(n: number): string {
  const steps = [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const;
  const found = steps.find(([size]) => n >= size);
  return found === undefined ? `${n} ` : `${(n / found[0]).toFixed(2)} ${found[1]}`;
}
