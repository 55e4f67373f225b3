/** What every driver that runs kernels is held to. Everyday some of it, all in full mode. */
import { describe, expect, test } from "vitest";
import { webgpuTarget } from "../../backends/wgsl/target.ts";
import { plainVariant } from "../../backends/wgsl/variant.ts";
import { WgslError } from "../../backends/wgsl/wgsl-error.ts";
import { type GraphCase, runCase } from "../../compiler/conformance/graph-case.ts";
import type { Values } from "../../compiler/conformance/run-graph.ts";
import { suiteCases } from "../../compiler/conformance/suite.ts";
import { type AnyData, interpret } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { readProject } from "../conformance/bind-text.ts";
import { kernelCases } from "../kernels/cases.ts";
import { contractionGraphs } from "../kernels/contraction-graphs.ts";
import { mapCase } from "../kernels/map-case.ts";
import { operationCases } from "../kernels/operation-cases.ts";
import { statementCases } from "../kernels/statement-cases.ts";
import { wideCases } from "../kernels/wide-cases.ts";
import { isTooWide, isWrappingLoop, parsedKernel } from "./cases.ts";
import type { RunningGpu } from "./gpu.ts";
import { machineOn, targets, variants } from "./machines.ts";
import { emptyOutputs, runKernel, runOnMachine } from "./run-on-machine.ts";

const full = process.env["DSC_FULL"] === "1";
/** Every `often`th, beginning with the `first`. */
const some = <T>(all: readonly T[], often: number, first = 0): readonly T[] =>
  all.filter((_, i) => i % often === first % often);

/** One of how many is tried. */
export interface Share {
  readonly operations: number;
  readonly cases: number;
  /** Of the conformance suite. */
  readonly rows: number;
}
export const little: Share = { operations: 40, cases: 16, rows: 70 };

export interface Conforming {
  /** Or why there is none. */
  readonly gpu: RunningGpu | string;
  /** Whether f32 that are denormal count as 0, as WGSL allows. */
  readonly flushes: boolean;
  /** In full mode; everyday little. */
  readonly share: Share;
  /** Which of each: drivers try different ones. */
  readonly first: number;
}

export function conform(name: string, { gpu, flushes, share, first }: Conforming): void {
  const { operations, cases: often, rows: ofRows } = full ? share : little;
  const why = typeof gpu === "string" ? ` (skipped: ${gpu})` : "";
  describe.skipIf(why !== "")(`${name}${why}`, () => {
    if (typeof gpu === "string") return;
    const spelledFor = targets.filter((t) => t.subgroup === null || gpu.adapter.features.includes("subgroups"));
    const usable = Object.values(variants).filter((v) => !v.f16 || gpu.adapter.features.includes("shader-f16"));
    /** They take turns. */
    const machineFor = (i: number) =>
      machineOn(gpu, turn(spelledFor, i), turn(usable, Math.floor(i / spelledFor.length)));

    const sameAsInterpreter = async (k: Kernel, i: number, inputs: Readonly<Record<string, AnyData>>, sizes = {}) => {
      const want = emptyOutputs(k, sizes);
      expect(interpret(k, { sizes, buffers: { ...inputs, ...want } }), k.name).toBeNull();
      const got = await runKernel(machineFor(i), k, { sizes, inputs });
      const skipped = flushes ? denormals(inputs, want) : new Set<number>();
      for (const [n, data] of Object.entries(want))
        expect(without(got[n], skipped), `${k.name}: ${n}`).toEqual(without(data, skipped));
    };

    test.each(Object.entries(operationCases))("%s", async (_, cases) => {
      for (const [i, { kernel, inputs }] of some(cases(), operations, first).entries())
        if (!isTooWide(kernel)) await sameAsInterpreter(kernel, i, inputs);
    });

    test("whole numbers of 64 bits", async () => {
      for (const [i, { kernel, inputs }] of some(wideCases(), Math.ceil(operations / 7), first).entries())
        await sameAsInterpreter(kernel, i, inputs);
    });

    test.each(some(Object.entries(statementCases), full ? 1 : 3))("%s", async (_, text) => {
      const k = lower(parsedKernel(text), turn(targets, 0));
      if (isTooWide(k) || isWrappingLoop(k)) return;
      for (const [i, sizes] of [
        { N: 1, K: 4 },
        { N: 5, K: 12 },
      ].entries()) {
        const inputs = k.buffers.some((b) => b.name === "x") ? { x: ramp(65_536) } : {};
        await sameAsInterpreter(k, i, inputs, sizes);
      }
    });

    // Drivers take seconds over a selection.
    const quick = (t: KernelTarget) =>
      full ? kernelCases(t) : kernelCases(t).filter((c) => !/threshold/.test(c.name));
    const casesFor = (t: KernelTarget) => some(quick(t), often, first);
    describe.each(spelledFor.map((t, i) => [t.name, t, i] as const))("kernels for %s", (_, target, j) => {
      test.each(casesFor(target).map((c, i) => [c.name, c, i] as const))("%s", async (_name, c, i) => {
        expect(await runOnMachine(machineFor(j + 2 * i), c)).toBeNull();
      });
    });

    const products = some(Object.entries(contractionGraphs), full ? 1 : 8, first);
    describe.each(spelledFor.map((t, i) => [t.name, t, i] as const))("products for %s", (_, target, j) => {
      const machine = machineFor(j);
      // Through shared memory, with sums that lanes share, and in a tile of each lane; at sizes that no tile divides.
      test.each(
        products.flatMap(
          ([n, text]) =>
            [
              [`${n}, staged`, text, 37, 0],
              [`${n}, shared`, text, 3, 0],
              [`${n}, in place`, text, 13, Number.POSITIVE_INFINITY],
            ] as const,
        ),
      )("%s", async (_name, text, T, stagedFrom) => {
        const c = mapCase(text, { sizes: { T, S: 50 }, fixed: {}, target: { ...target, stagedFrom } });
        const k = lower({ ...c.kernel, name: "product" }, machine.kernel);
        const { made } = await runKernel(machine, k, { sizes: c.sizes, inputs: c.inputs });
        const most = Math.max(1, ...c.want.map(Math.abs));
        const off = c.want.map((x, i) => Math.abs(x - Number(made?.[i])) / most);
        expect(
          off.findIndex((x) => !(x < 1e-5)),
          c.says,
        ).toBe(-1);
      });
    });

    const rows = suiteCases(false, readProject)
      .flatMap((c) => c.weights.map((weights) => ({ c, weights })))
      // Functions of f32 are all tried in full mode: no two compilers simplify them alike.
      .filter(({ c }, i) => i % ofRows === first || (full && share !== little && / of f32$/.test(c.subject)))
      .map(({ c, weights }) => ({ c: flushes ? withoutDenormals(c) : c, weights }));
    test.each(rows.map(({ c, weights }, i) => [`${c.subject}, ${weights}`, c, weights, i] as const))(
      "%s",
      async (_name, c, weights, i) => {
        const row = await runCase(c, weights, machineFor(i));
        expect(row.outcome, row.note ?? "").toBe("passed");
      },
    );

    test("half words that lanes store side by side are all there, and would not be without atomics", async () => {
      const k = parsedKernel(
        'kernel @k "" write y: bf16[256] rows grid g in 4 lanes 64 { y[g * 64 + lane] = to_bf16(to_f32(lane)) }',
      );
      await sameAsInterpreter(k, 0, {});
      const machine = machineOn(
        { adapter: gpu.adapter, run: (call) => gpu.run({ ...call, text: racing(call.text) }) },
        ...plain,
      );
      expect(await runKernel(machine, k, { sizes: {}, inputs: {} })).not.toEqual(
        await runKernel(machineFor(0), k, { sizes: {}, inputs: {} }),
      );
    });
    test("a kernel that reads beyond its buffers is refused before it runs", async () => {
      const k = parsedKernel('kernel @k "" write y: f32[4] rows grid g in 4 { y[g + 1] = f32(1) }');
      await expect(machineFor(0).open([k])).rejects.toBeInstanceOf(WgslError);
    });
  });
}

