/** What WGSL texts look like, whatever runs them. */
import { describe, expect, test } from "vitest";
import { bindingsOf, mostBindings } from "../../backends/wgsl/bindings.ts";
import { launchOf } from "../../backends/wgsl/launch.ts";
import { wgslModule } from "../../backends/wgsl/module.ts";
import { webgpuSubgroupsTarget, webgpuTarget } from "../../backends/wgsl/target.ts";
import { plainVariant, type WgslVariant } from "../../backends/wgsl/variant.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { chooseGemv, gemv } from "../kernels/by-hand/gemv.ts";
import { parsedKernel } from "./cases.ts";

const spelled = (text: string, variant: Partial<WgslVariant> = {}, target = webgpuTarget): string =>
  wgslModule(lower(parsedKernel(text), target), target, { ...plainVariant, ...variant }).text;

describe("a text", () => {
  const g = { name: "gemv", weights: "f32", batch: 1, multiple: 8 } as const;
  test.each([webgpuTarget, webgpuSubgroupsTarget])("for $name is as people read it", async (target) => {
    const k = lower(gemv(g, chooseGemv(g, target)), target);
    const { text } = wgslModule(k, target, plainVariant);
    expect(wgslModule(k, target, plainVariant).text).toBe(text);
    await expect(text).toMatchFileSnapshot(`../golden/wgsl/gemv.${target.name}.wgsl`);
  });
  test("says where it is from, in one line whatever that is", () => {
    const k = parsedKernel('kernel @k "" write y: f32[4] rows grid g in 4 { y[g] = f32(1) }');
    const { text } = wgslModule({ ...k, source: "a.b\n@compute fn evil() {}\u2028\\" }, webgpuTarget, plainVariant);
    expect(text.split(/[\n\u2028]/)[0]).toBe("// a.b @compute fn evil() {} ");
  });
  test("takes only the features that it uses", () => {
    const plain = 'kernel @k "" read x: f16[4] rows write y: f32[4] rows grid g in 4 { y[g] = to_f32(x[g]) }';
    expect(spelled(plain)).not.toMatch(/enable|requires|: array<f16>/);
    expect(spelled(plain, { f16: true })).toMatch(/^enable f16;/);
    const sum =
      'kernel @k "" read x: f32[64] rows write y: f32[1] rows lanes 64 { reduce s = sum(x[lane]) over 64 any if lane == 0 { y[0] = s } }';
    expect(spelled(sum)).not.toMatch(/subgroup/);
    const { text, features } = wgslModule(
      lower(parsedKernel(sum), webgpuSubgroupsTarget),
      webgpuSubgroupsTarget,
      plainVariant,
    );
    expect([text.includes("enable subgroups;"), features]).toEqual([true, ["subgroups"]]);
  });
  test("has a function, once, for what WGSL promises less of", () => {
    const text = spelled(
      'kernel @k "" read exp_f32: f32[4] rows write y: f32[4] rows grid g in 4 { let x = exp_f32[g] y[g] = exp(x) + tanh(x) * exp(x * x) }',
    );
    const [name = "", ...others] = [...text.matchAll(/fn (exp_f32\w*)\(x: f32\) -> f32/g)].map((m) => m[1]);
    expect([name, others]).toEqual(["exp_f32_1", []]);
    expect(text.match(/fn tanh_f32\(/g)).toHaveLength(1);
    expect(text.slice(text.indexOf("@compute"))).toContain(`${name}(x) + tanh_f32(x) * ${name}(x * x)`);
    expect(text).not.toMatch(/\b(exp|tanh)\(/);
  });
  test("names nothing as the kernel does", () => {
    const k = parsedKernel(
      'kernel @item "" size lane_of_group min 1 read Sizes: f32[8] rows write y: f32[8] rows grid group in 8 { let f32_of_bits = f32(inf) y[group] = Sizes[group] + f32_of_bits }',
    );
    const { text } = wgslModule(k, webgpuTarget, plainVariant);
    const declared = [...text.matchAll(/(?:fn|struct|let|var(?:<[^>]*>)?) (\w+)/g)].map((m) => m[1]);
    expect(new Set(declared).size).toBe(declared.length);
  });
});

describe("stores", () => {
  const half = (elem: string, width = 1): string =>
    `kernel @k "" read x: f32[64] rows write y: ${elem}[64] rows grid g in 16 { y[g * 4] = to_${elem}(x[g * 4]:${width})${width === 1 ? ` y[g * 4 + 1] = to_${elem}(x[g * 4])` : ""} }`.replaceAll(
      ":1)",
      ")",
    );
  test.each(["i8", "i16", "f16", "bf16"])("of less than a word change their own bits of it: %s", (elem) => {
    expect(spelled(half(elem))).toContain("y: array<atomic<u32>>");
    expect(spelled(half(elem))).toMatch(/atomicXor\(&y\[word\], /);
    expect(spelled(half(elem))).not.toMatch(/^\s*y\[/m);
  });
  test("of whole words are plain, but where a buffer may start inside of one", () => {
    expect(spelled(half("i8", 4))).toContain("y: array<u32>");
    expect(spelled(half("bf16", 4))).toContain("y: array<vec2u>");
    expect(spelled(half("bf16", 4), { wholeVectors: false })).toContain("y: array<atomic<u32>>");
  });
  test("with shader-f16 are of its own type", () => {
    expect(spelled(half("f16"), { f16: true })).toContain("y: array<f16>");
  });
  test("never touch the rest of a vector", () => {
    const tail = `kernel @k "" read x: f32[64] rows write y: f32[64] rows grid g in 8 { y[g * 8] = x[g * 8]:4
      loop i in 4 .. 8 step 1 { y[g * 8 + i] = x[g * 8 + i] } }`;
    const text = spelled(tail);
    expect([text.includes("x: array<vec4f>"), text.includes("y: array<f32>")]).toEqual([true, true]);
  });
});

describe("bindings", () => {
  const many = (n: number, elems: readonly string[]): string => {
    const reads = Array.from({ length: n }, (_, i) => `read x${i}: ${elems[i % elems.length]}[${64 * (i + 1)}] rows`);
    const sum = Array.from({ length: n }, (_, i) => `to_f32(x${i}[g])`).join(" + ");
    return `kernel @k "" ${reads.join(" ")} write y: f32[64] rows grid g in 64 { y[g] = ${sum} }`;
  };
  test("are one for each buffer while there is room", () => {
    expect(bindingsOf(parsedKernel(many(7, ["f32", "i32"]))).map((b) => b.members.length)).toEqual(Array(8).fill(1));
  });
  test("are shared by the smallest that are read, of one type", () => {
    const found = bindingsOf(parsedKernel(many(10, ["f32", "i32"])));
    expect(found.length).toBe(mostBindings);
    const shared = found.filter((b) => b.members.length > 1).map((b) => b.members.map((m) => m.name));
    expect(shared).toEqual(
      [
        ["x0", "x2", "x4"],
        ["x1", "x3"],
      ].slice(0, shared.length),
    );
  });
  test("that cannot be shared are refused", () => {
    const writes = Array.from({ length: 9 }, (_, i) => `write y${i}: f32[4] rows`).join(" ");
    const stores = Array.from({ length: 9 }, (_, i) => `y${i}[g] = f32(${i})`).join(" ");
    const text = `kernel @k "" ${writes} grid g in 4 { ${stores} }`;
    expect(() => spelled(text)).toThrow(expect.objectContaining({ code: "not-spelled", kernel: "k" }));
  });
});

describe("places that differ in a number", () => {
  const body = (of: string): string =>
    spelled(`kernel @k "" read x: f32[512] rows write y: f32[8] rows grid g in 4 { ${of} }`);
  test("have a name for the rest, in vectors of their memory", () => {
    const text = body(
      "let a = x[g * 128]:4 let b = x[g * 128 + 12]:4 y[g * 2] = fold_sum(a + b) y[g * 2 + 1] = fold_sum(a - b)",
    );
    expect(text).toMatch(/let to = \(x_at \+ g \* 128\) >> 2u;\s+let a = x\[to\];\s+let b = x\[to \+ 3\];/);
    expect(text).toMatch(/let to_1 = y_at \+ g \* 2;\s+y\[to_1\] = .*;\s+y\[to_1 \+ 1\] = /);
  });
  test("have none where there is one, and numbers stay behind the division", () => {
    const text = body("let a = x[g * 128 + 8]:4 y[g * 2 + 1] = fold_sum(a)");
    expect(text).not.toContain("let to");
    expect(text).toMatch(/x\[\(\((size\.)?x_at \+ g \* 128\) >> 2u\) \+ 2\]/);
  });
  test("of elements of vectors are what they were", () => {
    const text = body("let a = x[g * 128]:4 let b = x[g * 128 + 5] y[g * 2] = fold_sum(a) + b");
    expect(text).toContain("let a = x[(x_at + g * 128) >> 2u];");
    expect(text).toContain("x_f32(x_at + (g * 128 + 5))");
  });
  test("are named where they are in sight", () => {
    const text = body(
      "if g < 2 { let a = x[g * 128]:4 let b = x[g * 128 + 4]:4 y[g * 2] = fold_sum(a + b) } if 2 <= g { let c = x[g * 128 + 8]:4 let d = x[g * 128 + 4]:4 y[g * 2] = fold_sum(c + d) }",
    );
    expect(text.match(/let to\w* = \(x_at \+ g \* 128\) >> 2u;/g)).toHaveLength(2);
  });
});

describe("what is not said", () => {
  test.each([
    ["invalid-kernel", 'kernel @k "" write y: f32[4] rows grid g in 4 { y[g + 1] = f32(1) }'],
    ["not-spelled", 'kernel @k "" read x: f32[64] rows write y: f32[64] rows grid g in 8 { y[g * 8] = x[g * 8]:8 }'],
    ["not-spelled", 'kernel @k "" write y: f32[4] rows { unroll i in 0 .. 4 step 1 { y[i] = f32(1) } }'],
    ["not-spelled", 'kernel @k "" write y: bf16[4] rows grid g in 4 { y[g] = to_bf16(g) }'],
  ] as const)("%s: %s", (code, text) => {
    const spell = (): string => wgslModule(parsedKernel(text), webgpuTarget, plainVariant).text;
    expect(spell).toThrow(expect.objectContaining({ name: "WgslError", code }));
  });
});

describe("a call", () => {
  const k = parsedKernel(
    'kernel @k "" size N multiple 4 min 4 read x: f32[N] rows write y: f32[N] rows grid g in N { y[g] = x[g] }',
  );
  const module = wgslModule(k, webgpuTarget, plainVariant);
  test("has as many workgroups as its items take, folded where one dimension ends", () => {
    expect(launchOf(module, { N: 128 }, { x: 8 })).toEqual({
      uniform: Int32Array.of(128, 8, 0, 0, 2 ** 31 - 1),
      workgroups: [2, 1],
    });
    const [x, y] = launchOf(module, { N: 64 * 65_536 }, {}).workgroups;
    expect([x, y]).toEqual([65_535, 2]);
  });
  test.each([3, 0, 6, 1.5, Number.NaN])("of %s is refused", (N) => {
    expect(() => launchOf(module, { N }, {})).toThrow(expect.objectContaining({ code: "bad-call" }));
  });
});
