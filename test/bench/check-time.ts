/**
 * Time of a check, warm and in process, as medians, and its ratio to the text: `npx tsx test/bench/check-time.ts`. Prints a
 * table, asserts nothing.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string | null => {
  try {
    return readFileSync(join(root, path.startsWith("std/") ? `dsl/stdlib/${path.slice(4)}` : path), "utf8");
  } catch {
    return null;
  }
};
const published = readFileSync(join(root, "models/deepseek-v3.2.config.json"), "utf8");
const withLayers = (layers: number): string =>
  published.replace('"num_hidden_layers": 61', `"num_hidden_layers": ${layers}`);

function median(run: () => void, runs = 15): number {
  for (let i = 0; i < 3; i += 1) run();
  const times: number[] = [];
  for (let i = 0; i < runs; i += 1) {
    const started = performance.now();
    run();
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[runs >> 1] ?? 0;
}

const check = (entry: string, config: string | null, more = ""): number => {
  const cache = newParseCache();
  const text = (read(entry) ?? "") + more;
  return median(() => {
    checkProject({
      entry,
      read: (path) => (path === entry ? text : read(path)),
      cache,
      ...(config === null ? {} : { config: { path: "config.json", text: config } }),
    });
  });
};

const rows: (readonly [string, number])[] = [
  ["V3.2, no config", check("models/deepseek-v3.2.ds", null)],
  ["V3.2, 61 layers", check("models/deepseek-v3.2.ds", withLayers(61))],
  ["V3.2, 610 layers", check("models/deepseek-v3.2.ds", withLayers(610))],
  ["V3.2, 6,100 layers", check("models/deepseek-v3.2.ds", withLayers(6100))],
];
const fn = (i: number): string =>
  `fn f${i}(x: [D], w: [D, E]) -> y: [E] {\n  a[e] := w[d,e] * x[d]\n  m := max[e](a[e])\n  y[e] := exp(a[e] - m)\n}\n`;
for (const count of [50, 100, 200, 400]) {
  const text = Array.from({ length: count }, (_, i) => fn(i)).join("\n");
  const cache = newParseCache();
  rows.push([
    `${count} functions, ${text.split("\n").length} lines`,
    median(() => void checkProject({ entry: "a.ds", read: () => text, cache }), 7),
  ]);
}
for (const [name, ms] of rows) console.log(`${name.padEnd(28)} ${ms.toFixed(1).padStart(8)} ms`);