const plain = [webgpuTarget, plainVariant] as const;
/** Each half word is put beside the other as that was a moment ago. */
function racing(text: string): string {
  const raced = text.replace(
    /atomicXor\(&y\[word\], .*\);/,
    "atomicStore(&y[word], (atomicLoad(&y[word]) & ~(65535u << shift)) | (code << shift));",
  );
  if (raced === text) throw new Error("there is nothing to race");
  return raced;
}

const turn = <T>(all: readonly T[], i: number): T => {
  const found = all[i % all.length];
  if (found === undefined) throw new Error("nothing to choose from");
  return found;
};
const ramp = (n: number): Float32Array<ArrayBuffer> => Float32Array.from({ length: n }, (_, i) => (i % 251) / 16 - 4);

/** What it is compared with has denormals: of these numbers no sum of two, product or quotient is one. */
const withoutDenormals = (c: GraphCase): GraphCase => ({
  ...c,
  make: () => {
    const { given, ...made } = c.make();
    const tame = (all: Values): Values =>
      typeof all[0] === "bigint" ? all : Array.from(all as ArrayLike<number>, moderate);
    return { ...made, given: (n, sizes) => tame(given(n, sizes)) };
  },
});
function moderate(x: number): number {
  const size = Math.abs(x);
  if (!(size < Number.POSITIVE_INFINITY)) return x;
  return size < 2 ** -60 ? 0 * x : size > 2 ** 60 ? Math.sign(x) * 2 ** 60 : x;
}

const isDenormal = (x: number | bigint): boolean => typeof x === "number" && x !== 0 && Math.abs(x) < 2 ** -126;
/** Places of map-like kernels where something is denormal. */
function denormals(...all: readonly Readonly<Record<string, AnyData>>[]): ReadonlySet<number> {
  const found = new Set<number>();
  for (const data of all.flatMap((x) => Object.values(x)))
    if (data instanceof Float32Array) for (const [i, x] of data.entries()) if (isDenormal(x)) found.add(i);
  return found;
}
const without = (data: AnyData | undefined, places: ReadonlySet<number>): readonly (number | bigint)[] =>
  [...(data ?? [])].filter((_, i) => !places.has(i));
