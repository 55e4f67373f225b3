import { expect, test } from "vitest";
import type { Phase, Program } from "../artifact/program.ts";
import { checkPhases, choosePiece } from "./choose-phase.ts";

const at = { kind: "input", input: 0 } as const;
const phase = (results: string, from: number, to: number, entry = "forward"): Phase => ({
  name: "",
  entry,
  from,
  to,
  inputs: [],
  buffers: [],
  steps: [],
  outputs: results.split(" ").map((name) => ({ name, at, elem: "f32", dims: [] })),
});
const both = [phase("next", 1, 1), phase("next", 1, 64), phase("logits", 1, 512)];

test.each([
  ["one token by the phase made for it", both, 1, 256, "next", { phase: 0, tokens: 1 }],
  ["a prompt without logits that nobody asked for", both, 300, 256, "next", { phase: 1, tokens: 64 }],
  ["all logits", both, 300, 256, "logits", { phase: 2, tokens: 256 }],
  ["the chunk", both, 300, 10, "next", { phase: 1, tokens: 10 }],
  ["all logits token by token", both.slice(0, 2), 9, 256, "logits", { phase: 0, tokens: 1 }],
  ["the last of all logits", both.slice(2), 9, 256, "next", { phase: 0, tokens: 9 }],
  [
    "many at a time even with logits",
    [phase("next", 1, 1), phase("logits", 1, 64)],
    64,
    64,
    "next",
    { phase: 1, tokens: 64 },
  ],
  ["a gap", [phase("next", 1, 1), phase("next", 8, 64)], 5, 64, "next", { phase: 0, tokens: 1 }],
  ["none", [phase("next", 2, 8)], 1, 64, "next", null],
  ["an unknown result", [phase("other", 1, 8)], 1, 64, "next", null],
  ["another entry", [phase("next", 1, 1, "draft"), phase("next", 1, 64)], 1, 64, "next", { phase: 1, tokens: 1 }],
] as const)("%s", (_, phases, left, most, logits, piece) => {
  expect(choosePiece(phases, left, most, 0, { entry: "forward", logits, rows: [] })).toEqual(piece);
});

test("a prompt takes a phase that gives rows too before one of all logits", () => {
  const phases = [phase("next", 1, 1), phase("hidden next", 2, 64), phase("logits", 1, 64)];
  expect(choosePiece(phases, 64, 64, 0, { entry: "forward", logits: "next", rows: [] })).toEqual({
    phase: 1,
    tokens: 64,
  });
});

test.each([
  ["rows of a prompt", 300, "next", { phase: 1, tokens: 64 }],
  ["rows of a few, with all logits", 4, "logits", { phase: 2, tokens: 4 }],
  ["rows of one token, by the phase that checks", 1, "next", { phase: 2, tokens: 1 }],
] as const)("%s", (_, left, logits, piece) => {
  const phases = [
    phase("next", 1, 1),
    phase("hidden next", 2, 64),
    phase("hidden logits", 1, 8),
    phase("logits", 1, 64),
  ];
  expect(choosePiece(phases, left, 64, 0, { entry: "forward", logits, rows: ["hidden"] })).toEqual(piece);
});

/** As a model with a choice from memory has them: up to 100 rows nothing is chosen, and then there are two plans. */
const upTo100 = { from: 1, to: 100 };
const behind100 = { from: 101, to: 1000 };
const ranges: readonly Phase[] = [
  { ...phase("next", 1, 1), rows: upTo100 },
  { ...phase("next", 1, 1), rows: behind100 },
  { ...phase("next", 2, 40), rows: upTo100 },
  { ...phase("next", 41, 100), rows: upTo100 },
  { ...phase("next", 2, 512), rows: behind100 },
];
test.each([
  ["one token at the border", 1, 99, { phase: 0, tokens: 1 }],
  ["one token behind it", 1, 100, { phase: 1, tokens: 1 }],
  ["few tokens", 30, 0, { phase: 2, tokens: 30 }],
  ["many tokens", 60, 0, { phase: 3, tokens: 60 }],
  ["a chunk that ends at the border", 60, 40, { phase: 3, tokens: 60 }],
  ["a chunk that is cut there, as most of it is before it", 60, 50, { phase: 3, tokens: 50 }],
  ["one that is not, as little of it is", 60, 90, { phase: 4, tokens: 60 }],
  ["a chunk behind it", 300, 100, { phase: 4, tokens: 256 }],
  ["two tokens across it", 2, 99, { phase: 0, tokens: 1 }],
  ["the end of memory", 60, 980, { phase: 4, tokens: 20 }],
  ["no room", 1, 1000, null],
] as const)("by rows: %s", (_, left, before, piece) => {
  expect(choosePiece(ranges, left, 256, before, { entry: "forward", logits: "next", rows: [] })).toEqual(piece);
});

test("every number of rows has a phase for one token", () => {
  const program = (phases: readonly Phase[]): Program =>
    ({ phases, vocabulary: 8, entry: "forward" }) as unknown as Program;
  expect(() => checkPhases(program(ranges), 256, 1000)).not.toThrow();
  expect(() => checkPhases(program(ranges), 256, 1001)).toThrow("no phase takes a single token behind 1000");
  expect(() => checkPhases(program([ranges[0], ranges[2]] as Phase[]), 256, 101)).toThrow("behind 100");
  expect(() => checkPhases(program(ranges.slice(1)), 256, 1000)).toThrow("no phase takes a single token");
});
