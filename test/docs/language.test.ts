import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { contextualWords, keywords } from "../../dsl/lexer/tokens.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const manual = readFileSync(join(root, "docs/language.md"), "utf8");
const readme = readFileSync(join(root, "README.md"), "utf8");

interface Example {
  readonly text: string;
  readonly line: number;
  readonly error: string | null;
}

const examplesOf = (text: string): readonly Example[] =>
  [...text.matchAll(/^```ds( error=(DS\d{4}))?\n([\s\S]*?)^```$/gm)].map((m) => ({
    text: m[3] ?? "",
    line: text.slice(0, m.index).split("\n").length,
    error: m[2] ?? null,
  }));

const codesOf = (text: string): readonly string[] =>
  checkProject({
    entry: "example.ds",
    read: (path) => {
      if (path === "example.ds") return text;
      const file = join(root, "dsl/stdlib", path.replace(/^std\//, ""));
      return path.startsWith("std/") && existsSync(file) ? readFileSync(file, "utf8") : null;
    },
  }).diagnostics.map((d) => `${d.code}: ${d.title}`);

const examples = examplesOf(manual);

describe("every example of the manual is checked", () => {
  test.each(examples)("line $line", ({ text, error }) => {
    const found = codesOf(text);
    if (error === null) expect(found).toEqual([]);
    else expect(found.map((f) => f.slice(0, 6))).toEqual([error]);
  });

  test("and so is the one of the README", () => {
    expect(examplesOf(readme).map((e) => codesOf(e.text))).toEqual([[]]);
  });
});

describe("the manual knows every word", () => {
  const all = manual;
  test.each([...keywords, ...contextualWords])("%s", (word) => {
    expect(new RegExp(`\\b${word}\\b`).test(all)).toBe(true);
  });
});
