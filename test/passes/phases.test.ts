/** Where plans change with the number of tokens, and the ranges that a manifest says them with. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { phasesOf, planOf, planRanges } from "../../compiler/driver/phases.ts";
import { associate } from "../../compiler/passes/associate.ts";
import { groupBySelection } from "../../compiler/passes/group-by-selection.ts";
import { restrictToDemand } from "../../compiler/passes/restrict-to-demand.ts";
import { splitConcat } from "../../compiler/passes/split-concat.ts";
import { blockGraph, indexer, mla, moe } from "../graph/blocks.ts";
import { runOnly } from "./support.ts";

describe("ranges of one plan", () => {
  test.each([
    [4096, 178], // probing in steps of 4 % sees it at 181
    [131072, 191], // at 197; by flops alone it is N·R/(R - N) = 171
  ])("latent attention of %i rows is absorbed below %i tokens", (S, first) => {
    const { b, g } = blockGraph("mla", (x, on) => mla(x, on));
    const split = runOnly(b, g, [splitConcat]).graph;
    const planAt = (T: number): string => planOf(runOnly(b, split, [associate], { T, S }).reports);
    expect(planRanges(planAt, 1, 4096)).toEqual([
      { from: 1, to: first - 1, plan: "%a: ((w_ukv . q) . latent); %o: (w_ukv . (latent . p))" },
      { from: first, to: 4096, plan: "" },
    ]);
  });
  test("the ranges as text", async () => {
    const { b, g } = blockGraph("mla", (x, on) => mla(x, on));
    const split = runOnly(b, g, [splitConcat]).graph;
    const lines = [1024, 4096, 32768, 131072].flatMap((S) => {
      const planAt = (T: number): string => planOf(runOnly(b, split, [associate], { T, S }).reports);
      return planRanges(planAt, 1, 1024).map(
        (r) => `${S} rows, ${r.from} to ${r.to} tokens: ${r.plan || "as written"}\n`,
      );
    });
    await expect(lines.join("")).toMatchFileSnapshot("../golden/graph/mla-plans.txt");
  });
  test("attention to selected rows is absorbed for any number of tokens: each has rows of its own", () => {
    const { b, g } = blockGraph("dsa", (x, on) => mla(x, on, indexer));
    const planAt = (T: number): string =>
      planOf(runOnly(b, g, [splitConcat, restrictToDemand, associate], { T, S: 32768 }).reports);
    expect(planRanges(planAt, 1, 4096).map((r) => r.plan)).toEqual([
      "%a: ((w_ukv . q) . latent); %o: (w_ukv . (latent . p))",
    ]);
  });
  test("experts are grouped from a few tokens on", () => {
    const { b, g } = blockGraph("moe", moe);
    const restricted = runOnly(b, g, [restrictToDemand]).graph;
    const planAt = (T: number): string => planOf(runOnly(b, restricted, [groupBySelection], { T }).reports);
    const ranges = planRanges(planAt, 1, 4096);
    expect(ranges.map((r) => r.plan)).toEqual([
      "%pick: rows in the order of tokens",
      "%pick: rows sorted by what they select",
    ]);
    expect(ranges[1]?.from).toBeLessThanOrEqual(8); // by the model 140 us against 133 at 1 token, 681 against 752 at 8
  });
  test("every change that probes can see is found exactly", () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 2, max: 1000 }), { maxLength: 1 });
    fc.assert(
      fc.property(cuts, fc.integer({ min: 1, max: 50 }), (list, from) => {
        const at = (n: number): string => String(list.filter((c) => c <= n).length);
        const ranges = planRanges(at, from, 1000);
        expect(ranges[0]?.from).toBe(from);
        expect(ranges.at(-1)?.to).toBe(1000);
        for (const [i, r] of ranges.entries()) {
          expect([at(r.from), at(r.to)]).toEqual([r.plan, r.plan]);
          const next = ranges[i + 1];
          if (next !== undefined) expect([next.from, at(next.from) === r.plan]).toEqual([r.to + 1, false]);
        }
      }),
    );
  });
});

test("phases lie in the ranges of the graph", () => {
  const { g } = blockGraph("mla", (x, on) => mla(x, on));
  const sizes = new Map([...g.sizes, ["T", { low: 1, high: 64 }] as const, ["D", { low: 6, high: 6 }] as const]);
  const phases = phasesOf({ ...g, sizes }, { tokens: "T", before: "S0" });
  expect(phases.map((p) => [p.name, p.sizes["T"], p.sizes["S0"], p.sizes["D"]])).toEqual([
    ["decode", 1, 4095, 6],
    ["verify", 4, 4092, 6],
    ["prefill", 64, 0, 6],
  ]);
});
