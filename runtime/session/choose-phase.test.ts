import { expect, test } from "vitest";
import type { Phase } from "../artifact/program.ts";
import { choosePiece } from "./choose-phase.ts";

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
  expect(choosePiece(phases, left, most, { entry: "forward", logits, rows: [] })).toEqual(piece);
});

test("a prompt takes a phase that gives rows too before one of all logits", () => {
  const phases = [phase("next", 1, 1), phase("hidden next", 2, 64), phase("logits", 1, 64)];
  expect(choosePiece(phases, 64, 64, { entry: "forward", logits: "next", rows: [] })).toEqual({ phase: 1, tokens: 64 });
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
  expect(choosePiece(phases, left, 64, { entry: "forward", logits, rows: ["hidden"] })).toEqual(piece);
});
