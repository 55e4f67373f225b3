import { expect, test } from "vitest";
import { block, deepseekV32, model, weight } from "../../test/cli/sample-model.ts";
import { drawText } from "./draw-text.ts";

test("parts, families, weights, states and totals", () => {
  const text = drawText(deepseekV32);
  const lines = text.split("\n");
  expect(lines).toContain("├─ layer x 58 (l >= 3): decoder  668.2 B  x: [T, D], pos: [T] in S -> y: [T, D]");
  expect(lines).toContain("│     ├─ expert x 256 (e in E): swiglu  11.3 B  x: [D] -> y: [D]");
  expect(lines).toContain(
    "│  │  ├─ weight w_uq     [(H, (N | P)), RQ]  24576 x 1536   37.7 M  model.layers.{l}.self_attn.q_b_proj.weight",
  );
  expect(text).toMatch(/state latent +\[S, R\] +one row a token/);
  expect(text).toMatch(/^└─ optional draft_layer: mtp/m);
  expect(text).toContain("total: 683,501,971,712 parameters (683.5 B)\n       671,877,944,064 without optional parts");
});

test("an empty model is drawn too", () => {
  expect(drawText(model())).toBe("model sample\n\ntotal: 0 parameters (0)\n");
});

test("sizes that are names stay names", () => {
  const family = { index: "l", size: "L", count: null };
  const layer = block("layer", "linear", { family, weights: [weight("w", "l.{l}", "[O, I]", null)] });
  const text = drawText(model({ bound: false, blocks: [layer] }));
  expect(text).toContain("└─ layer x L (l in L): linear  x: [D] -> y: [D]\n   └─ weight w  [O, I]  l.{l}\n");
  expect(text).toContain("total: not known without a config");
});

test("no control or direction mark of a file's text reaches the terminal", () => {
  const evil = "a\u001b[2J\u202e\r\nb";
  const parts = [
    block(evil, evil, { weights: [weight(evil, evil, evil, null)], params: [{ name: evil, value: evil }] }),
  ];
  const text = drawText(model({ name: evil, doc: evil, blocks: parts, entries: [{ name: evil, signature: evil }] }));
  const marks = [...text].filter((char) => (char < " " && char !== "\n") || char === "\u202e");
  expect(marks).toEqual([]);
});
