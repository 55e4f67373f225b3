import { expect, test } from "vitest";
import { checkBestTokens } from "./best-tokens.ts";
import { CorruptPackageError } from "./errors.ts";
import type { Input, Output, Phase } from "./program.ts";

const out = (name: string, dims: Output["dims"], elem: Output["elem"] = "f32"): Output => ({
  ...{ name, dims, elem },
  at: { kind: "arena", buffer: 0 },
});
const temperature: Input = { name: "inverse_temperature", elem: "f32", dims: [1] };
const phase = (outputs: readonly Output[], inputs: readonly Input[] = [temperature]): Phase => ({
  ...{ name: "decode", entry: "forward", from: 1, to: 1, buffers: [], steps: [] },
  ...{ inputs, outputs },
});
const [ids, logits, sum] = [out("best_ids", [8], "i32"), out("best_logits", [8]), out("weight_sum", [1])];
const [first, most, numbers] = [out("greedy_ids", [3], "i32"), out("greedy_logits", [3]), out("greedy_numbers", [3])];
const greedy = [first, most, numbers];
const next = out("next", [24]);

test.each<readonly [string, Phase]>([
  ["none", phase([next], [])],
  ["of the last token", phase([next, ids, logits, sum, ...greedy])],
  [
    "of all tokens",
    phase([
      out("logits", ["T", 24]),
      out("best_ids", ["T", 8], "i32"),
      out("best_logits", ["T", 8]),
      out("weight_sum", ["T", 3]),
      ...greedy.map((o) => ({ ...o, dims: ["T", 3] })),
    ]),
  ],
])("are fine: %s", (_, p) => {
  expect(() => checkBestTokens(p, "$")).not.toThrow();
});

test.each<readonly [string, Phase]>([
  ["without their sum", phase([next, ids, logits, ...greedy])],
  ["without the best of parts", phase([next, ids, logits, sum])],
  ["without the best few", phase([next, ...greedy])],
  ["without a temperature", phase([next, ids, logits, sum, ...greedy], [])],
  ["a temperature alone", phase([next])],
  ["of no logits", phase([ids, logits, sum, ...greedy])],
  ["ids that are real", phase([next, out("best_ids", [8]), logits, sum, ...greedy])],
  ["parts' ids that are real", phase([next, ids, logits, sum, out("greedy_ids", [3]), most, numbers])],
  ["fewer logits than parts", phase([next, ids, logits, sum, first, out("greedy_logits", [2]), numbers])],
  ["fewer numbers than parts", phase([next, ids, logits, sum, first, most, out("greedy_numbers", [2])])],
  ["fewer logits than ids", phase([next, ids, out("best_logits", [4]), sum, ...greedy])],
  ["as many as a call says", phase([next, out("best_ids", ["T"], "i32"), out("best_logits", ["T"]), sum, ...greedy])],
  [
    "of all tokens, beside logits of one",
    phase([next, out("best_ids", ["T", 8], "i32"), out("best_logits", ["T", 8]), sum, ...greedy]),
  ],
  ["several temperatures", phase([next, ids, logits, sum, ...greedy], [{ ...temperature, dims: [2] }])],
  ["a whole temperature", phase([next, ids, logits, sum, ...greedy], [{ ...temperature, elem: "i32" }])],
])("are refused: %s", (_, p) => {
  expect(() => checkBestTokens(p, "$")).toThrow(CorruptPackageError);
});
