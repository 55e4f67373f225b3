/** Phases cut by what an adapter binds: every call is played as before, by phases whose memory has room. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GpuLimitError } from "../../runtime/artifact/errors.ts";
import type { Phase, Program, SizeExpr } from "../../runtime/artifact/program.ts";
import { evalSize } from "../../runtime/artifact/size-expr.ts";
import { choosePiece, type Logits, piecesOf } from "../../runtime/calls/choose-phase.ts";
import { playedProgram } from "../../runtime/calls/played-program.ts";
import { planGpu } from "../../runtime/webgpu/plan-gpu.ts";
import { withinLimits } from "../../runtime/webgpu/within-limits.ts";

const context = 64;
const rows: SizeExpr = ["+", "S0", "T"];

interface Shape {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly rows?: { readonly from: number; readonly to: number };
  /** Numbers of its one buffer: for each row, for each token, and beside. */
  readonly row: number;
  readonly token: number;
  readonly beside?: number;
  readonly gives?: Logits | "numbers";
}
const phaseOf = ({ row, token, beside = 0, gives = "next", ...calls }: Shape): Phase => ({
  ...calls,
  entry: "forward",
  inputs: [{ name: "ids", elem: "i32", dims: ["T"] }],
  buffers: [
    { name: "x", elem: "f32", size: ["+", beside, ["+", ["*", row, rows], ["*", token, "T"]]], live: [0, 0] },
    { name: "y", elem: "f32", size: 4, live: [0, 0] },
  ],
  steps: [],
  outputs: [{ name: gives, at: { kind: "arena", buffer: 1 }, elem: "f32", dims: gives === "next" ? [4] : ["T", 4] }],
});
const programOf = (shapes: readonly Shape[]): Program => ({
  ...{ format: 2, compiler: "", model: "", sizes: {}, tokens: "T", before: "S0", entry: "forward", vocabulary: 4 },
  ...{ context, target: "webgpu", weights: [], constants: [], states: [], kernels: [] },
  phases: shapes.map(phaseOf),
});
const limits = (bytes: number) => ({ binding: bytes, buffer: 2 * bytes });
const next = { entry: "forward", logits: "next", rows: [] } as const;

/** Bytes of the largest buffer in such a call. */
const bytesIn = ({ buffers }: Phase, T: number, S0: number): number =>
  4 * Math.max(...buffers.map(({ size }) => evalSize(size, (name) => ({ T, S0 })[name])));
const ranges = ({ phases }: Program): readonly (readonly [string, number, number, number | null])[] =>
  phases.map((p) => [p.name, p.from, p.to, p.rows?.to ?? null]);

/** One that decodes, one for a few tokens that keeps nothing of rows, one for many that does. */
const latent = programOf([
  { name: "decode", from: 1, to: 1, row: 0, token: 8 },
  { name: "few", from: 2, to: 7, row: 0, token: 8 },
  { name: "many", from: 8, to: 64, row: 4, token: 1 },
]);

