import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import type { Diagnostic } from "../../dsl/diagnostics/diagnostic.ts";
import { lineText, positionAt, spanText } from "../../dsl/diagnostics/source.ts";
import { librarySlips } from "./library-slips.ts";
import { modelSlips } from "./model-slips.ts";
import type { Slip } from "./slip.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const fileOf = (path: string): string => join(root, path.startsWith("std/") ? `dsl/stdlib/${path.slice(4)}` : path);
const texts = new Map<string, string | null>();
const read = (path: string): string | null => {
  const known = texts.get(path);
  if (known !== undefined) return known;
  const text = existsSync(fileOf(path)) ? readFileSync(fileOf(path), "utf8") : null;
  texts.set(path, text);
  return text;
};
const cache = newParseCache();

/** The file with the slip in it. */
function withSlip({ file, line, find, replace }: Slip): string {
  const text = read(file);
  const start = text?.indexOf(line) ?? -1;
  if (text === null || start < 0) throw new Error(`${file} has no line with ${JSON.stringify(line)}`);
  const at = text.indexOf(find, start);
  const end = text.indexOf("\n", start);
  if (at < 0 || at >= end) throw new Error(`${JSON.stringify(find)} is not in the line with ${JSON.stringify(line)}`);
  return text.slice(0, at) + replace + text.slice(at + find.length);
}

function check(slip: Slip): readonly Diagnostic[] {
  const broken = withSlip(slip);
  return checkProject({ entry: slip.file, read: (path) => (path === slip.file ? broken : read(path)), cache })
    .diagnostics;
}

const shown = (d: Diagnostic): string => {
  const { line } = positionAt(d.primary.span.source, d.primary.span.start);
  return `${d.code} at "${spanText(d.primary.span)}" in "${lineText(d.primary.span.source, line).trim()}": ${d.title}`;
};

const slips = [...librarySlips, ...modelSlips];

test("there are at least 150 slips", () => {
  expect(slips.length).toBeGreaterThanOrEqual(150);
});

describe.each(slips)("$file: $find -> $replace", (slip) => {
  test(`is ${slip.code}`, () => {
    const errors = check(slip).filter((d) => d.severity === "error" || d.code === slip.code);
    const list = errors.map(shown).join("\n");
    const found = errors.find((d) => d.code === slip.code);
    expect(found, list).toBeDefined();
    if (found === undefined) return;
    if (slip.at !== undefined) expect(spanText(found.primary.span), list).toBe(slip.at);
    expect(errors.length, `one cause, reported ${errors.length} times:\n${list}`).toBeLessThanOrEqual(
      slip.at === undefined ? 3 : 2,
    );
  });
});
