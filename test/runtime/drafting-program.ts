/**
 * The small model with an entry that drafts: it keeps a row of what the model said of each token, scaled, and adds their sum to the
 * token that follows.
 *
 *     s[t, d] = hidden[t, d] * g[d]                appended, of the entry alone
 *     x[t, d] = E[id[t], d] / 2 + sum of r <= t over s[r, d] / 8
 *     y[v]    = sum of d over x[T - 1, d] * E[v, d] + b[v]
 */
import type { Call, Phase, Program, SizeExpr } from "../../runtime/artifact/program.ts";
import { sizes, tinyProgram } from "./tiny-program.ts";

const { V, D } = sizes;
const [a, b, y] = [0, 1, 2].map((buffer) => ({ kind: "arena", buffer }) as const);
const rows = { name: "hidden", at: b ?? { kind: "arena", buffer: 1 }, elem: "f32", dims: ["T", D] } as const;

/** As it is, with the rows of its tokens too. */
const withRows = (phase: Phase, name: string, to: number): Phase => ({
  ...phase,
  name,
  from: 1,
  to,
  buffers: phase.buffers.map((one, i) => (i === 1 ? { ...one, live: [one.live[0], 3] } : one)),
  outputs: [rows, ...phase.outputs],
});

function drafting(name: string, from: number, to: number): Phase {
  const call = (kernel: number, buffers: readonly unknown[], given: readonly SizeExpr[]): Call => ({
    kind: "call",
    kernel,
    label: name,
    buffers: buffers as Call["buffers"],
    sizes: given,
  });
  const size: SizeExpr = ["*", "T", D];
  const [weight, g] = [
    { kind: "weight", weight: 0 },
    { kind: "weight", weight: 2 },
  ] as const;
  const state = (row: SizeExpr) => ({ kind: "state", state: 1, copy: 0, row }) as const;
  return {
    name,
    entry: "propose",
    from,
    to,
    inputs: [
      { name: "ids", elem: "i32", dims: ["T"] },
      { name: "hidden", elem: "f32", dims: ["T", D] },
    ],
    buffers: [
      { name: "a", elem: "f32", size, live: [0, 2] },
      { name: "b", elem: "f32", size, live: [2, 3] },
      { name: "y", elem: "f32", size: V, live: [3, 3] },
    ],
    steps: [
      call(0, [{ kind: "input", input: 0 }, weight, a], ["T", V, D]),
      call(1, [{ kind: "input", input: 1 }, g, state("S0")], ["T", D]),
      call(2, [a, state(0), b], ["T", ["+", "S0", "T"], D, "S0"]),
      call(3, [{ ...b, offset: ["*", ["-", "T", 1], D] }, weight, { kind: "constant", constant: 0 }, y], [1, V, D]),
    ],
    outputs: [
      { ...rows, name: "hidden_next" },
      { name: "next", at: y ?? rows.at, elem: "f32", dims: [V] },
    ],
  };
}

/** A program of the small model, drafting. */
export function draftingOver(base: Program): Program {
  const [, many, all] = base.phases;
  if (many === undefined || all === undefined) throw new Error("the small model has three phases");
  return {
    ...base,
    weights: [
      ...base.weights,
      {
        name: "draft.g",
        optional: "draft",
        elem: "f32",
        stacks: [],
        shape: [D],
        tensors: { patterns: ["model.draft.g"], from: [] },
        below: null,
        at: "tiny.ds:20:3",
      },
    ],
    states: [...base.states, { name: "draft.rows", elem: "f32", row: D, copies: 1 }],
    phases: [
      ...base.phases,
      withRows(many, "prompt", 64),
      withRows(all, "verify", 8),
      drafting("draft", 1, 1),
      drafting("draft_prompt", 2, 64),
    ],
    draft: { entry: "propose", feeds: [{ input: "hidden", first: "hidden", then: "hidden_next" }] },
  };
}

export const draftingProgram = draftingOver(tinyProgram);
