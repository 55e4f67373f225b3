/**
 * Mutated configs through checker and elaboration: what comes is diagnostics, an ElaborationError, or a graph that its
 * verifier accepts. A case is a function of its seed.
 */
import { readFileSync } from "node:fs";
import { ElaborationError } from "../../compiler/elaborate/context.ts";
import { elaborate } from "../../compiler/elaborate/elaborate.ts";
import { printProblem, verify } from "../../compiler/graph/verify.ts";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import { readProject, root } from "../conformance/bind-text.ts";
import { textOf } from "../conformance/text-of.ts";
import { caseNames, loadCase, loadSparseCase, sparseCaseNames } from "../oracle/cases.ts";
import { cpuTime } from "./cpu-time.ts";
import { mutatedJson } from "./mutate-json.ts";
import { type Random, seeded } from "./random.ts";

interface Origin {
  readonly entry: string;
  readonly config: string;
}

const published = readFileSync(`${root}models/deepseek-v3.2.config.json`, "utf8");
const origins: readonly Origin[] = [
  ...caseNames.map((name) => ({ entry: "models/deepseek-llm.ds", config: loadCase(name).config })),
  ...sparseCaseNames.flatMap((name) => {
    const { config } = loadSparseCase(name);
    const entry = `models/${textOf(config)}.ds`;
    return [0, 1, 2].map(() => ({ entry, config }));
  }),
  { entry: "models/deepseek-v3.2.ds", config: published },
];

export interface ConfigOutcome {
  /** How many cases ended in each way: `graph`, `elaboration error`, or the code of the first diagnostic. */
  readonly ends: ReadonlyMap<string, number>;
  readonly failures: readonly { readonly seed: number; readonly error: string }[];
  readonly slowest: { readonly seed: number; readonly ms: number };
}

/** Numbers that sizes may well be: most of those of `mutatedJson` are refused at once. */
function resized(random: Random, text: string): string {
  const fields: Record<string, unknown> = JSON.parse(text);
  const numbers = Object.keys(fields).filter((key) => typeof fields[key] === "number");
  for (let i = 1 + random.below(3); i > 0; i -= 1) {
    const key = random.pick(numbers);
    const value = Number(fields[key]);
    fields[key] = random.pick([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, value + 1, value * 2, Math.max(1, value >> 1)]);
  }
  return JSON.stringify(fields);
}

const cache = newParseCache();

export function configCase(seed: number): Origin {
  const random = seeded(seed);
  const { entry, config } = random.pick(origins);
  const changed = random.below(3) === 0 ? mutatedJson(random, config) : resized(random, config);
  return { entry, config: random.below(4) === 0 ? mutatedJson(random, changed) : changed };
}

function endOf({ entry, config }: Origin): string {
  const checked = checkProject({ entry, read: readProject, cache, config: { path: "config.json", text: config } });
  const wrong = checked.diagnostics.find(({ severity }) => severity === "error");
  if (wrong !== undefined) return wrong.code;
  if (checked.bound === null) throw new Error("no error, and no model");
  try {
    const { graph } = elaborate({ model: checked.bound, declared: checked.declared, entry: "forward" });
    const [problem] = verify(graph);
    if (problem !== undefined) throw new Error(`the graph is not right: ${printProblem(problem)}`);
    return "graph";
  } catch (error) {
    if (error instanceof ElaborationError) return "elaboration error";
    throw error;
  }
}

/** Seeds `from` to `from + count - 1`. */
export function runConfigCases(from: number, count: number): ConfigOutcome {
  const ends = new Map<string, number>();
  const failures: { seed: number; error: string }[] = [];
  let slowest = { seed: from, ms: 0 };
  for (let seed = from; seed < from + count; seed += 1) {
    const started = cpuTime();
    try {
      const end = endOf(configCase(seed));
      ends.set(end, (ends.get(end) ?? 0) + 1);
    } catch (error) {
      failures.push({ seed, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
    const ms = cpuTime() - started;
    if (ms > slowest.ms) slowest = { seed, ms };
  }
  return { ends, failures, slowest };
}
