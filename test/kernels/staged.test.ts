/** Products whose factors go through shared memory, on every description that has some. */
import { describe, expect, test } from "vitest";
import { interpret } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { exprsOf, walkExpr, walkStmts } from "../../compiler/kernel/walk.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { contractionGraphs } from "./contraction-graphs.ts";
import { type MapCase, mapCase, outputOf } from "./map-case.ts";

/** How far it is off, as a share of the largest value; or what is wrong with it. */
function off(c: MapCase, k: Kernel, options: Parameters<typeof interpret>[2]): number | string {
  const out = outputOf(c);
  const fault = interpret(k, { sizes: c.sizes, buffers: { ...c.inputs, made: out } }, options);
  if (fault !== null) return `${fault.kind}: ${fault.message}`;
  const most = Math.max(1, ...c.want.map(Math.abs));
  return Math.max(0, ...c.want.map((x, i) => Math.abs(x - (out[i] ?? Number.NaN)) / most));
}
const caseOf = (text: string, target: KernelTarget, T: number, S = 50, planned = {}): MapCase =>
  mapCase(text, { sizes: { T, S }, fixed: {}, target: { ...target, stagedFrom: 0, ...planned } });

const full = process.env["DSC_FULL"] === "1";
const targets = exampleKernelTargets.filter((t) => t.lanes > 1 && t.stageTiles);
describe.each(full ? targets : targets.slice(0, 1))("$name", (target) => {
  test.each(Object.entries(contractionGraphs))("%s", (_, text) => {
    for (const [T, S] of [
      [17, 0],
      [37, 50],
    ] as const) {
      const c = caseOf(text, target, T, S);
      expect(c.says, c.refused.join()).toContain("through shared memory");
      expect(off(c, c.kernel, {}), `${T}, ${c.says}`).toBeLessThan(1e-5);
      expect(off(c, lower(c.kernel, target), { order: "shuffled", fma: "fused" })).toBeLessThan(1e-5);
    }
  });
});

test.each([17, 44, 180])(
  "what lies in columns is staged by vectors along them, for %d tokens, and tokens are read by vectors",
  (T) => {
    const target = exampleKernelTargets.find((t) => t.name === "gpu");
    if (target === undefined) throw new Error("no gpu");
    const c = caseOf(contractionGraphs["matrices in columns"] ?? "", target, T);
    expect(c.says, c.refused.join()).toMatch(/through shared memory.* vectors of 4 along n/);
    expect(off(c, c.kernel, {})).toBeLessThan(1e-5);
    const widths = new Map<string, Set<number>>();
    walkStmts(c.kernel.body, (s) => {
      for (const e of exprsOf(s))
        walkExpr(e, (x) => {
          if (x.kind === "load") widths.set(x.from, (widths.get(x.from) ?? new Set()).add(x.type.width));
        });
    });
    for (const from of ["v_in", "u_in", "rows", "tokens"])
      expect([from, ...(widths.get(from) ?? [])]).toEqual([from, 4]);
  },
);

