/** Kernels say where the text defines what they compute. */
import { expect, test } from "vitest";
import { readProject } from "../conformance/bind-text.ts";
import { compileConfig, latent, llama } from "./compiled-models.ts";

/** What stands at `std/rope.ds:16:3`. */
function textAt(place: string): string {
  const [, path = "", line = "", column = ""] = /^(.+):(\d+):(\d+)$/.exec(place) ?? [];
  const text = readProject(path.replace(/^std\//, "dsl/stdlib/")) ?? readProject(path);
  return (text?.split("\n")[Number(line) - 1] ?? "").slice(Number(column) - 1);
}

test.each([
  ["models/deepseek-llm.ds", llama(2)],
  ["models/deepseek-v2.ds", latent(3)],
])("%s", (entry, config) => {
  const { kernels, reports } = compileConfig(entry, config);
  let told = 0;
  for (const { node, kernel, where } of reports.flatMap((r) => r.kernels)) {
    const source = kernels.find((k) => k.name === kernel)?.source ?? "";
    expect(source).toMatch(/^[\w.]+( \(.+:\d+:\d+\))?: ./);
    if (where === null) continue;
    told += 1;
    // The equation of the definition itself, or of what it was taken out of.
    const [, name = ""] = /^(\w+)/.exec(textAt(where)) ?? [];
    const isOf = node.name.split(".").some((part) => `_${part}_`.includes(`_${name}_`));
    expect(isOf, `${node.name} ${where}`).toBe(true);
    expect(textAt(where), where).toContain("=");
  }
  expect(told).toBeGreaterThan(0.9 * reports.flatMap((r) => r.kernels).length);
});
