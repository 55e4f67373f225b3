/** The compiler over texts in memory: what the playground shows of them. Without any input or output, so that it runs in a page. */
import { webgpuPackages, webgpuSubgroupsPlan } from "../../../backends/wgsl/compile-target.ts";
import { type CheckedProject, checkProject } from "../../../dsl/checker/check-project.ts";
import { newParseCache } from "../../../dsl/checker/load.ts";
import type { Diagnostic } from "../../../dsl/diagnostics/diagnostic.ts";
import { renderText } from "../../../dsl/diagnostics/render-text.ts";
import { positionAt } from "../../../dsl/diagnostics/source.ts";
import { countParameters } from "../../../dsl/graph-view/count-parameters.ts";
import { drawSvg } from "../../../dsl/graph-view/draw-svg.ts";
import { drawText } from "../../../dsl/graph-view/draw-text.ts";
import { type Compiled, compileModel, type PhaseReport } from "../../driver/compile.ts";
import type { PlanTarget } from "../../driver/package-target.ts";
import { kernelCosts } from "../../package/phase-cost.ts";
import { chooseEntry } from "../choose-entry.ts";
import { Failure } from "../failure.ts";
import { knownFailure } from "../known-failures.ts";
import type { Checked, Draft, Place, PlannedPhase, Told } from "./protocol.ts";

/** What cannot be done with a text, said to its author. */
export class WorkbenchError extends Error {
  override readonly name = "WorkbenchError";
}

const configName = "config.json";

export class Workbench {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #compiler: string;
  readonly #cache = newParseCache();
  #planned: { readonly compiled: Compiled; readonly target: PlanTarget } | null = null;

  constructor(texts: ReadonlyMap<string, string>, compiler: string) {
    this.#texts = texts;
    this.#compiler = compiler;
  }

  /** `config`: instead of the draft's. */
  project({ entry, edits, config: own }: Draft, config = own): CheckedProject {
    return checkProject({
      entry,
      read: (path) => (Object.hasOwn(edits, path) ? edits[path] : this.#texts.get(path)) ?? null,
      cache: this.#cache,
      ...(config === null ? {} : { config: { path: configName, text: config } }),
    });
  }

  check(draft: Draft): Checked {
    const { diagnostics, model } = this.project(draft);
    const fine = !diagnostics.some(({ severity }) => severity === "error");
    const picture = fine && model !== null ? { svg: drawSvg(model), text: drawText(model) } : null;
    const parameters = fine && model !== null ? countParameters(model).total : null;
    return { diagnostics: diagnostics.map(toldOf), picture, parameters };
  }

  /** Kernels of each phase, the costliest first where they are looked at. Throws WorkbenchError. */
  plan(draft: Draft, subgroups: boolean): readonly PlannedPhase[] {
    const target = subgroups ? webgpuSubgroupsPlan : webgpuPackages;
    const { model, declared, entry } = this.#bound(draft);
    const compiled = orExplain(() =>
      compileModel({ model, declared, entry, target: target.target, weights: "f32", compiler: this.#compiler }),
    );
    this.#planned = { compiled, target };
    return compiled.reports.map((report) => phaseOf(report, compiled, target));
  }

  /** A kernel of the last plan, as the target has it. */
  async kernel(name: string): Promise<string> {
    const kernel = this.#planned?.compiled.scheduled.find((k) => k.name === name);
    if (this.#planned === null || kernel === undefined) throw new WorkbenchError(`there is no kernel ${name}`);
    return this.#planned.target.textOf(kernel);
  }

  #bound(draft: Draft) {
    return boundOf(this.project(draft), draft, ["logits", "next"]);
  }
}

/** A model that can be compiled or run, with the entry that is. Throws WorkbenchError. */
export function boundOf({ bound, declared, diagnostics }: CheckedProject, draft: Draft, results: readonly string[]) {
  if (diagnostics.some(({ severity }) => severity === "error"))
    throw new WorkbenchError("the text has errors: see Diagnostics");
  if (bound === null) throw new WorkbenchError(`${draft.entry} has no model`);
  if (!bound.config.given) throw new WorkbenchError("sizes are not known: give the model a config.json");
  const choice = chooseEntry(bound, null, results);
  if (choice instanceof Failure) throw new WorkbenchError(choice.message);
  return { model: bound, declared, ...choice };
}

/** What is no bug of the compiler is said as it would be on the command line. */
export function orExplain<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explained(error);
  }
}

export function explained(error: unknown): unknown {
  const failure = knownFailure(error, (path) => path);
  return failure === null ? error : new WorkbenchError([failure.message, failure.hint ?? ""].join("\n").trimEnd());
}

function toldOf(diagnostic: Diagnostic): Told {
  const { source, start } = diagnostic.primary.span;
  const { line } = positionAt(source, start);
  return {
    severity: diagnostic.severity,
    path: source.path,
    line,
    text: renderText(diagnostic, { colour: false }).trim(),
  };
}

function phaseOf(report: PhaseReport, { program }: Compiled, { target }: PlanTarget): PlannedPhase {
  const { phase, from, to, rows, kernels } = report;
  const costs = kernelCosts(report, program, target.cost);
  const whole = costs.reduce((sum, { seconds }, i) => sum + seconds * (kernels[i]?.times ?? 1), 0);
  const tokens = from === to ? `${from}` : `${from} to ${to}`;
  const behind = rows === null ? "" : ` behind ${rows.from === 1 ? "up to" : `${rows.from} to`} ${rows.to} rows`;
  return {
    phase,
    tokens: `${tokens} ${to === 1 ? "token" : "tokens"}${behind}`,
    kernels: kernels.map(({ node, kernel, says, times, where }, i) => ({
      definition: node.name,
      kernel,
      at: where === null ? null : placeOf(where),
      strategy: says,
      times,
      share: ((costs[i]?.seconds ?? 0) * times) / whole,
      bytes: costs[i]?.bytes ?? 0,
    })),
  };
}

/** `std/mla.ds:12:3`. */
function placeOf(where: string): Place | null {
  const [, path, line] = /^(.*):(\d+):\d+$/.exec(where) ?? [];
  return path === undefined ? null : { path, line: Number(line) };
}
