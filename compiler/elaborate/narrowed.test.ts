import { expect, test } from "vitest";
import { Builder } from "../graph/builder.ts";
import { parse } from "../graph/parse.ts";
import { narrowFormat } from "./narrowed.ts";

const format = (type: string, body: string): string | null => {
  const made = parse(
    `graph @g {\n  size T in 1..8\n  %x : f32[T] = input\n  %h : bf16[T] = map [t] to_bf16(%x[t])\n  %y : ${type}[T] = map [t] ${body}\n  return %y\n}\n`,
    new Builder(),
  );
  if (!made.ok) throw new Error(made.message);
  const [y] = made.graph.results;
  if (y === undefined) throw new Error("no result");
  return narrowFormat(y);
};

test.each([
  ["bf16", "to_bf16(%x[t] + 1)", "bf16"],
  ["f16", "to_f16(%x[t] + 1)", "f16"],
  ["bf16", "select(t < 2, to_bf16(%x[t]), %h[t])", "bf16"],
  // What a pass has made of it, or never was: f32, which holds everything.
  ["bf16", "%x[t] + 1", null],
  ["bf16", "%x[t]", null],
  ["bf16", "to_f16(%x[t])", null],
  ["bf16", "select(t < 2, to_bf16(%x[t]), %x[t])", null],
  ["f32", "to_bf16(%x[t])", null],
])("%s of %s is stored as %s", (type, body, stored) => expect(format(type, body)).toBe(stored));
