/** `numerics`: what is stored in less than f32, and that it is the same as the casts written out. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { narrowFormats } from "../../compiler/directives/read-directives.ts";
import { elaborate } from "../../compiler/elaborate/elaborate.ts";
import { print } from "../../compiler/graph/print.ts";
import { roundToBf16, roundToF16 } from "../../runtime/formats/casts.ts";
import { type Changes, checkText, compileText, type Played, play, smallWeights, textOf } from "./small-model.ts";

const ids = [3, 7, 1, 20, 11, 7];

/** The graph as text, without labels and the formats of nodes: what it computes. */
function meaning(changes: Changes): string {
  const { bound, declared } = checkText(textOf(changes));
  if (bound === null) throw new Error("no model");
  const format = narrowFormats(bound, "forward");
  const { graph } = elaborate({ model: bound, declared, entry: "forward", results: ["next"], format });
  return print(graph).replaceAll(/\b(bf16|f16)\[/g, "f32[");
}
const formats = (changes: Changes): Readonly<Record<string, string>> => {
  const { program } = compileText(changes);
  return Object.fromEntries([...program.states, ...program.weights].map(({ name, elem }) => [name, elem]));
};

describe("a rule is a cast where the value is defined", () => {
  test.each<[string, string, string]>([
    ["layer.g : bf16", "g[t,i] := w_out[i,d] * o[t,d]", "g[t,i] := (w_out[i,d] * o[t,d]) as bf16"],
    ["layer.o : f16", "o[t,d] := p[t,s] * rows[s,d]", "o[t,d] := (p[t,s] * rows[s,d]) as f16"],
    ["layer.rows : f16", "rows[pos[t]] <- u[t]", "rows[pos[t]] <- u[t] as f16"],
  ])("%s", (rule, from, to) => {
    expect(meaning({ numerics: [rule] })).toBe(meaning({ instead: { [from]: to } }));
    expect(meaning({ numerics: [rule] })).not.toBe(meaning({}));
  });

  test("of a recurrence at its start and at each step", () => {
    const found = meaning({ numerics: ["forward.h : bf16"] });
    expect(found).toMatch(/%h : f32\[T, D\] = map \[t, i\] to_bf16\(%embed/);
    expect(found).toMatch(/%h\.next : f32\[T, D\] = map \[t, i\] to_bf16\(%layer\.y\[t, i\]\)/);
  });

  test("f32 is what there is without it", () => {
    expect(meaning({ numerics: ["layer.u : f32", "layer.rows : f32"] })).toBe(meaning({}));
  });
});

describe("what a program stores", () => {
  let made: Awaited<ReturnType<typeof smallWeights>>;
  let plain: Played;
  beforeAll(async () => {
    made = await smallWeights();
    plain = await play(compileText({}), made.folder, ids);
  }, 60_000);
  afterAll(() => made.remove());

  const largest = (a: ArrayLike<number>): number => Math.max(...Array.from(a, Math.abs));
  const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
    largest(Array.from(a, (x, i) => x - (b[i] ?? Number.NaN))) / largest(a);

  test.each([
    ["bf16", roundToBf16, 2 ** -8],
    ["f16", roundToF16, 2 ** -11],
  ] as const)("rows, a definition and what layers hand on, in %s", { timeout: 120_000 }, async (to, round, unit) => {
    const numerics = [`layer.rows : ${to}`, `layer.o : ${to}`, `layer.g : ${to}`, `forward.h : ${to}`];
    const compiled = compileText({ numerics });
    const { program } = compiled;
    expect(program.states).toEqual([{ name: "layer.rows", elem: to, row: 8, copies: 3 }]);
    for (const { buffers } of program.phases) {
      const kept = buffers.filter((b) => b.elem === to).map((b) => b.name);
      expect(kept).toEqual(expect.arrayContaining(["layer.o", "h.next"]));
    }
    const narrow = await play(compiled, made.folder, ids);
    const rows = narrow.written.get("layer.rows.rows") ?? [];
    expect([...rows].map(round)).toEqual([...rows]);
    // The same calls in other pieces see the same rounded rows: what differs is the order of sums, and a rounding it tips over.
    expect(apart(narrow.atOnce, narrow.stepwise)).toBeLessThan(8 * unit);
    const off = apart(plain.stepwise, narrow.stepwise);
    expect(off).toBeGreaterThan(unit / 64);
    expect(off).toBeLessThan(16 * unit);

    // The casts, written out: the same numbers, with f32 in memory.
    const cast = await play(
      compileText({
        instead: {
          "rows[pos[t]] <- u[t]": `rows[pos[t]] <- u[t] as ${to}`,
          "o[t,d] := p[t,s] * rows[s,d]": `o[t,d] := (p[t,s] * rows[s,d]) as ${to}`,
          "g[t,i] := w_out[i,d] * o[t,d]": `g[t,i] := (w_out[i,d] * o[t,d]) as ${to}`,
          "y[t,d] := x[t,d] + tanh(g[t,d])": `y[t,d] := (x[t,d] + tanh(g[t,d])) as ${to}`,
          "h[0,t]      := embed[ids[t]]": `h[0,t] := embed[ids[t]] as ${to}`,
        },
      }),
      made.folder,
      ids,
    );
    expect(apart(cast.stepwise, narrow.stepwise)).toBeLessThan(1e-6);
  });

  test("weights by path, over what all are kept in", () => {
    expect(formats({ numerics: ["layer.w_in : bf16", "embed : f16"] })).toEqual({
      "layer.rows": "f32",
      "layer.w_in": "bf16",
      "layer.w_out": "f32",
      embed: "f16",
    });
  });
});

test.each<[readonly string[], string, string]>([
  [["layer.rws : bf16"], "DS0306", "layer.rows"],
  [["hidden : bf16"], "DS0306", "the model has"],
  [["last : bf16"], "DS0306", "forward.last"],
  [["layer : bf16"], "DS0306", "layer.y"],
  [["layer.rows : e4m3"], "DS0308", "f32, bf16, f16"],
  [["layer.rows : i32"], "DS0308", "f32, bf16, f16"],
  [["forward.ids : bf16"], "DS0306", ""],
  [["layer.u : bf16", "layer.u : f16"], "DS0303", ""],
])("%s is refused, with its place", (numerics, code, help) => {
  const [found, ...others] = checkText(textOf({ numerics })).diagnostics;
  expect(others).toEqual([]);
  expect(found?.code).toBe(code);
  expect(found?.help ?? "").toContain(help);
  const { source, start } = found?.primary.span ?? { source: { text: "" }, start: 0 };
  expect(source.text.slice(0, start).split("\n").length).toBeGreaterThan(35);
});
