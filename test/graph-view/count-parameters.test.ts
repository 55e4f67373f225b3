import { expect, test } from "vitest";
import { countParameters } from "../../dsl/graph-view/count-parameters.ts";
import { block, deepseekV32, model, weight } from "../cli/sample-model.ts";

test("DeepSeek-V3.2 has the number of parameters its authors publish", () => {
  const { total, optional } = countParameters(deepseekV32);
  // 671,877,929,216 parameters and 58 x 256 routing biases, which are buffers there
  expect((total ?? 0) - optional).toBe(671_877_929_216 + 14_848);
});

test("a count that is not known makes the sums above it unknown, and no others", () => {
  const known = block("a", "f", { weights: [weight("w", "a", "[2, 3]", [2, 3])] });
  const unknown = block("b", "f", { weights: [weight("w", "b", "[D]", null)] });
  const family = block("c", "f", { family: { index: "l", size: "L", count: null }, parts: [known] });
  const counts = countParameters(model({ blocks: [known, unknown, family] }));
  expect([counts.all(known), counts.one(unknown), counts.one(family), counts.all(family), counts.total]).toEqual([
    6,
    null,
    6,
    null,
    null,
  ]);
});

test("optional parts are counted once, with their copies", () => {
  const leaf = block("leaf", "f", { optional: true, weights: [weight("w", "w", "[7]", [7])] });
  const nest = block("nest", "g", { optional: true, parts: [leaf] });
  const rows = block("rows", "h", { family: { index: "i", size: "N", count: 3 }, parts: [leaf] });
  expect(countParameters(model({ blocks: [nest, rows] }))).toMatchObject({ total: 28, optional: 28 });
});
