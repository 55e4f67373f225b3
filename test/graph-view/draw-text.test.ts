import { expect, test } from "vitest";
import { drawText } from "../../dsl/graph-view/draw-text.ts";
import { block, deepseekV32, model, weight } from "../cli/sample-model.ts";

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

test("settings, entries and what compressed states leave behind", () => {
  const settings = [
    { name: "D", kind: "field" as const, type: "dim", value: "8" },
    { name: "T", kind: "runtime" as const, type: "dim", value: "1..16" },
    { name: "exact", kind: "option" as const, type: "bool", value: null },
  ];
  const states = [{ name: "kv", shape: "[S div 4, 8]" }];
  const params = [
    { name: "eps", value: "eps" },
    { name: "H", value: "2" },
  ];
  const entries = [{ name: "get", signature: "(x: [8]) -> y: [8]" }];
  const text = drawText(model({ settings, entries, blocks: [block("b", "f", { states, params })] }));
  expect(text).toContain(
    "config\n  D = 8\n\noptions\n  exact: bool\n\nrun time\n  T in 1..16\n\nentries\n  get(x: [8]) -> y",
  );
  expect(text).toContain("   │  eps, H = 2\n   └─ state kv  [S div 4, 8]  one row for several tokens\n");
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
