import { expect, test } from "vitest";
import { reportBug } from "../../compiler/cli/report-bug.ts";
import type { Terminal } from "../../compiler/cli/terminal.ts";

test("a bug is reported with what is needed to find it, and without the folders of the machine", () => {
  let shown = "";
  const terminal: Terminal = {
    cwd: "/",
    columns: 80,
    colour: { out: false, error: false },
    out: () => undefined,
    error: (text) => {
      shown += text;
    },
    progress: () => undefined,
    lines: () => {
      throw new Error("nothing is said to it");
    },
  };
  const error = new TypeError("x is not a function");
  error.stack = [
    "TypeError: x is not a function",
    "    at f (file:///home/me/dsc/dsl/a.ts:1:2)",
    "    at g (/home/me/dsc/dsl/b.ts:3:4)",
    "    at node:internal/modules/run:5:6",
  ].join("\n");
  const code = reportBug(error, ["check", "a.ds"], terminal, { folder: "/home/me/dsc", version: "1.2.3" });
  expect(code).toBe(70);
  expect(shown).toContain("a bug in dsc");
  expect(shown).toContain("dsc 1.2.3, Node v");
  expect(shown).toContain("command: dsc check a.ds");
  expect(shown).toContain("TypeError: x is not a function\n      at f (dsl/a.ts:1:2)\n      at g (dsl/b.ts:3:4)\n");
  expect(shown).not.toMatch(/home|node:internal/);
});
