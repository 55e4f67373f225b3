/** What is written of kernels and what is read of them is the same. */
import { describe, expect, test } from "vitest";
import { changedLines, plainFile, variantFile } from "../../backends/wgsl/kernel-files.ts";
import { type WgslModule, wgslModule } from "../../backends/wgsl/module.ts";
import { webgpuCost, webgpuSubgroupsTarget, webgpuTarget } from "../../backends/wgsl/target.ts";
import { inTurns } from "../../backends/wgsl/turns.ts";
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

/** As they are read again. */
const read = (lines: readonly string[]): readonly string[] | undefined =>
  kernelTexts(`//// k\n${lines.join("\n")}`, null)("k")?.split("\n");

test("lines in turns are said once, whatever they are", () => {
  const { nextFraction } = randomFromSeed(3);
  const below = (n: number): number => Math.floor(nextFraction() * n);
  const words = [
    "a",
    "acc_",
    "at",
    "0",
    "1",
    "x01",
    "vec4f(",
    ")",
    "0.5",
    "1e3",
    "2u",
    "007",
    "{ }",
    "{",
    "{i}",
    "a +",
    "8 +",
    "2u +",
  ];
  let shorter = 0;
  for (let round = 0; round < 300; round += 1) {
    const group = Array.from({ length: 1 + below(3) }, () =>
      Array.from(
        { length: 1 + below(6) },
        () => [words[Math.min(below(words.length), below(40))] ?? "", below(3)] as const,
      ),
    );
    // Names count from none or from any number on, and some lines are others.
    const from = below(2);
    const turn = (n: number): readonly string[] =>
      group.map((line) => line.map(([word, step]) => word + (step === 0 ? "" : `${step * n + from || ""}`)).join(" "));
    const all = Array.from({ length: 2 + below(12) }, (_, n) => turn(n)).flat();
    const lines = all.map((line) => (below(20) === 0 ? "another {i}" : line));
    const written = inTurns(lines);
    expect(read(written)).toEqual(lines);
    if (written.length < lines.length) shorter += 1;
  }
  expect(shorter).toBeGreaterThan(30);
});

test("turns are whole statements, and their numbers steps", () => {
  const tile = [0, 1, 2, 3].flatMap((i) => [
    `let at${i || ""} = min(s0 + ${i + 1}, size.S);`,
    `if (s0 < ${4 * i}u) {`,
    `  acc_${2 * i + 1} = key[at${i || ""}] * 0.125;`,
    "}",
  ]);
  const once = [
    "//* 4 4",
    "let at{i?} = min(s0 + {i+1}, size.S);",
    "if (s0 < {4i}u) {",
    "  acc_{2i+1} = key[at{i?}] * 0.125;",
    "}",
  ];
  expect(inTurns(["let s0 = 1;", ...tile, "}"])).toEqual(["let s0 = 1;", ...once, "}"]);
  expect(read(once)).toEqual(tile);
  // More lines than there are, and turns that are no turns, stay what they are.
  expect(read(["//* 2 9", "a{i}"])).toEqual(["a0", "a1"]);
  expect(read(["//* 99999 1", "a"])).toEqual(["//* 99999 1", "a"]);
});

test("the first of several places adds nothing", () => {
  const lines = [0, 1, 2].map((i) => `acc_${i} = w${i || ""}[(at + 4) * 8${i === 0 ? "" : ` + ${8 * i}`}] + 2u;`);
  const once = ["//* 3 1", "acc_{i} = w{i?}[(at + 4) * 8{+8i}] + 2u;"];
  expect(inTurns(lines)).toEqual(once);
  expect(read(once)).toEqual(lines);
});

test("what is bound is numbered as it is declared", () => {
  const [size, a] = ["var<uniform> size: Sizes;", "var<storage, read> a: array<f32>;"];
  const shared = "var<workgroup> s: array<f32, 4>;";
  expect(read([a, "  var<storage> b;", size, shared])).toEqual([
    `@group(0) @binding(0) ${a}`,
    "  var<storage> b;",
    `@group(0) @binding(1) ${size}`,
    shared,
  ]);
});

test("a function that is missing, or lines that are not there, are no text of a kernel", () => {
  const plain = "//// fn f\nfn f() {}\n//// k f\na\nb\nc";
  expect(kernelTexts(plain, null)("k")).toBe("a\nb\nc\nfn f() {}");
  expect(kernelTexts(plain, "//// k f\n//= 2 3")("k")).toBe("b\nc\nfn f() {}");
  expect(kernelTexts(plain, "//// k f\n//= 3 9")("k")).toBeUndefined();
  expect(kernelTexts(plain, "//// k g\n//= 1 1")("k")).toBeUndefined();
});
