import { NagaError, parseWgsl, validate } from "naga-wasm";
import { afterAll, describe, expect, test } from "vitest";
import { wgslModule } from "../../backends/wgsl/module.ts";
import { webgpuCost, webgpuTarget } from "../../backends/wgsl/target.ts";
import { runCase } from "../../compiler/conformance/graph-case.ts";
import type { Machine } from "../../compiler/conformance/machine.ts";
import { suiteCases } from "../../compiler/conformance/suite.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { readProject } from "../conformance/bind-text.ts";
import { kernelCases } from "../kernels/cases.ts";
import { contractionGraphs } from "../kernels/contraction-graphs.ts";
import { mapCase } from "../kernels/map-case.ts";
import { operationCases } from "../kernels/operation-cases.ts";
import { statementCases } from "../kernels/statement-cases.ts";
import { wideCases } from "../kernels/wide-cases.ts";
import { publishedConfig, whyNoConfigs } from "../models/published-configs.ts";
import { compileConfig, latent, llama } from "../program/compiled-models.ts";
import { isTooWide, isWrappingLoop, parsedKernel } from "./cases.ts";
import { Gpu } from "./gpu.ts";
import { targets, variants } from "./machines.ts";

const full = process.env["DSC_FULL"] === "1";
const slow = full ? "" : " (needs DSC_FULL=1)";
const tint = await Gpu.open("null");
const why = typeof tint === "string" ? ` (skipped: ${tint})` : "";
afterAll(() => (typeof tint === "string" ? undefined : tint.close()));

/** naga has no subgroups yet. */
function secondOpinion(text: string): readonly string[] {
  if (/^enable subgroups;$/m.test(text)) return [];
  try {
    const module = parseWgsl(text);
    validate(module).free();
    module.free();
    return [];
  } catch (error) {
    return [`naga: ${error instanceof NagaError ? error.formatted : error}`];
  }
}

describe.skipIf(why !== "")(`Tint${why}`, () => {
  if (typeof tint === "string") return;
  const gpu = tint;
  const known = new Set<string>();
  /** What it says against the variants of a kernel. */
  async function refusals(k: Kernel, i = 0): Promise<readonly string[]> {
    const found: string[] = [];
    for (const [name, variant] of Object.entries(variants)) {
      const target = targets[i % targets.length];
      if (target === undefined) continue;
      const { text } = wgslModule(k, target, variant);
      if (known.has(text)) continue;
      known.add(text);
      for (const problem of [...(await gpu.check(text)), ...secondOpinion(text)])
        found.push(`${k.name}, ${name}: ${problem}\n${text}`);
    }
    return found;
  }
  const expectAccepted = async (kernels: readonly Kernel[], i = 0): Promise<void> => {
    const found: string[] = [];
    for (const k of kernels) found.push(...(await refusals(k, i)));
    expect(found.slice(0, 3).join("\n")).toBe("");
  };

  test.each(Object.entries(operationCases))("%s", async (_, cases) => {
    const all = cases().map((c) => c.kernel);
    await expectAccepted(all.filter((k, i) => (full || i % 4 === 0) && !isTooWide(k)));
  });
  test("whole numbers of 64 bits", () => expectAccepted(wideCases().map((c) => c.kernel)));
  test("statements", async () => {
    const all = Object.values(statementCases).map((text) => lower(parsedKernel(text), webgpuTarget));
    await expectAccepted(all.filter((k) => !isTooWide(k) && !isWrappingLoop(k)));
  });
  test.each(targets.map((t, i) => [t.name, t, i] as const))("strategies for %s", async (_, target, i) => {
    await expectAccepted(
      kernelCases(target)
        .filter((_case, j) => full || j % 7 === 0)
        .map((c) => lower(c.kernel, target)),
      i,
    );
  });

  test.each(targets.map((t, i) => [t.name, t, i] as const))("products for %s", async (_, target, i) => {
    const texts = Object.values(contractionGraphs).filter((_text, j) => full || j % 4 === i);
    const made = texts.flatMap((text) =>
      [3, 37].map((T) => {
        const planned = { ...target, stagedFrom: 0 };
        const { kernel } = mapCase(text, { sizes: { T, S: 50 }, fixed: {}, target: planned, expected: false });
        return lower({ ...kernel, name: "product" }, target);
      }),
    );
    await expectAccepted(made, i);
  });

  const published = (name: string): object => JSON.parse(publishedConfig(name));
  type Described = readonly [entry: string, config: () => object];
  const publishedModels: Readonly<Record<string, Described>> = {
    "67B as it is published": ["models/deepseek-llm.ds", () => published("deepseek-llm-67b")],
    "V2-Lite as it is published": ["models/deepseek-v2.ds", () => published("deepseek-v2-lite")],
    "V3 as it is published": ["models/deepseek-v3.ds", () => published("deepseek-v3")],
    "V3.2 as it is published": ["models/deepseek-v3.2.ds", () => published("deepseek-v3.2")],
  };
  const models: Readonly<Record<string, Described>> = {
    dense: ["models/deepseek-llm.ds", () => llama(2)],
    "latent attention and experts": ["models/deepseek-v2.ds", () => latent(3)],
    ...(whyNoConfigs === "" ? publishedModels : {}),
  };
  test.skipIf(!full).each(Object.entries(models))(`a model: %s${slow}${whyNoConfigs}`, async (_, [entry, config]) => {
    for (const [i, kernel] of targets.entries()) {
      const { kernels } = compileConfig(entry, config(), { name: "webgpu", cost: webgpuCost, kernel });
      await expectAccepted(kernels, i);
    }
  });

  test.skipIf(!full)(`the conformance suite${slow}`, async () => {
    const found: string[] = [];
    const machines = targets.map(
      (kernel, i): Machine => ({
        name: "Tint",
        cost: webgpuCost,
        kernel,
        open: async (kernels) => {
          for (const k of kernels) found.push(...(await refusals(k, i)));
          throw new Error("spelled");
        },
      }),
    );
    const rows = suiteCases(true, readProject).flatMap((c) => c.weights.map((weights) => ({ c, weights })));
    // Targets take turns: they differ in how sums over lanes are written alone.
    for (const [i, { c, weights }] of rows.entries()) {
      const machine = machines[i % machines.length];
      if (machine === undefined) continue;
      const row = await runCase(c, weights, machine);
      if (row.note !== "spelled") found.push(`${c.subject}, ${weights}: ${row.outcome}, ${row.note}`);
    }
    expect(found.slice(0, 3).join("\n")).toBe("");
  });

  test("says what is wrong with a text", async () => {
    expect(await gpu.check("@compute @workgroup_size(1) fn f() { let a: u32 = 1i; }")).toEqual([
      expect.stringMatching(/^1:\d+: .*i32/),
    ]);
    expect(await gpu.check("@compute @workgroup_size(512) fn f() {}")).toEqual([expect.stringContaining("512")]);
  });
});
