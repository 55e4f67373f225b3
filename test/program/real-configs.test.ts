/**
 * Models at their published sizes, without weights: they compile, whatever one memory holds, code does not grow with layers and experts,
 * and one decoded token reads what the papers' formulas say that it activates.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { wasmPackages } from "../../backends/wasm/compile-target.ts";
import { wasmModule } from "../../backends/wasm/module.ts";
import type { Compiled } from "../../compiler/driver/compile.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { phaseCost } from "../../compiler/package/phase-cost.ts";
import { OutOfMemoryError } from "../../runtime/artifact/errors.ts";
import { readProgram } from "../../runtime/artifact/read-program.ts";
import { planInMemories } from "../../runtime/device/plan-device.ts";
import { root } from "../conformance/bind-text.ts";
import { publishedConfig, whyNoConfigs } from "../models/published-configs.ts";
import { compileConfig } from "./compiled-models.ts";

const published = JSON.parse(readFileSync(join(root, "models/deepseek-v3.2.config.json"), "utf8"));
const compileV32 = (changes: object = {}): Compiled =>
  compileConfig("models/deepseek-v3.2.ds", { ...published, ...changes });
const whole = compileV32();
/** Each of these compiles the model anew. */
const full = process.env["DSC_FULL"] === "1";
const slow = full ? "" : " (needs DSC_FULL=1)";

/** Numbers of weights that one decoded token reads: weights are kept in four bytes. */
const readByDecode = ({ reports, program }: Compiled, name = "decode"): number => {
  const decode = reports.find(({ phase }) => phase === name);
  if (decode === undefined) throw new Error("no decode");
  return phaseCost(decode, program, wasmPackages.target.cost).weights / 4;
};

describe("V3.2 as it is published", () => {
  test("reads the experts of a layer in pieces, an expert each, and nothing else", () => {
    const inPieces = whole.kernels.flatMap((k) => k.buffers.filter((b) => b.pieces !== undefined));
    expect(new Set(inPieces.map((b) => b.name))).toEqual(new Set(["w_gate_in", "w_up_in", "w_down_in"]));
    for (const { pieces, extent } of inPieces)
      expect([pieces, extent]).toMatchObject([{ value: 256 }, { value: 2048 * 7168 }]);
    const [large] = whole.program.kernels.flatMap((k) => k.buffers.filter((b) => Number(b.extent) >= 2 ** 31));
    expect(large?.extent).toBe(256 * 2048 * 7168);
  });

  test("is read by the runtime, and refused for its size before a byte is allocated", async () => {
    const program = readProgram(new TextEncoder().encode(JSON.stringify(whole.program)));
    const sizes = { threads: 2, chunk: 256, logitsChunk: 64, context: 4096 };
    const refused = await planInMemories({ program, ...sizes }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OutOfMemoryError);
    expect(refused).toMatchObject({ needed: expect.closeTo(4 * 683.5e9, -11) });
  });

  test.skipIf(!full)(`names the tensor that fits no memory, where all the others would${slow}`, async () => {
    const { program } = compileV32({ num_hidden_layers: 4 });
    const sizes = { threads: 1, chunk: 256, logitsChunk: 64, context: 4096 };
    const experts = 4 * 256 * 2048 * 7168;
    await expect(planInMemories({ program, ...sizes })).rejects.toMatchObject({
      name: "OutOfMemoryError",
      message: expect.stringMatching(/mlp\.expert\.w_/),
      needed: expect.closeTo(experts, -4),
    });
  });

  // Of 4 layers one has experts: alone it is no round of a repeat, and what stands behind it is fused with it.
  test("has the kernels that it has with 5 layers", () => {
    const few = compileV32({ num_hidden_layers: 5 });
    expect(few.kernels.map(printKernel)).toEqual(whole.kernels.map(printKernel));
    expect(JSON.stringify(whole.program).length).toBeLessThan(1.02 * JSON.stringify(few.program).length);
  });

  test.skipIf(!full)(`has as many kernels with 8 experts, and nearly as much code${slow}`, async () => {
    const routing = { n_group: 4, topk_group: 2, num_experts_per_tok: 4 };
    const [few, many] = [8, 256].map((n) => compileV32({ ...routing, n_routed_experts: n }));
    if (few === undefined || many === undefined) throw new Error("nothing compiled");
    expect(many.kernels.length / few.kernels.length).toBeCloseTo(1, 1);
    const bytes = await Promise.all([many, few].map(async (x) => (await wasmModule(x.kernels)).length));
    expect((bytes[0] ?? 0) / (bytes[1] ?? 1)).toBeCloseTo(1, 1);
    expect(JSON.stringify(many.program).length).toBeLessThan(1.05 * JSON.stringify(few.program).length);
  });
});

/** An audit by the papers' formulas: parameters that one token activates but for the table of the input, in units of 1e9. */
describe("one decoded token reads what it activates", () => {
  test("V3.2, with its indexer: 37.48", () => {
    expect((readByDecode(whole, "decode_after_2048") / 1e9).toFixed(2)).toBe("37.48");
  });
  test("V3.2 where all rows are chosen: of the indexer the key alone, 61 · (64 · 128 · 1536 + 64 · 7168) less", () => {
    const [all, chosen] = [readByDecode(whole), readByDecode(whole, "decode_after_2048")];
    expect(chosen - all).toBe(61 * (64 * 128 * 1536 + 64 * 7168));
  });
  test.skipIf(whyNoConfigs !== "").each([
    ["deepseek-v3", "deepseek-v3", "36.63"],
    ["deepseek-v2", "deepseek-v2", "20.85"],
    ["deepseek-v2", "deepseek-v2-lite", "2.45"],
  ])(`%s with %s: %s${whyNoConfigs}`, (model, config, audited) => {
    const text = publishedConfig(config);
    const compiled = compileConfig(`models/${model}.ds`, JSON.parse(text));
    expect((readByDecode(compiled) / 1e9).toFixed(2)).toBe(audited);
  });
});
