/** The values that a package holds for its kernels: a driver that is right has them in all variants, a kernel that is wrong has not. */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { webgpuPackages } from "../../backends/wgsl/compile-target.ts";
import type { Emitted } from "../../compiler/driver/package-target.ts";
import { firstWrong } from "../../runtime/artifact/check-sums.ts";
import { type KernelCheck, readKernelChecks } from "../../runtime/artifact/kernel-checks.ts";
import type { KernelDecl } from "../../runtime/artifact/program.ts";
import { kernelTexts } from "../../runtime/webgpu/kernel-texts.ts";
import { compileConfig, latent, llama } from "../program/compiled-models.ts";
import { checkInputs } from "./check-inputs.ts";
import { openLavapipe, openSwiftshader } from "./drivers.ts";
import type { Gpu } from "./gpu.ts";
import { plantedFaults } from "./planted-faults.ts";

const full = process.env["DSC_FULL"] === "1";
const swiftshader = await openSwiftshader();
/** The one that has f16. It takes seconds over a kernel. */
const lavapipe = full ? await openLavapipe() : "needs DSC_FULL=1";
afterAll(() => {
  for (const gpu of [swiftshader, lavapipe]) if (typeof gpu !== "string") gpu.close();
});

const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === "string" ? new TextEncoder().encode(content) : content;
const models = {
  dense: async () => webgpuPackages.emit(compileConfig("models/deepseek-llm.ds", llama(1), webgpuPackages.target)),
  "dense, weights of f16": async () => {
    const { target, emit } = webgpuPackages;
    return emit(compileConfig("models/deepseek-llm.ds", llama(1), target, null, { weights: "f16" }));
  },
  "latent attention and experts": async () =>
    webgpuPackages.emit(compileConfig("models/deepseek-v2.ds", latent(2), webgpuPackages.target)),
};
const made = new Map<keyof typeof models, Promise<Emitted>>();
const emitted = (model: keyof typeof models): Promise<Emitted> => {
  const known = made.get(model) ?? models[model]();
  made.set(model, known);
  return known;
};
const names: readonly (keyof typeof models)[] = full
  ? ["dense", "dense, weights of f16", "latent attention and experts"]
  : ["dense"];
const content = ({ modules }: Emitted, name: string): string =>
  String(modules.find((m) => m.name === name)?.content ?? "");
const checksOf = (e: Emitted): readonly KernelCheck[] =>
  readKernelChecks(bytesOf(content(e, "checks.json")), e.program);

/** By kernel. */
function textsOf(e: Emitted, variant: string): ReadonlyMap<string, string> {
  const textOf = kernelTexts(content(e, "plain.wgsl"), variant === "plain.wgsl" ? null : content(e, variant));
  return new Map(e.program.kernels.map((k) => [k.name, textOf(k.name) ?? "it is missing"]));
}

/** What the device finds wrong. */
async function asked(gpu: Gpu, check: KernelCheck, k: KernelDecl, text: string) {
  const { buffers, uniform } = checkInputs(check, k);
  const back = await gpu.run({ text, entry: k.name, buffers, uniform, workgroups: [check.groups, 1] });
  const written = (k.gpu?.bindings ?? []).flatMap((members, i) => (buffers[i]?.written === true ? members : []));
  return firstWrong(check, k, (b) => back[written.indexOf(b)] ?? new Uint8Array(0));
}

test.each(names)("there are values for every kernel of a small model: %s", async (model) => {
  const e = await emitted(model);
  const checks = checksOf(e);
  expect(checks.map((c) => c.kernel)).toEqual(e.program.kernels.map((_, i) => i));
  // A package that differed from machine to machine would be none to rely on.
  expect(content(e, "checks.json")).toBe(content(await models[model](), "checks.json"));
  expect(content(e, "checks.json").length / checks.length).toBeLessThan(300);
});

test.skipIf(!full)("there are values for every kernel of V3.2 at full size", { timeout: 600_000 }, async () => {
  const config = JSON.parse(readFileSync(new URL("../../models/deepseek-v3.2.config.json", import.meta.url), "utf8"));
  const e = await webgpuPackages.emit(compileConfig("models/deepseek-v3.2.ds", config, webgpuPackages.target));
  const known = new Set(checksOf(e).map((c) => c.kernel));
  expect(e.program.kernels.flatMap(({ name }, i) => (known.has(i) ? [] : [name]))).toEqual([]);
});

/** How many texts were tried, all of which have to have their values. */
async function tried(gpu: Gpu, e: Emitted, wanted: (text: string) => boolean): Promise<number> {
  const seen = new Set<string>();
  const usable = (e.program.variants ?? []).filter((v) => v.features.every((f) => gpu.adapter.features.includes(f)));
  for (const { file } of usable)
    for (const check of checksOf(e)) {
      const k = e.program.kernels[check.kernel];
      const text = textsOf(e, file.replace("kernels/", "")).get(k?.name ?? "") ?? "";
      if (k === undefined || seen.has(text) || !wanted(text)) continue;
      seen.add(text);
      expect(await asked(gpu, check, k, text), `${file} ${k.name}`).toBeNull();
    }
  return seen.size;
}

describe.skipIf(typeof lavapipe === "string")(
  `lavapipe${typeof lavapipe === "string" ? ` (skipped: ${lavapipe})` : ""}`,
  () => {
    test("kernels that hold f16 have their values with it", { timeout: 600_000 }, async () => {
      if (typeof lavapipe === "string") return;
      const e = await emitted("dense, weights of f16");
      expect(await tried(lavapipe, e, (text) => text.startsWith("enable f16;"))).toBeGreaterThan(5);
    });
  },
);

describe.skipIf(typeof swiftshader === "string")(
  `SwiftShader${typeof swiftshader === "string" ? ` (skipped: ${swiftshader})` : ""}`,
  () => {
    describe.each(names)("%s", (model) => {
      if (typeof swiftshader === "string") return;
      const gpu = swiftshader;

      test("every kernel of every variant has its values", { timeout: 600_000 }, async () => {
        const e = await emitted(model);
        expect(await tried(gpu, e, () => true)).toBeGreaterThan(e.program.kernels.length);
      });

      test("a kernel of which one thing is wrong has not", { timeout: 1_800_000 }, async () => {
        const e = await emitted(model);
        const texts = textsOf(e, "plain.wgsl");
        const [kinds, missed] = [new Set<string>(), [] as string[]];
        let planted = 0;
        const all = full && model === "dense";
        for (const check of checksOf(e).filter((_, i) => all || i % 4 === 2)) {
          const k = e.program.kernels[check.kernel];
          const text = texts.get(k?.name ?? "") ?? "";
          if (k === undefined) continue;
          for (const fault of plantedFaults(text, k.name, all ? 2 : 1)) {
            kinds.add(fault.kind);
            planted += 1;
            if ((await asked(gpu, check, k, fault.text)) === null)
              missed.push(`${k.name}: ${fault.kind}: ${fault.says}`);
          }
        }
        // Attention comes to the same with another largest score in front, a lane may have nothing to store, and where not all items are
        // run nothing is bound behind the last row, where what is too much would be seen.
        if (all) expect(missed.length / planted, missed.join("\n")).toBeLessThan(0.03);
        else expect(missed).toEqual([]);
        expect(kinds.size).toBeGreaterThan(all ? 11 : 8);
      });
    });
  },
);
