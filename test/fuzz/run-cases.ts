/** Sends texts through everything that reads text: parser, formatter, checker, renderer, config and listing readers. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import { renderAll } from "../../dsl/diagnostics/render-text.ts";
import { makeSource } from "../../dsl/diagnostics/source.ts";
import { formatSource } from "../../dsl/format/format.ts";
import { cpuTime } from "./cpu-time.ts";
import { type Random, seeded } from "./random.ts";
import { mutated, randomText } from "./texts.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const filesIn = (folder: string, prefix: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".ds"))
      .sort()
      .map((name) => [prefix + name, readFileSync(join(root, folder, name), "utf8")]),
  );
const library = new Map([...filesIn("dsl/stdlib", "std/"), ...filesIn("models", "models/")]);
const corpus = [...library.values()];
const configText = readFileSync(join(root, "models/deepseek-v3.2.config.json"), "utf8");
const listing = JSON.stringify({
  "model.embed_tokens.weight": { dtype: "BF16", shape: [4, 2], data_offsets: [0, 16] },
  "model.norm.weight": { dtype: "F32", shape: [2], data_offsets: [16, 24] },
});

export interface Outcome {
  readonly cases: number;
  readonly slowest: { readonly seed: number; readonly ms: number };
  readonly failures: readonly { readonly seed: number; readonly error: string; readonly text: string }[];
}

const cache = newParseCache();

/** One case: its text is a function of its seed alone. */
export function caseText(seed: number): string {
  return randomText(seeded(seed), corpus);
}

function runCase(seed: number, random: Random): void {
  const text = randomText(random, corpus);
  const source = makeSource("models/fuzz.ds", text);
  const formatted = formatSource(source);
  if (formatted.diagnostics.length === 0) {
    const again = formatSource(makeSource("models/fuzz.ds", formatted.text));
    if (again.diagnostics.length > 0) throw new Error(`formatted text has errors: ${again.diagnostics[0]?.title}`);
    if (again.text !== formatted.text) throw new Error("formatting is not idempotent");
  }
  const hostileInputs = seed % 5 === 0;
  const { diagnostics } = checkProject({
    entry: "models/fuzz.ds",
    read: (path) => (path === "models/fuzz.ds" ? text : (library.get(path) ?? null)),
    cache,
    ...(hostileInputs ? { config: { path: "config.json", text: mutated(random, [configText]) } } : {}),
    ...(seed % 10 === 0 ? { weights: { path: "header.json", text: mutated(random, [listing]) } } : {}),
  });
  renderAll(diagnostics, { colour: false });
}

/** Seeds `from` to `from + count - 1`. */
export function runCases(from: number, count: number, progress: (done: number) => void = () => undefined): Outcome {
  let slowest = { seed: from, ms: 0 };
  const failures: { seed: number; error: string; text: string }[] = [];
  for (let i = 0; i < count; i += 1) {
    const seed = from + i;
    const started = cpuTime();
    try {
      runCase(seed, seeded(seed));
    } catch (error) {
      failures.push({
        seed,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        text: caseText(seed),
      });
    }
    const ms = cpuTime() - started;
    if (ms > slowest.ms) slowest = { seed, ms };
    if (i % 500 === 499) progress(i + 1);
  }
  return { cases: count, slowest, failures };
}
