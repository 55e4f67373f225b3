/** Products of numbers of 8 bits on drivers, with the language's packed product and without: the same bits, and NumPy's sums. */
import { afterAll, describe, expect, test } from "vitest";
import { wgslModule } from "../../backends/wgsl/module.ts";
import { webgpuSubgroupsTarget, webgpuTarget } from "../../backends/wgsl/target.ts";
import { plainVariant } from "../../backends/wgsl/variant.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { expected, recorded, recordedGraph } from "../conformance/int8-recording.ts";
import { resultsOn } from "../conformance/results-on.ts";
import { mapCase } from "../kernels/map-case.ts";
import { shortProducts, shortSums } from "../kernels/short-product-graphs.ts";
import { openLavapipe, openSwiftshader } from "./drivers.ts";
import { machineOn } from "./machines.ts";
import { runKernel } from "./run-on-machine.ts";

const unpacked = { ...plainVariant, knownWork: 0 };
const packed = { ...unpacked, packedDot: true };

test("the word is there with the feature alone, and the feature is asked for where the word is", () => {
  const c = mapCase(shortSums["whole rows"] ?? "", { sizes: { T: 3 }, fixed: { T: 3 }, target: webgpuTarget });
  const k = lower(c.kernel, webgpuTarget);
  const [plain, own] = [unpacked, packed].map((v) => wgslModule(k, webgpuTarget, v));
  expect([plain?.text.includes("dot4I8Packed"), plain?.language]).toEqual([false, []]);
  expect([own?.text.includes("dot4I8Packed"), own?.language]).toEqual([true, ["packed_4x8_integer_dot_product"]]);
  expect(own?.text).toMatch(/^requires packed_4x8_integer_dot_product;/m);
  const none = mapCase(
    "graph @g {\n  %x : f32[40] = input\n  %y : f32[] = map [] sum[k: 40](%x[k] * %x[k])\n  return %y\n}",
    { sizes: {}, fixed: {}, target: webgpuTarget },
  );
  const other = wgslModule(lower(none.kernel, webgpuTarget), webgpuTarget, packed);
  expect([other.text.includes("requires"), other.language]).toEqual([false, []]);
});

for (const [name, open] of [
  ["SwiftShader", openSwiftshader],
  ["lavapipe", openLavapipe],
] as const) {
  const gpu = await open();
  afterAll(() => (typeof gpu === "string" ? undefined : gpu.close()));
  const why = typeof gpu === "string" ? ` (skipped: ${gpu})` : "";
  describe.skipIf(why !== "")(`${name}${why}`, () => {
    if (typeof gpu === "string") return;
    const all = Object.entries({ ...shortSums, ...shortProducts });
    test.each(all.flatMap(([n, text]) => [1, 9].map((T) => [`${n}, ${T} tokens`, text, T] as const)))(
      "%s",
      async (_, text, T) => {
        const target = gpu.adapter.features.includes("subgroups") ? webgpuSubgroupsTarget : webgpuTarget;
        const c = mapCase(text, { sizes: { T }, fixed: { T }, target });
        const k = lower({ ...c.kernel, name: "product" }, target);
        const [one, other] = await Promise.all(
          [unpacked, packed].map((v) => runKernel(machineOn(gpu, target, v), k, c)),
        );
        expect(other).toEqual(one);
        const [got, most] = [[...(one?.["made"] ?? [])].map(Number), Math.max(...c.want.map(Math.abs))];
        for (const [i, x] of c.want.entries())
          expect(Math.abs((got[i] ?? Number.NaN) - x)).toBeLessThanOrEqual(most * 1e-6);
        if (k.buffers.at(-1)?.elem === "i32") expect(got).toEqual([...c.want]);
      },
    );

    test.each([unpacked, packed].map((v) => [v.packedDot ? "packed" : "unpacked", v] as const))(
      "the library's block: %s",
      async (_, variant) => {
        const { made, parts } = recordedGraph();
        const results = await resultsOn(machineOn(gpu, webgpuTarget, variant), made, parts, recorded.tokens);
        const [codes, steps, sums] = expected;
        expect([results[0], results[2]]).toEqual([codes, sums]);
        // Quotients are promised to 2.5 ulp.
        for (const [i, s] of (steps ?? []).entries())
          expect(Math.abs((results[1]?.[i] ?? Number.NaN) - s)).toBeLessThanOrEqual(s * 2 ** -21);
      },
    );
  });
}
