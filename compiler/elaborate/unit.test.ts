import { expect, test } from "vitest";
import { pathOf } from "./unit.ts";

const runs = new Map([
  ["layer", { family: "layer", members: [0, 1] }],
  ["stack3", { family: "stack", members: [3, 4] }],
  ["stack3.expert5", { family: "stack3.expert", members: [5] }],
]);

test.each([
  ["layer.attn.k", "layer.attn.k"],
  ["stack3.attn.k", "stack.attn.k"],
  ["stack3.expert5.y", "stack.expert.y"],
  ["stack33.y", "stack33.y"],
  ["norm.y", "norm.y"],
])("%s is %s in the text", (label, path) => expect(pathOf(label, runs)).toBe(path));
