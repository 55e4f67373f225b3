/** Schedules: each strategy changes a kernel, or what becomes one, and no result. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DirectiveError } from "../../compiler/directives/directive-error.ts";
import type { KernelReport } from "../../compiler/program/phase-order.ts";
import { checkText, compileText, type Played, play, smallWeights, textOf } from "./small-model.ts";

const ids = [3, 7, 1, 20, 11, 7];

const kernelsOf = (schedule: readonly string[], phase: string): ReadonlyMap<string, KernelReport> => {
  const report = compileText({ schedule }).reports.find((r) => r.phase === phase);
  return new Map(report?.kernels.map((k) => [k.node.name, k]));
};
const says = (schedule: readonly string[], phase: string, name: string): string | undefined =>
  kernelsOf(schedule, phase).get(name)?.says;

describe("a strategy changes the kernel", () => {
  test("apart", () => {
    expect(says([], "decode", "layer.a")).toBeUndefined();
    const found = kernelsOf(["layer.a : apart"], "decode");
    expect(found.get("layer.a")?.rule?.strategy).toEqual({ kind: "apart" });
    expect(kernelsOf([], "decode").size).toBe(found.size - 1);
  });
  test("fused", () => {
    expect(says(["layer.g : apart"], "prefill", "layer.g")).toMatch(/^contraction: /);
    expect(says(["layer.g : fused"], "prefill", "layer.g")).toBeUndefined();
  });
  test("tiled", () => {
    const tiles = ["phase prefill { layer.g : tiled(rows: 3, tokens: 2) }"];
    expect(says(tiles, "prefill", "layer.g")).toMatch(/^contraction: 3 x 2 places/);
    expect(says(["layer.g : tiled(rows: 1)"], "decode", "layer.g")).toMatch(/^contraction: 1 x 1 places/);
  });
  test("one_by_one", () => expect(says(["layer.g : one_by_one"], "prefill", "layer.g")).toBe("one by one"));
  test("streamed and unstreamed", () => {
    expect(says(["layer.o : streamed"], "prefill", "layer.o")).toMatch(/^streamed: /);
    expect(says(["layer.o : unstreamed"], "prefill", "layer.o")).not.toMatch(/^streamed: /);
  });
  test("in the phase it is for: of those with a call's result and tokens, the narrowest", () => {
    const schedule = ["layer.g : one_by_one", "phase decode { layer.g : tiled(rows: 2) }"];
    expect(says(schedule, "decode", "layer.g")).toMatch(/^contraction: 2 x 1/);
    expect(says(schedule, "prefill", "layer.g")).toBe("one by one");
    expect(says(schedule, "score", "layer.g")).toBe("one by one");
    const prefill = ["phase prefill { layer.g : one_by_one }"];
    expect(says(prefill, "prefill", "layer.g")).toBe("one by one");
    expect(says(prefill, "decode", "layer.g") ?? "").not.toBe("one by one");
  });
  test("of a definition that only names another", () => {
    const found = kernelsOf(["forward.last : apart"], "score");
    expect([...found.values()].filter((k) => k.rule !== null)).toEqual([]);
  });
});

describe("and no result", () => {
  let made: Awaited<ReturnType<typeof smallWeights>>;
  let plain: Played;
  beforeAll(async () => {
    made = await smallWeights();
    plain = await play(compileText({}), made.folder, ids);
  }, 60_000);
  afterAll(() => made.remove());

  test.each([
    "layer.a : apart",
    "layer.g : fused",
    "layer.g : tiled(rows: 3, tokens: 2)",
    "layer.g : one_by_one",
    "layer.o : one_by_one",
    "layer.o : streamed",
    "layer.o : unstreamed",
    "layer.u : tiled(rows: 2, tokens: 5)",
  ])("%s", { timeout: 60_000 }, async (rule) => {
    const schedule = rule.includes("tokens") ? [`phase prefill { ${rule} }`] : [rule];
    const found = await play(compileText({ schedule }), made.folder, ids);
    for (const side of ["stepwise", "atOnce"] as const) {
      const largest = Math.max(...plain[side].map(Math.abs));
      const off = plain[side].map((x, i) => Math.abs(x - (found[side][i] ?? Number.NaN)));
      expect(Math.max(...off) / largest, side).toBeLessThan(2e-6);
    }
  });
});

describe("what cannot be followed is told with its place and why", () => {
  test.each<[string, string, RegExp]>([
    ["layer.u : fused", "layer.u", /^in phase decode: it is a result, remembered/],
    ["layer.y : streamed", "layer.y", /^in phase decode: .*no softmax/],
    ["layer.g : tiled(tokens: 2)", "layer.g", /^in phase decode: tiled: it has no axis of tokens/],
    ["layer.p : apart", "layer.p", /^fold-reductions has put it into %layer\.o/],
  ])("%s", (rule, at, why) => {
    const { message, span } = failure(() => compileText({ schedule: [rule] }));
    expect(message).toMatch(why);
    expect(span.source.text.slice(span.start, span.end)).toBe(at);
  });
  function failure(run: () => unknown): DirectiveError {
    try {
      run();
    } catch (error) {
      if (error instanceof DirectiveError) return error;
      throw error;
    }
    throw new Error("nothing was refused");
  }

  test.each<[readonly string[], string, string]>([
    [["layer.gg : apart"], "DS0301", "layer.g"],
    [["layer : apart"], "DS0301", "layer.y"],
    [["layer.p.zz : apart"], "DS0301", ""],
    [["layer.rows : apart"], "DS0302", ""],
    [["layer.g : apart", "layer.g : fused"], "DS0303", ""],
    [["layer.g : aprt"], "DS0307", "apart"],
    [["layer.g : tiled(row: 3)"], "DS0307", "tiled(rows: 4, tokens: 2)"],
    [["layer.g : tiled(rows: 100)"], "DS0307", ""],
    [["layer.g : apart(3)"], "DS0307", ""],
    [["phase decod { layer.g : apart }"], "DS0309", "decode"],
  ])("%s: %s", (schedule, code, help) => {
    const found = checkText(textOf({ schedule })).diagnostics;
    expect(found.map((d) => d.code)).toEqual([code]);
    expect(found[0]?.help ?? "").toContain(help);
  });

  test("a rule of a phase goes before one for all: these are two", () => {
    const schedule = ["layer.g : apart", "phase decode { layer.g : fused }", "phase prefill { layer.g : apart }"];
    expect(checkText(textOf({ schedule })).diagnostics).toEqual([]);
  });
  test("what functions define goes by the definition that calls them", () => {
    expect(checkText(textOf({ schedule: ["layer.p.m : apart"] })).diagnostics).toEqual([]);
  });
});
