/** What is written of kernels and what is read of them is the same. */
import { describe, expect, test } from "vitest";
import { changedLines, plainFile, variantFile } from "../../backends/wgsl/kernel-files.ts";
import { type WgslModule, wgslModule } from "../../backends/wgsl/module.ts";
import { webgpuCost, webgpuSubgroupsTarget, webgpuTarget } from "../../backends/wgsl/target.ts";
import { plainVariant } from "../../backends/wgsl/variant.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { randomFromSeed } from "../../runtime/sampling/random.ts";
import { kernelTexts } from "../../runtime/webgpu/kernel-texts.ts";
import { compileConfig, latent, llama } from "../program/compiled-models.ts";

const models = { "models/deepseek-llm.ds": llama(1), "models/deepseek-v2.ds": latent(2) };
const target = { name: "webgpu", cost: webgpuCost, kernel: webgpuTarget };

/** Texts have their functions in any order. */
const inOrder = (text: string): readonly string[] =>
  text
    .split(/\n\n(?=fn |struct Place|@compute)/)
    .map((part) => part.trim())
    .sort();

describe.each(Object.entries(models))("%s", (entry, config) => {
  const { scheduled } = compileConfig(entry, config, target, null, { weights: "f16" });
  const spelled = (t: typeof webgpuTarget, f16: boolean): readonly WgslModule[] =>
    scheduled.map((k) => wgslModule(lower(k, t), t, { ...plainVariant, f16, wholeVectors: true }));
  const plain = spelled(webgpuTarget, false);
  const written = plainFile(plain);

  test("plain kernels are whole, and functions of several are there once", () => {
    const read = kernelTexts(written, null);
    for (const m of plain) expect(inOrder(read(m.kernel.name) ?? "")).toEqual(inOrder(m.text));
    expect(read("another")).toBeUndefined();
    expect(written.split("fn group_of(").length).toBe(2);
    expect(written.length).toBeLessThan(0.9 * plain.reduce((n, m) => n + m.text.length, 0));
  });

  test.each([
    ["f16", webgpuTarget, true],
    ["subgroups", webgpuSubgroupsTarget, false],
    ["f16-subgroups", webgpuSubgroupsTarget, true],
  ] as const)("%s: what differs, and the rest is plain", (_, t, f16) => {
    const all = spelled(t, f16);
    const own = all.filter((m, i) => m.text !== plain[i]?.text);
    const file = variantFile(own, plain);
    const read = kernelTexts(written, file);
    for (const m of all) expect(inOrder(read(m.kernel.name) ?? "")).toEqual(inOrder(m.text));
    expect(own.length).toBeGreaterThan(3);
    expect(file.length).toBeLessThan(0.7 * own.reduce((n, m) => n + m.text.length, 0));
  });
});

test("changed lines of any texts", () => {
  const { nextFraction } = randomFromSeed(7);
  const below = (n: number): number => Math.floor(nextFraction() * n);
  const lines = ["", "}", "  let a = b + c + d + e + f;", "  workgroupBarrier();", "another line that is long", "x"];
  const some = (n: number): string[] => Array.from({ length: below(n) }, () => lines[below(lines.length)] ?? "");
  for (let i = 0; i < 300; i += 1) {
    const from = some(30);
    const to = from.flatMap((line) => (below(6) === 0 ? some(4) : [line]));
    const read = kernelTexts(`//// k\n${from.join("\n")}`, `//// k\n${changedLines(from.join("\n"), to.join("\n"))}`);
    expect(read("k")).toBe(to.join("\n"));
  }
});

test("a function that is missing, or lines that are not there, are no text of a kernel", () => {
  const plain = "//// fn f\nfn f() {}\n//// k f\na\nb\nc";
  expect(kernelTexts(plain, null)("k")).toBe("a\nb\nc\nfn f() {}");
  expect(kernelTexts(plain, "//// k f\n//= 2 3")("k")).toBe("b\nc\nfn f() {}");
  expect(kernelTexts(plain, "//// k f\n//= 3 9")("k")).toBeUndefined();
  expect(kernelTexts(plain, "//// k g\n//= 1 1")("k")).toBeUndefined();
});
