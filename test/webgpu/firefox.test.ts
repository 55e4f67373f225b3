/** Firefox: kernels by naga and wgpu, on the drivers that Dawn is tried on. */
import { afterAll, describe, expect, test } from "vitest";
import { wgslModule } from "../../backends/wgsl/module.ts";
import { webgpuCost, webgpuTarget } from "../../backends/wgsl/target.ts";
import { publishedConfig, whyNoConfigs } from "../models/published-configs.ts";
import { compileConfig, latent } from "../program/compiled-models.ts";
import { conform, little } from "./conform.ts";
import { lavapipeDriver, swiftshaderDriver } from "./drivers.ts";
import { openFirefoxGpu } from "./firefox-gpu.ts";
import { variants } from "./machines.ts";

const full = process.env["DSC_FULL"] === "1";
const open = (driver: Parameters<typeof openFirefoxGpu>[0]): ReturnType<typeof openFirefoxGpu> =>
  full ? openFirefoxGpu(driver) : Promise.resolve("only in the full tests");
const onSwiftshader = await open(swiftshaderDriver);
const onLavapipe = await open(lavapipeDriver());
afterAll(async () => {
  for (const gpu of [onSwiftshader, onLavapipe]) if (typeof gpu !== "string") await gpu.close();
});

conform("Firefox on SwiftShader", { gpu: onSwiftshader, flushes: true, share: little, first: 5 });
conform("Firefox on lavapipe", { gpu: onLavapipe, flushes: false, share: little, first: 9 });

// This driver compiles when kernels run: what pipelines take is the time of the browser's own compiler.
const why = typeof onLavapipe === "string" ? ` (skipped: ${onLavapipe})` : "";
describe.skipIf(why !== "")(`naga takes all kernels${why}`, () => {
  if (typeof onLavapipe === "string") return;
  const usable = Object.values(variants).filter((v) => !v.f16 || onLavapipe.adapter.features.includes("shader-f16"));
  const models: Readonly<Record<string, () => readonly [entry: string, config: object]>> = {
    "latent attention and experts": () => ["models/deepseek-v2.ds", latent(3)],
    ...(whyNoConfigs === ""
      ? { "V3.2 as it is published": () => ["models/deepseek-v3.2.ds", JSON.parse(publishedConfig("deepseek-v3.2"))] }
      : {}),
  };
  test.each(Object.entries(models))(`of %s${whyNoConfigs}`, async (_, described) => {
    const [entry, config] = described();
    const { kernels } = compileConfig(entry, config, { name: "webgpu", cost: webgpuCost, kernel: webgpuTarget });
    const texts = new Set(kernels.flatMap((k) => usable.map((v) => wgslModule(k, webgpuTarget, v).text)));
    expect(texts.size).toBeGreaterThan(kernels.length);
    const found: string[] = [];
    for (const text of texts) for (const problem of await onLavapipe.check(text)) found.push(`${problem}\n${text}`);
    expect(found.slice(0, 3).join("\n")).toBe("");
  });
  test("and says what is wrong with a text", async () => {
    expect(await onLavapipe.check("@compute @workgroup_size(1) fn f() { let a: u32 = 1i; }")).toEqual([
      expect.stringMatching(/^1:\d+: .*u32/s),
    ]);
    expect(await onLavapipe.check("@compute @workgroup_size(512) fn f() {}")).toEqual([expect.stringContaining("512")]);
  });
});
