import { expect, test } from "vitest";
import type { MapNode } from "../graph/node.ts";
import { parse } from "../graph/parse.ts";
import { makeNest, type NestOptions } from "../schedule/nest/make-nest.ts";
import type { Nest } from "../schedule/nest/nest.ts";
import { specialiser } from "../schedule/nest/specialise.ts";
import { exampleKernelTargets } from "../target/example-kernel-targets.ts";
import { NestSchedules } from "./nest-schedules.ts";

const [target] = exampleKernelTargets;
if (target === undefined) throw new Error("no description of a target");

/** The nests of the maps of a graph over weights w and v and an input x, in the order of its results. */
function nestsOf(maps: readonly string[], options: Partial<NestOptions> = {}): readonly Nest[] {
  const names = maps.map((_, i) => `m${i}`);
  const text = `graph @g {
  size T in 1..64
  %x : f32[T, 8] = input
  %a.w : f32[8, 8] = weight
  %b.w : f32[8, 8] = weight
  %b.v : f32[8, 8] = weight
${maps.map((m, i) => `  %${names[i]} : f32[T, 8] = map ${m}`).join("\n")}
  return ${names.map((n) => `%${n}`).join(", ")}
}`;
  const parsed = parse(text);
  if (!parsed.ok) throw new Error(`${parsed.message}\n${text}`);
  return parsed.graph.results.map((n) =>
    makeNest(n as MapNode, n as MapNode, {
      special: specialiser({}),
      ranges: parsed.graph.sizes,
      counts: new Map(),
      elemOf: () => "f32",
      mostElements: 2 ** 31,
      windowBytes: null,
      ...options,
    }),
  );
}
const planned = { T: 4 };
const kernelsOf = (nests: readonly Nest[]): readonly unknown[] => {
  const schedules = new NestSchedules(target);
  return nests.map((nest) => schedules.of(nest, planned, { name: "k" }).kernel);
};

test("layers of one shape share a kernel", () => {
  const [a, b] = kernelsOf(
    nestsOf(["[t, o] sum[i: 8](%x[t, i] * %a.w[o, i])", "[t, o] sum[i: 8](%x[t, i] * %b.w[o, i])"]),
  );
  expect(a).toBe(b);
});

test.each([
  ["what is computed", "[t, o] sum[i: 8](%x[t, i] * %a.w[o, i])", "[t, o] max[i: 8](%x[t, i] * %a.w[o, i])"],
  ["how it is read", "[t, o] sum[i: 8](%x[t, i] * %a.w[o, i])", "[t, o] sum[i: 8](%x[t, i] * %a.w[i, o])"],
  ["the name of a buffer", "[t, o] sum[i: 8](%x[t, i] * %b.w[o, i])", "[t, o] sum[i: 8](%x[t, i] * %b.v[o, i])"],
])("%s makes another", (_, first, second) => {
  const [a, b] = kernelsOf(nestsOf([first, second]));
  expect(a).not.toEqual(b);
});

test("so do sizes that it is planned for, and how what it reads is kept", () => {
  const product = "[t, o] sum[i: 8](%x[t, i] * %a.w[o, i])";
  const schedules = new NestSchedules(target);
  const [plain] = nestsOf([product]);
  const [narrow] = nestsOf([product], { elemOf: (n) => (n.kind === "weight" ? "bf16" : "f32") });
  if (plain === undefined || narrow === undefined) throw new Error("no nest");
  const of = (nest: Nest, T: number): unknown => schedules.of(nest, { T }, { name: "k" }).kernel;
  expect(of(plain, 1)).not.toEqual(of(plain, 64));
  expect(of(plain, 64)).not.toEqual(of(narrow, 64));
  expect(of(plain, 64)).toBe(of(plain, 64));
});
