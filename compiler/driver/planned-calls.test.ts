import { expect, test } from "vitest";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { plannedCalls } from "./planned-calls.ts";

const text = `model drafting {
  config {
    D : dim = $.hidden_size
    V : dim = $.vocab_size
    drafts : int = $.drafts ?? 0 where drafts <= 1
  }
  runtime T : dim in 1..4096
  weight embed : [V, D] at "embed.weight"
  entry forward(ids: [T] in V) -> (hidden: [T, D], logits: [T, V], next: [V]) {
    hidden[t]   := embed[ids[t]]
    logits[t,v] := embed[v,d] * hidden[t,d]
    next        := logits[T - 1]
  }
  phase decode = forward -> next where T == 1
  if drafts == 1 {
    weight w_eh  : [D, D] at "draft.weight"
    entry propose(hidden: [T, D], ids: [T] in V) -> (hidden_next: [T, D], logits: [T, V]) {
      hidden_next[t,i] := w_eh[i,d] * (hidden[t,d] + embed[ids[t],d])
      logits[t,v]      := embed[v,d] * hidden_next[t,d]
    }
    phase verify = forward -> hidden, logits where T in 1..8
    loop chat = sample forward draft propose
  }
}
`;
function planned(config: object) {
  const { bound } = checkProject({
    entry: "m.ds",
    read: (path) => (path === "m.ds" ? text : null),
    config: { path: "config.json", text: JSON.stringify({ hidden_size: 4, vocab_size: 8, ...config }) },
    settings: new Map(),
  });
  if (bound === null) throw new Error("no model");
  const { calls, draft } = plannedCalls(bound, "forward");
  return {
    draft,
    calls: calls.map((c) => `${c.name}: ${c.entry} ${c.from}..${c.to} -> ${c.results.join(" ")}`),
  };
}

test("where nothing is drafted, three kinds of calls", () => {
  const plain = [
    "decode: forward 1..1 -> next",
    "prefill: forward 2..Infinity -> next",
    "score: forward 1..Infinity -> logits",
  ];
  expect(planned({})).toEqual({ draft: null, calls: plain });
  expect(planned({ drafts: 0 })).toEqual({ draft: null, calls: plain });
});

test("what feeds the draft is asked for, and checked in the range that the text gives", () => {
  expect(planned({ drafts: 1 })).toEqual({
    draft: { entry: "propose", feeds: [{ input: "hidden", first: "hidden", then: "hidden_next" }] },
    calls: [
      "decode: forward 1..1 -> next",
      "prefill: forward 2..Infinity -> hidden next",
      "score: forward 1..Infinity -> logits",
      "verify: forward 1..8 -> hidden logits",
      "draft: propose 1..1 -> hidden_next logits",
      "draft_prompt: propose 2..Infinity -> hidden_next logits",
    ],
  });
});
