/** `dsc opt`: a graph in, passes run, the graph out; from a printed graph or from a model's text. */
import { resolve } from "node:path";
import { closest } from "../../dsl/diagnostics/suggest.ts";
import { narrowFormats } from "../directives/read-directives.ts";
import { fixedSizes, phasesOf } from "../driver/phases.ts";
import { passes, runPasses } from "../driver/pipeline.ts";
import { elaborate } from "../elaborate/elaborate.ts";
import { Builder } from "../graph/builder.ts";
import type { Sizes } from "../graph/dim.ts";
import type { Graph } from "../graph/node.ts";
import { parse } from "../graph/parse.ts";
import { print } from "../graph/print.ts";
import { printProblem, verify } from "../graph/verify.ts";
import { type Pass, printReport } from "../passes/pass.ts";
import { exampleTargets } from "../target/example-targets.ts";
import { checkedOperand } from "./checked-operand.ts";
import { chooseEntry } from "./choose-entry.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { nameFrom } from "./project.ts";
import { readText, sizeLimits } from "./read-file.ts";
import type { Surroundings } from "./surroundings.ts";
import { tellError } from "./tell-error.ts";
import { reportFailure } from "./terminal.ts";
import { writeResult } from "./write-file.ts";

/** The graph before any pass, as `--print-after` names it. */
const elaborated = "elaborate";

interface Start {
  readonly graph: Graph;
  readonly builder: Builder;
}

export function runOpt(line: CommandLine, surroundings: Surroundings): ExitCode {
  const { terminal } = surroundings;
  const [name = ""] = line.operands;
  try {
    const start = name.endsWith(".ds") ? fromModel(line, surroundings) : fromText(name, terminal.cwd);
    if (start instanceof Failure) return reportFailure(terminal, start);
    if (start === null) return exitCodes.errorsFound;
    const text = rewritten(start, line);
    if (text instanceof Failure) return reportFailure(terminal, text);
    const out = line.value("out");
    if (out === null || out === "-") {
      terminal.out(text);
      return exitCodes.fine;
    }
    const path = resolve(terminal.cwd, out);
    const failure = writeResult(path, nameFrom(terminal.cwd, path), text);
    return failure === null ? exitCodes.fine : reportFailure(terminal, failure);
  } catch (error) {
    return tellError(error, name, terminal);
  }
}

function fromText(name: string, cwd: string): Start | Failure {
  const file = resolve(cwd, name);
  const shown = nameFrom(cwd, file);
  const text = readText(file, shown, sizeLimits.source);
  if (text instanceof Failure) return text;
  const builder = new Builder();
  const parsed = parse(text, builder);
  if (!parsed.ok)
    return new Failure(exitCodes.errorsFound, `${shown}:${parsed.line}:${parsed.column}: ${parsed.message}`);
  const [problem] = verify(parsed.graph);
  if (problem !== undefined) return new Failure(exitCodes.errorsFound, `${shown}: ${printProblem(problem)}`);
  return { graph: parsed.graph, builder };
}

/** Null where the model has errors, which have been told. */
function fromModel(line: CommandLine, surroundings: Surroundings): Start | Failure | null {
  const checked = checkedOperand(line, surroundings);
  if (checked === null || checked instanceof Failure) return checked;
  const { bound: model, declared } = checked.result;
  if (model === null || !model.config.given)
    return new Failure(exitCodes.errorsFound, `${checked.shown}: sizes are not known`, "--config config.json");
  const choice = chooseEntry(model, line.value("entry"), ["logits", "next"]);
  if (choice instanceof Failure) return choice;
  return elaborate({
    model,
    declared,
    entry: choice.entry,
    results: [choice.result],
    format: narrowFormats(model, choice.entry),
  });
}

