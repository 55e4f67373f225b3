import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { expect, onTestFinished, test } from "vitest";
import { reportBug } from "../../compiler/cli/report-bug.ts";
import { sourceFrame } from "../../compiler/cli/source-frame.ts";
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

test("a line of a stack is told by its place in the sources, where what runs was bundled of them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dsc frames "));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "src"));
  const text = `const unused: number = 1;\n\nexport function fail(): never {\n  throw new Error("here");\n}\n`;
  writeFileSync(join(folder, "src/fail.ts"), text);
  writeFileSync(join(folder, "src/main.ts"), 'import { fail } from "./fail.ts";\nfail();\n');
  const outfile = join(folder, "dist/main.js");
  const entryPoints = [join(folder, "src/main.ts")];
  await build({ entryPoints, outfile, bundle: true, format: "esm", sourcemap: "linked", banner: { js: "// moved" } });
  const error: unknown = await import(pathToFileURL(outfile).href).catch((thrown: unknown) => thrown);
  const [, thrown = "", called = ""] = error instanceof Error ? (error.stack ?? "").split("\n") : [];
  expect(sourceFrame(thrown)).toBe(`    at fail (${join(folder, "src/fail.ts")}:4:9)`);
  expect(sourceFrame(called)).toBe(`    at ${join(folder, "src/main.ts")}:2:1`);
  const without = "    at f (file:///nowhere/a.js:1:2)";
  expect(sourceFrame(without)).toBe(without);
});
