/** Formatting keeps the tree and the comments, and formatting twice is formatting once: over real files and their mutants. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { File } from "../ast/nodes.ts";
import { makeSource } from "../diagnostics/source.ts";
import { parse } from "../parser/parse.ts";
import { formatSource } from "./format.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const examples = join(process.env["DSC_TEST_DATA"] ?? here("../../../shared"), "design", "language-examples");
const full = process.env["DSC_FULL"] === "1";

function dsFiles(folder: string): readonly (readonly [path: string, text: string])[] {
  if (!existsSync(folder)) return [];
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ds"));
  return paths.sort().map((path) => [path, readFileSync(join(folder, path), "utf8")]);
}

const own = [...dsFiles(here("../stdlib")), ...dsFiles(here("../../models"))];
const given = dsFiles(examples);

/** All of a tree but places; of optional words, whether they are there. */
const treeText = (file: File): string =>
  JSON.stringify([file.imports, file.declarations], (key, value: unknown) => {
    if (key === "source" || key === "span" || key === "thenSpan" || key === "elseSpan") return undefined;
    return key === "override" || key === "optional" || key === "nullable" ? value !== null : value;
  });

const commentTexts = (file: File): readonly string[] => file.comments.map(({ text }) => text.trimEnd());

/** Where two trees part, with some text around; the whole of both would bury it. */
function firstDifference(a: string, b: string): string {
  if (a === b) return "";
  let at = 0;
  while (a[at] === b[at]) at++;
  return `${a.slice(Math.max(0, at - 100), at + 50)} became ${b.slice(at, at + 50)}`;
}

/** What format promises of a text without errors. */
function expectRoundTrip(text: string): void {
  const before = parse(makeSource("a.ds", text)).file;
  const once = formatSource(makeSource("a.ds", text)).text;
  const after = parse(makeSource("a.ds", once));
  expect(after.diagnostics).toEqual([]);
  expect(firstDifference(treeText(before), treeText(after.file))).toBe("");
  expect(commentTexts(after.file)).toEqual(commentTexts(before));
  expect(formatSource(makeSource("a.ds", once)).text).toBe(once);
}

describe("the library and the models", () => {
  it.each(own)("%s", (_, text) => {
    expect(parse(makeSource("a.ds", text)).diagnostics).toEqual([]);
    expectRoundTrip(text);
  });
});

describe("the language examples", () => {
  if (given.length === 0) {
    it.skip(`none in ${examples} (DSC_TEST_DATA names the folder with inputs)`, () => undefined);
    return;
  }
  it.each(given)("%s", (_, text) => {
    expect(parse(makeSource("a.ds", text)).diagnostics).toEqual([]);
    expectRoundTrip(text);
  });
});

/** Words, numbers, strings, signs, gaps and comments of a text; joined they are the text. */
const pieces = (text: string): readonly string[] =>
  text.match(/\/\/[^\n]*\n?|"[^"\n]*"|\w+|\s+|:=|<-|->|\.\.|\?\?|[^\w\s]/g) ?? [];

describe("with comments and breaks between any two words", () => {
  const texts = [...own, ...given].filter(([, text]) => text.length < 3000);
  // A `///` in the middle of something documents by where its line stands, which formatting may move: not tried here.
  const gaps = fc.constantFrom(" // c\n", "\n// c\n", "\n", "\n\n\n", " ");
  const places = fc.array(fc.tuple(fc.nat(), gaps), { minLength: 1, maxLength: 12 });
  it("nothing is lost or said twice", () => {
    const check = ([, text]: readonly [string, string], inserted: readonly (readonly [number, string])[]): void => {
      const words = [...pieces(text)];
      for (const [at, gap] of inserted) {
        const place = at % words.length;
        const word = words[place] ?? "";
        // within a comment there is no place for another
        if (!word.startsWith("//")) words[place] = gap + word;
      }
      const mutant = words.join("");
      if (parse(makeSource("a.ds", mutant)).diagnostics.length === 0) expectRoundTrip(mutant);
    };
    fc.assert(fc.property(fc.constantFrom(...texts), places, check), { numRuns: full ? 1000 : 200 });
  }, 900_000);
});

describe("mutants that still read", () => {
  const texts = [...own, ...given].filter(([, text]) => text.length < 3000);
  const change = fc.tuple(fc.nat(), fc.nat(), fc.constantFrom("drop", "double", "swap"));
  it("round-trip", () => {
    let readable = 0;
    const check = (
      [, text]: readonly [string, string],
      changes: readonly (readonly [number, number, string])[],
    ): void => {
      const words = [...pieces(text)];
      for (const [from, to, kind] of changes) {
        const i = from % words.length;
        const j = to % words.length;
        const word = words[i] ?? "";
        if (kind === "drop") words[i] = "";
        else if (kind === "double") words[i] = `${word} ${word}`;
        else [words[i], words[j]] = [words[j] ?? "", word];
      }
      const mutant = words.join("");
      if (parse(makeSource("a.ds", mutant)).diagnostics.length > 0) {
        expect(formatSource(makeSource("a.ds", mutant)).text).toBe(mutant);
        return;
      }
      readable++;
      expectRoundTrip(mutant);
    };
    const changes = fc.array(change, { minLength: 1, maxLength: 2 });
    fc.assert(fc.property(fc.constantFrom(...texts), changes, check), { numRuns: full ? 2000 : 400 });
    expect(readable).toBeGreaterThan(20);
  }, 900_000);
});