function rewritten({ graph, builder }: Start, line: CommandLine): string | Failure {
  const chosen = chosenPasses(line);
  if (chosen instanceof Failure) return chosen;
  const sizes = sizesFor(graph, line);
  if (sizes instanceof Failure) return sizes;
  const targetName = line.value("target") ?? "gpu";
  const target = exampleTargets.get(targetName);
  if (target === undefined) {
    const hint = `there is ${[...exampleTargets.keys()].join(", ")}`;
    return new Failure(exitCodes.usage, `--target ${targetName}: there is no such target`, hint);
  }
  const wanted = new Set(line.values("print-after"));
  const unknown = [...wanted].find((n) => n !== elaborated && n !== "all" && !chosen.some((p) => p.name === n));
  if (unknown !== undefined) return noPass("--print-after", unknown, chosen);
  const shown: string[] = [];
  const show = (stage: string, g: Graph): void => {
    if (wanted.has(stage) || wanted.has("all")) shown.push(`// after ${stage}\n${print(g)}`);
  };
  show(elaborated, graph);
  const made = runPasses(graph, {
    builder,
    sizes,
    target,
    passes: chosen,
    verify: (g) => verify(g).map(printProblem),
    after: (pass, g) => show(pass.name, g),
  });
  if (wanted.size === 0) shown.push(print(made.graph));
  if (line.has("report")) shown.push(made.reports.map((r) => `// ${printReport(r)}\n`).join(""));
  return shown.join("\n");
}

function chosenPasses(line: CommandLine): readonly Pass[] | Failure {
  const names = line.values("pass").flatMap((text) => text.split(","));
  if (names.length === 0) return passes;
  const chosen: Pass[] = [];
  for (const name of names) {
    const pass = passes.find((p) => p.name === name);
    if (pass === undefined) return noPass("--pass", name, passes);
    chosen.push(pass);
  }
  return chosen;
}

function noPass(option: string, name: string, known: readonly Pass[]): Failure {
  const names = known.map((p) => p.name);
  const near = closest(name, names);
  const hint = near === null ? `there is ${names.join(", ")}` : `did you mean \`${near}\`?`;
  return new Failure(exitCodes.usage, `${option} ${name}: there is no such pass`, hint);
}

/** What plans are made for: one token behind a text, or what `--phase` and `--size` say. */
function sizesFor(graph: Graph, line: CommandLine): Sizes | Failure {
  const open = [...graph.sizes].filter(([, { low, high }]) => low !== high);
  const before = open.find(([, { low }]) => low === 0)?.[0] ?? "S0";
  const tokens = open.find(([name]) => name !== before)?.[0] ?? "T";
  const phases = phasesOf(graph, { tokens, before });
  const phaseName = line.value("phase") ?? "decode";
  const phase = phases.find((p) => p.name === phaseName);
  if (phase === undefined) {
    const hint = `there is ${phases.map((p) => p.name).join(", ")}`;
    return new Failure(exitCodes.usage, `--phase ${phaseName}: there is no such phase`, hint);
  }
  const sizes: Record<string, number> = { ...fixedSizes(graph), ...phase.sizes };
  for (const text of line.values("size")) {
    const [, name, value] = /^(\w+)=(\d{1,15})$/.exec(text) ?? [];
    if (name === undefined || value === undefined)
      return new Failure(exitCodes.usage, `--size ${text}: expected NAME=number`, "for example `--size T=1`");
    const range = graph.sizes.get(name);
    if (range === undefined) {
      const near = closest(name, [...graph.sizes.keys()]);
      const hint = near === null ? null : `did you mean \`${near}\`?`;
      return new Failure(exitCodes.usage, `--size ${text}: the graph has no size \`${name}\``, hint);
    }
    const size = Number(value);
    if (size < range.low || size > range.high) {
      const allowed = range.low === range.high ? `it is ${range.low}` : `it is in ${range.low}..${range.high}`;
      return new Failure(exitCodes.usage, `--size ${text}: the graph has no such \`${name}\``, allowed);
    }
    sizes[name] = size;
  }
  return sizes;
}
