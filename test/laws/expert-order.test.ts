/** Which number an expert has means nothing: with its weights, its row of the router and its bias it may be another, within groups. */
import { expect, test } from "vitest";
import { bindText } from "../conformance/bind-text.ts";
import { textOf } from "../conformance/text-of.ts";
import { loadSparseCase, type OracleCase, type OracleTensor } from "../oracle/cases.ts";
import { loadReferenceCase } from "../oracle/references.ts";

type Tensors = ReadonlyMap<string, OracleTensor>;

/** Of numbers from a seed: a linear congruential generator, its high bits. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function shuffled<T>(items: readonly T[], next: (below: number) => number): readonly T[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(next(rest.length), 1));
}

/** `order[e]`: which expert is the e-th now. Groups change places as wholes, and members within them. */
function orderOf(experts: number, groups: number, next: (below: number) => number): readonly number[] {
  const size = experts / groups;
  const all = Array.from({ length: groups }, (_, g) => Array.from({ length: size }, (_, m) => g * size + m));
  return shuffled(all, next).flatMap((group) => shuffled(group, next));
}

function reordered(tensors: Tensors, order: readonly number[], parts: "all" | "experts"): Tensors {
  const now = new Map(order.map((before, e) => [before, e]));
  return new Map(
    [...tensors].map(([name, tensor]) => {
      const expert = /^(.*\.experts\.)(\d+)(\..*)$/.exec(name);
      if (expert !== null) return [`${expert[1]}${now.get(Number(expert[2]))}${expert[3]}`, tensor];
      if (parts === "experts" || !/\.mlp\.gate\./.test(name)) return [name, tensor];
      const width = tensor.data.length / order.length;
      const data = new Float32Array(tensor.data.length);
      order.forEach((before, e) => {
        data.set(tensor.data.subarray(before * width, (before + 1) * width), e * width);
      });
      return [name, { ...tensor, data }];
    }),
  );
}

async function logitsOf(oracle: OracleCase, tensors: Tensors): Promise<readonly number[]> {
  const entry = `models/${textOf(oracle.config)}.ds`;
  const { forward } = await bindText({ entry, config: oracle.config, tensors, results: ["logits"] });
  return [oracle.ids, oracle.steps].flatMap((ids) => forward(ids).results.get("logits")?.flat() ?? []);
}

const furthest = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN))));

const cases: readonly OracleCase[] = [
  ...["moe-16b", "moe-2b"].map(loadReferenceCase),
  ...["v2-lite", "v2", "v2-eight-groups", "v3", "v3-eight-groups", "v3-one-group"].map(loadSparseCase),
];

test.each(cases.map((oracle) => [oracle.name, oracle] as const))("%s", async (_, oracle) => {
  const { n_routed_experts: experts, n_group: groups = 1 } = JSON.parse(oracle.config);
  const tensors = oracle.weights();
  const expected = await logitsOf(oracle, tensors);
  expect(expected).toHaveLength(oracle.logits.flat().length);
  const next = numbers(19);
  for (let round = 0; round < 3; round += 1) {
    const order = orderOf(experts, groups, next);
    expect(order.some((before, e) => before !== e)).toBe(true);
    // sums of weighted experts in another order: some roundings of numbers of up to 10
    expect(furthest(expected, await logitsOf(oracle, reordered(tensors, order, "all")))).toBeLessThan(1e-10);
    expect(furthest(expected, await logitsOf(oracle, reordered(tensors, order, "experts")))).toBeGreaterThan(1e-4);
  }
});