test.each([true, false])(
  "a sum along columns gets all terms of a turn at once, behind what they need: %s",
  (stageTiles) => {
    const target = exampleKernelTargets.find((t) => t.name === "gpu");
    if (target === undefined) throw new Error("no gpu");
    const c = caseOf(contractionGraphs["matrices in columns"] ?? "", target, 64, 50, { stageTiles });
    expect(c.says, c.refused.join()).toContain("vectors of 4 along n");
    expect(off(c, c.kernel, {})).toBeLessThan(1e-5);
    const registers = new Set<string>();
    let most = 0;
    walkStmts(c.kernel.body, (s) => {
      if (s.kind === "reg") registers.add(s.name);
      if (s.kind !== "loop" || s.body.some((x) => x.kind === "loop")) return;
      const sums = s.body.flatMap((x) =>
        x.kind === "store" && registers.has(x.to) ? [printKernel({ ...c.kernel, body: [x] })] : [],
      );
      const places = s.body.flatMap((x) =>
        x.kind === "store" && registers.has(x.to) && x.index.kind === "const" ? [x.index.value] : [],
      );
      if (places.length === 0) return;
      most = Math.max(most, places.length);
      expect(new Set(places).size).toBe(places.length);
      for (const sum of sums) expect(sum.match(/fma\(/g)).toHaveLength(4);
    });
    expect(most).toBeGreaterThan(1);
  },
);

const [gpu] = targets;
if (gpu === undefined) throw new Error("there is no shared memory");
const sizes = { T: 37, S: 50 };
/** In each order of lanes. */
const wrong = (c: MapCase, k: Kernel): readonly string[] =>
  (["forward", "reverse", "shuffled"] as const).flatMap((order) => {
    const how = off(c, k, { order });
    return typeof how === "string" ? [how.slice(0, 4)] : how > 1e-4 ? ["off"] : [];
  });
function changed(k: Kernel, from: string, to: string): Kernel {
  const text = printKernel(k);
  expect(text).toContain(from);
  const parsed = parseKernel(text.replace(from, to));
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column} ${parsed.message}`);
  return parsed.kernel;
}

test.each(["a matrix", "rows adjacent where sums are not", "rows of picked matrices"])(
  "without one of its barriers lanes of %s race",
  (name) => {
    const c = caseOf(contractionGraphs[name] ?? "", gpu, sizes.T);
    const parts = printKernel(c.kernel).split(/^ *barrier\n/m);
    expect(parts.length).toBe(3);
    for (const kept of [0, 1]) {
      const parsed = parseKernel(parts.reduce((all, part, i) => `${all}${i - 1 === kept ? "barrier\n" : ""}${part}`));
      if (!parsed.ok) throw new Error(parsed.message);
      expect(wrong(c, parsed.kernel)).toContainEqual(expect.stringMatching(/race|unwr/));
    }
  },
);

test.each([
  // what stands there, what is planted
  ["= n_own * 20", "= n_own * 20 + 4"],
  ["loop k in 0 .. 16 step 4", "loop k in 0 .. 12 step 4"],
  ["let within = lane % 4 * 4", "let within = lane % 4 * 4 / 8 * 4"],
])("a wrong place in a tile is seen: %s -> %s", (from, to) => {
  const c = caseOf(contractionGraphs["a matrix"] ?? "", gpu, sizes.T);
  expect(wrong(c, c.kernel)).toEqual([]);
  expect(wrong(c, changed(c.kernel, from, to))).not.toEqual([]);
});

test("what is past the end of a sum has to be 0", () => {
  const c = caseOf(contractionGraphs["a matrix"] ?? "", gpu, sizes.T);
  const parsed = parseKernel(printKernel(c.kernel).replaceAll(/(within\d*\] = f32x4)\(0\)/g, "$1(1)"));
  expect(wrong(c, c.kernel)).toEqual([]);
  expect(parsed.ok ? wrong(c, parsed.kernel) : []).toEqual(["off", "off", "off"]);
});

test("groups of rows that share a matrix are told apart", () => {
  const c = caseOf(contractionGraphs["rows of picked matrices"] ?? "", gpu, sizes.T);
  expect(wrong(c, c.kernel)).toEqual([]);
  for (const [from, to] of [
    ["if place == first | ", "if place == first & "],
    ["& expert == expert2", "& expert == expert3"],
  ] as const)
    expect(wrong(c, changed(c.kernel, from, to))).not.toEqual([]);
});

test("what is stored in fewer bits is unpacked a vector at a time, once a rectangle", () => {
  const lines = (name: string): readonly string[] =>
    printKernel(caseOf(contractionGraphs[name] ?? "", gpu, 128).kernel)
      .split("\n")
      .filter((line) => line.includes("u_in["));
  for (const [name, unpacked] of [
    ["bf16 with a multiplier for each block", /^ *let u\d* = to_f32\(u_in\[.*\]:4\)$/],
    ["int8 with a multiplier for each block", /^ *let u\d* = to_i32\(u_in\[.*\]:4\)$/],
    ["f16 matrices with tokens of bf16", /^ *let u\d* = to_f32\(u_in\[.*\]:4\)$/],
  ] as const) {
    expect(lines(name).length, name).toBeGreaterThan(0);
    for (const line of lines(name)) expect(line).toMatch(unpacked);
  }
});

describe("numbers of the description decide", () => {
  const says = (target: Partial<KernelTarget>, T = 128, text = contractionGraphs["a matrix"] ?? ""): string =>
    mapCase(text, { sizes: { T }, fixed: {}, target: { ...gpu, ...target }, expected: false }).says;
  test("small products, and those of targets that stage nothing, stay a tile of each lane", () => {
    expect(says({ stagedFrom: 128 * 70 * 40 })).toContain("through shared memory");
    expect(says({ stagedFrom: 128 * 70 * 40 + 1 })).toMatch(/^contraction: 8 x 8 places/);
    expect(says({ stagedFrom: 0, stageTiles: false })).toMatch(/^contraction: 8 x 8 places/);
  });
  test("beside others a lane has more tokens than vectors of rows: what it reads of a token are several terms", () => {
    const columns = (registers: number): string =>
      says({ stageTiles: false, registers }, 128, contractionGraphs["matrices in columns"]);
    expect(columns(28)).toMatch(/^contraction: 2 x 8 places/);
    expect(columns(27)).toMatch(/^contraction: 4 x 4 places/);
    expect(columns(16)).toMatch(/^contraction: 2 x 4 places/);
  });
  test("a rectangle fits registers and shared memory", () => {
    const large = (sums: string): string => `graph @g {
  size T in 1..200
  %x : f32[T, 64] = input
  %w : f32[512, 64] = weight
  %u : f32[512, 64] = weight
  %y : f32[T, 512] = map [t, n] ${sums}
  return %y
}`;
    const one = large("sum[k: 64](%x[t, k] * %w[n, k])");
    const two = large("sum[k: 64](%x[t, k] * %w[n, k]) * sum[k: 64](%x[t, k] * %u[n, k])");
    expect(says({ stagedFrom: 0, registers: 28 }, 128, one)).toContain("64 x 32 places, 4 x 8 a lane");
    expect(says({ stagedFrom: 0, registers: 12 }, 128, one)).toContain("4 x 4 a lane");
    expect(says({ stagedFrom: 0, registers: 28 }, 128, two)).toContain("2 x 8 a lane");
    for (const sharedBytes of [8192, 16_384]) {
      const target = { ...gpu, stagedFrom: 0, sharedBytes };
      const { kernel } = mapCase(two, { sizes: { T: 128 }, fixed: {}, target, expected: false });
      expect(4 * kernel.shared.reduce((n, s) => n + s.size, 0)).toBeLessThanOrEqual(sharedBytes / 2);
    }
  });
});
