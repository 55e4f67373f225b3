/** Schedules in files of their own, and what `dsc explain` says of both clauses. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ExplainedKernel } from "../../compiler/cli/explain-model.ts";
import { project } from "../cli/run-dsc.ts";
import { runInside } from "../cli/run-inside.ts";
import { config, textOf } from "./small-model.ts";

const files = { "small.ds": textOf({ numerics: ["layer.g : bf16"] }), "config.json": config };
const schedule = (...rules: readonly string[]): string =>
  `import small from "./small"\n\nschedule for small {\n${rules.map((r) => `  ${r}\n`).join("")}}\n`;
const line = ["small.ds", "--config", "config.json", "--schedule", "fast.ds"];

test("explain says where a clause has decided", async () => {
  const cwd = project({ ...files, "fast.ds": schedule("layer.g : one_by_one", "embed : apart") });
  expect((await runInside(["check", "fast.ds"], cwd)).error).toContain("error[DS0302]: `embed` is a weight");
  writeFileSync(join(cwd, "fast.ds"), schedule("layer.g : one_by_one"));
  expect(await runInside(["check", "fast.ds"], cwd)).toMatchObject({ code: 0, error: "" });
  const { code, out } = await runInside(["explain", ...line, "--json"], cwd);
  const told: readonly { readonly phase: string; readonly kernels: readonly ExplainedKernel[] }[] = JSON.parse(out);
  expect({ code, phases: told.map((p) => p.phase) }).toEqual({ code: 0, phases: ["decode", "prefill", "score"] });
  for (const { kernels } of told) {
    const because = kernels.find((k) => k.definition === "layer.g")?.because.slice(0, 2);
    expect(because).toEqual(["schedule: one_by_one (fast.ds:4:3)", "numerics: kept as bf16 (small.ds:36:5)"]);
  }
});

test("a rule that cannot be followed ends compiling, and nothing is written", async () => {
  const cwd = project({ ...files, "fast.ds": schedule("layer.g : streamed") });
  const { code, error } = await runInside(["compile", ...line, "--out", "out"], cwd);
  expect(code).toBe(1);
  expect(error).toContain("fast.ds:4:3: [DS0302] schedule: strategy does not apply: in phase decode: ");
});

test.each([
  ["schedule for smal { layer.g : apart }", 1, "no model named `smal`"],
  ["schedule for small { layer.g : }", 1, "fast.ds:1:"],
  ["fn f(x: real) = x", 1, "only schedules stand in such a file"],
])("a file of schedules that is none: %s", async (text, code, message) => {
  const cwd = project({ ...files, "fast.ds": text });
  const ran = await runInside(["explain", ...line], cwd);
  expect(ran).toMatchObject({ code, out: "" });
  expect(ran.error).toContain(message);
});

test("a file that is not there", async () => {
  expect(await runInside(["explain", ...line], project(files))).toMatchObject({ code: 3, out: "" });
});
