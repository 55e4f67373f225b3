/** A model whose feed-forward layers multiply whole numbers: by the packed product where WGSL has it, by bytes of words where not. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { webgpuPackages } from "../../backends/wgsl/compile-target.ts";
import { kernelTexts } from "../../runtime/webgpu/kernel-texts.ts";
import { llama } from "../program/compiled-models.ts";
import { lavapipeDriver, swiftshaderDriver } from "./drivers.ts";
import type { Fault } from "./faulty-gpu.ts";
import { type MadeModel, makeModel } from "./made-model.ts";
import { Player } from "./player.ts";

const full = process.env["DSC_FULL"] === "1";
const needed = "needs DSC_FULL=1";
const players = {
  SwiftShader: full ? await Player.open(swiftshaderDriver) : needed,
  lavapipe: full ? await Player.open(lavapipeDriver(4)) : needed,
};
afterAll(() => {
  for (const player of Object.values(players)) if (typeof player !== "string") player.close();
});

const config = { ...llama(2), hidden_size: 64, intermediate_size: 96, num_attention_heads: 4, num_key_value_heads: 2 };
const ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
let made: MadeModel;
beforeAll(async () => {
  made = await makeModel("test/package/int8-llm.ds", config, true, webgpuPackages.target, {
    settings: new Map([["activations", "int8"]]),
    // Codes of all signs, and multipliers that leave weights of the usual size.
    numbers: ({ name, type }, seeded) =>
      type === "i8" ? seeded.map((x) => x - 128) : name.endsWith("_scale") ? seeded.map((x) => x / 2048) : seeded,
  });
}, 300_000);
afterAll(() => made?.remove());

test("a package has texts with packed products and without, and no weight of 8 bits as more", () => {
  const { variants = [], kernels, weights } = made.program;
  const language = "packed_4x8_integer_dot_product";
  expect(variants.map((v) => [v.file, v.language.includes(language)])).toEqual([
    ["kernels/subgroups-packed.wgsl", true],
    ["kernels/packed.wgsl", true],
    ["kernels/subgroups.wgsl", false],
    ["kernels/plain.wgsl", false],
  ]);
  const text = (name: string): string => readFileSync(fileURLToPath(new URL(name, made.base)), "utf8");
  for (const { file, language: own } of variants) {
    const textOf = kernelTexts(text("kernels/plain.wgsl"), file === "kernels/plain.wgsl" ? null : text(file));
    const packed = kernels.filter((k) => textOf(k.name)?.includes("dot4I8Packed") === true);
    expect(packed.length > 2, file).toBe(own.includes(language));
  }
  expect(weights.filter((w) => w.elem === "i8").map((w) => w.name.split(".").slice(-2).join("."))).toEqual(
    expect.arrayContaining(["gate_of.code", "up_of.code", "down_of.code"]),
  );
});

describe.each(Object.entries(players))("on %s", (driver, player) => {
  const why = typeof player === "string" ? ` (skipped: ${player})` : "";
  const ways: readonly (readonly [Fault, string])[] = [
    [{ kind: "none" }, "subgroups-packed"],
    // What lavapipe makes of bytes of words is in short-products.test.ts: whole models take its compiler a minute.
    ...(driver === "SwiftShader" ? [[{ kind: "no-language" }, "plain"] as const] : []),
  ];
  test.skipIf(why !== "").each(ways)(`%j: %s${why}`, { timeout: 600_000 }, async (fault, variant) => {
    if (typeof player === "string") return;
    const want = (await made.reference(ids)).flat();
    const most = Math.max(...want.map(Math.abs));
    const { base, weights } = made;
    const info = await player.do<object>({ kind: "load", model: "m", base, weights, fault });
    expect(info).toMatchObject({ gpu: { variant, refused: [] } });
    await player.do({ kind: "session", model: "m", session: "s" });
    const got = await player.do<Float32Array>({ kind: "forward", session: "s", ids, all: true });
    await player.try({ kind: "dispose", model: "m" });
    const off = want.map((x, i) => Math.abs(x - (got[i] ?? Number.NaN)) / most);
    expect(Math.max(...off)).toBeLessThan(1e-4);
  });
});