describe("phases", () => {
  test("are as they were where all has room", () => {
    expect(withinLimits(latent, context, limits(4096))).toEqual(latent);
  });
  test("take no more rows than have room, and others play what is behind", () => {
    const found = withinLimits(latent, context, limits(512));
    // 4 · 4 · rows + 4 · tokens <= 512: all of 25 tokens, and no more rows.
    expect(ranges(found)).toEqual([
      ["decode", 1, 1, null],
      ["few", 2, 7, null],
      ["many", 8, 25, 25],
    ]);
    expect(piecesOf(found.phases, 40, 64, 0, next).map(({ phase, tokens }) => [phase, tokens])).toEqual([
      [2, 25],
      [1, 7],
      [1, 7],
      [0, 1],
    ]);
  });
  test("take no more tokens than have room", () => {
    const wide = programOf([{ name: "all", from: 1, to: 64, row: 0, token: 16 }]);
    expect(ranges(withinLimits(wide, context, limits(1024)))).toEqual([["all", 1, 16, null]]);
  });
  test("keep the rows that they begin with", () => {
    const cut = programOf([
      { name: "first", from: 1, to: 64, rows: { from: 1, to: 20 }, row: 4, token: 0 },
      { name: "behind", from: 1, to: 64, rows: { from: 21, to: 64 }, row: 2, token: 0 },
    ]);
    const [, behind] = withinLimits(cut, context, limits(512)).phases;
    expect(behind?.rows).toEqual({ from: 21, to: 64 });
    expect(withinLimits(cut, context, limits(400))).toEqual(cut); // rows 51 … 64 would be nobody's
  });
  test("are left out where not even the least call has room and others play it", () => {
    const large = programOf([
      { name: "small", from: 1, to: 64, row: 0, token: 1 },
      { name: "large", from: 4, to: 64, row: 0, token: 0, beside: 2000 },
    ]);
    expect(ranges(withinLimits(large, context, limits(512)))).toEqual([["small", 1, 64, null]]);
  });
  test("stay where others play their calls but give less", () => {
    const [decode, verify] = programOf([
      { name: "decode", from: 1, to: 64, row: 0, token: 1 },
      { name: "verify", from: 1, to: 4, row: 4, token: 0, gives: "logits" },
    ]).phases.map((p) => ({ ...p, outputs: [...p.outputs, ...p.outputs.map((o) => ({ ...o, name: "z" }))] }));
    if (decode === undefined || verify === undefined) throw new Error("no phases");
    const both = (first: Phase): Program => ({ ...latent, phases: [first, verify] });
    expect(ranges(withinLimits(both(decode), context, limits(512)))).toEqual([
      ["decode", 1, 64, null],
      ["verify", 1, 4, 32],
    ]);
    const less = both({ ...decode, outputs: decode.outputs.slice(0, 1) });
    expect(withinLimits(less, context, limits(512))).toEqual(less);
  });
  test("that give other things are left alone: nothing takes their place", () => {
    const numbers = programOf([
      { name: "decode", from: 1, to: 64, row: 0, token: 1 },
      { name: "ahead", from: 1, to: 64, row: 0, token: 100, gives: "numbers" },
    ]);
    expect(withinLimits(numbers, context, limits(512))).toEqual(numbers);
  });
  test("stay where a call of theirs would be nobody's: who plans them says what has no room", () => {
    const alone = programOf([{ name: "all", from: 1, to: 64, row: 4, token: 1 }]);
    expect(withinLimits(alone, context, limits(512))).toEqual(alone);
    const bound: Program = {
      ...alone,
      kernels: [
        {
          ...{ name: "k", sizes: ["n"], grid: [1], scratch: 0, gpu: { bindings: [[0]], itemsInGroup: 64 } },
          buffers: [{ name: "x", elem: "f32", extent: "n", access: "write" }],
        },
      ],
      phases: alone.phases.map((p) => ({
        ...p,
        steps: [{ kind: "call", kernel: 0, buffers: [{ kind: "arena", buffer: 0 }], sizes: ["T"], label: "" }],
      })),
    };
    const plan = (bytes: number) => planGpu(bound, { context, chunk: 8, logitsChunk: 8 }, limits(bytes), null);
    expect(() => plan(512)).toThrow(GpuLimitError);
    expect(plan(4 * (4 * context + 8)).arena).toBeGreaterThan(0);
  });
});

test("whatever the sizes: all calls are played as far as before, and those that are cut have room", () => {
  const shape = (from: number, to: number, gives: Logits) =>
    fc.record({ row: fc.nat(6), token: fc.nat(12), beside: fc.nat(40) }).map((sizes) => ({
      ...sizes,
      ...{ name: `${gives} ${from}`, from, to, gives },
    }));
  const shapes = fc.tuple(shape(1, 1, "next"), shape(2, 9, "next"), shape(10, 64, "next"), shape(1, 64, "logits"));
  let cut = 0;
  fc.assert(
    fc.property(shapes, fc.integer({ min: 16, max: 1600 }), fc.integer({ min: 1, max: 64 }), (all, bytes, chunk) => {
      const whole = playedProgram(programOf(all), { context, chunk, logitsChunk: Math.min(8, chunk) });
      const found = withinLimits(whole, context, limits(bytes));
      if (found === whole) return;
      cut += Number(JSON.stringify(found) !== JSON.stringify(whole));
      for (const logits of ["next", "logits"] as const)
        for (let before = 0; before < context; before += 1) {
          const wanted = { ...next, logits };
          expect(choosePiece(found.phases, 1, chunk, before, wanted)).not.toBeNull();
          const piece = choosePiece(found.phases, context - before, chunk, before, wanted);
          const phase = piece === null ? undefined : found.phases[piece.phase];
          if (piece === null || phase === undefined) throw new Error(`nothing plays what is behind ${before}`);
          expect(bytesIn(phase, piece.tokens, before)).toBeLessThanOrEqual(bytes);
        }
    }),
    { numRuns: 500 },
  );
  expect(cut).toBeGreaterThan(50);
});
