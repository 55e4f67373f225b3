/** docs/language.md against the code: every example checks, and every list is complete. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { reductions, scalarFunctions, staticConstants } from "../../dsl/checker/builtins.ts";
import { codes } from "../../dsl/diagnostics/codes.ts";
import { renderAll } from "../../dsl/diagnostics/render-text.ts";
import { makeSource } from "../../dsl/diagnostics/source.ts";
import { formatSource } from "../../dsl/format/format.ts";
import { readTokens } from "../../dsl/lexer/read-tokens.ts";
import { allTokens, contextualWords, keywords, keywordTypes } from "../../dsl/lexer/tokens.ts";
import { binaryPrecedence, unaryPrecedence } from "../../dsl/parser/operators.ts";
import { parse } from "../../dsl/parser/parse.ts";
import { seeded } from "../fuzz/random.ts";
import { accepts, literals, looseEnds, readEbnf } from "./ebnf.ts";
import { blocks, checkExample, examples, expectedCode, type ManualBlock, manual, pathOf } from "./read-manual.ts";

const right = examples.filter((block) => expectedCode(block) === null);
const tokensOf = (text: string) => readTokens(makeSource("example.ds", text)).tokens;
const sorted = (words: Iterable<string>): readonly string[] => [...words].sort();

/** The text of the one block with this language and first word. */
function only(language: string, word?: string): string {
  const found = blocks.filter((block) => block.language === language && (word === undefined || block.info[0] === word));
  expect(found.length, `blocks \`\`\`${language} ${word ?? ""}`).toBe(1);
  return found[0]?.text ?? "";
}

/** The cells of the rows of the first table below a line that begins so. */
function table(heading: string): readonly (readonly string[])[] {
  const lines = manual.slice(manual.indexOf(`\n${heading}`) + 1).split("\n");
  const start = lines.findIndex((line) => line.startsWith("|"));
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  return rows.slice(0, end).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const codeWords = (cell: string): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);

describe.each(examples.map((block): [string, ManualBlock] => [`line ${block.line}, ${block.section}`, block]))(
  "example at %s",
  (_, block) => {
    it("is canonical", () => {
      const { text, diagnostics } = formatSource(makeSource(pathOf(block), block.text));
      if (expectedCode(block) === null) expect(diagnostics).toEqual([]);
      expect(text).toBe(block.text);
    });

    it(`gives ${expectedCode(block) ?? "no diagnostics"}`, () => {
      const found = checkExample(block);
      const expected = expectedCode(block);
      const got = found.map(({ code }) => code);
      expect(got, renderAll(found, { colour: false })).toEqual(expected === null ? [] : [expected]);
    });
  },
);

it("fragments are no examples: each `ds` block is whole", () => {
  expect(sorted(new Set(blocks.map(({ language }) => language)))).toEqual(["ds", "ebnf", "json", "text"]);
  expect(examples.length).toBeGreaterThan(40);
});

it("refused examples say their code in the prose before them", () => {
  const lines = manual.split("\n");
  for (const block of examples) {
    const code = expectedCode(block);
    if (code === null) continue;
    const before = lines.slice(0, block.line - 1).join("\n");
    expect(before.slice(-1200), `line ${block.line}`).toContain(code);
  }
});

describe("what the language has occurs in an example", () => {
  const tokens = right.flatMap(({ text }) => tokensOf(text));
  const images = new Set(tokens.map(({ image }) => image));

  it.each(keywords)("`%s`", (word) => {
    expect(images).toContain(word);
  });
  it.each([...contextualWords, ...scalarFunctions.keys(), ...reductions, ...staticConstants.keys(), "top"])(
    "`%s`",
    (word) => {
      expect(images).toContain(word);
    },
  );
  it("every sign", () => {
    const used = new Set(tokens.map(({ tokenType }) => tokenType));
    const signs = allTokens.filter((type) => type.GROUP !== "comments" && !keywordTypes.has(type));
    const absent = signs.filter((type) => !used.has(type)).map(({ name }) => name);
    // An `=` in an expression and a string without its end are mistakes; white space is no token.
    expect(absent).toEqual(["WhiteSpace", "OpenString"]);
  });
});

describe("words", () => {
  const listed = (kind: string): readonly string[] => only("text", kind).trim().split(/\s+/);

  it("are those of the lexer", () => {
    expect(sorted([...listed("reserved"), ...listed("scalars")])).toEqual(sorted(keywords));
    expect(sorted(listed("contextual"))).toEqual(sorted(contextualWords));
  });

  it("in quotes in the grammar are the same", () => {
    const words = [...literals(readEbnf(only("ebnf")))].filter((text) => /^[a-z]/.test(text));
    expect(sorted(words)).toEqual(sorted([...listed("reserved"), ...listed("contextual")]));
  });

  it("of the table of types are element types", () => {
    const words = table("## 3. Types").flatMap(([form = ""]) => codeWords(form));
    for (const scalar of listed("scalars").filter((text) => text !== "f32" && text !== "f64"))
      expect(words).toContain(scalar);
  });
});

describe("grammar", () => {
  const grammar = readEbnf(only("ebnf"));
  const files = [
    ...examples.map((block): [string, string] => [`line ${block.line}`, block.text]),
    ...["../../dsl/stdlib/", "../../models/"].flatMap((folder) => {
      const url = new URL(folder, import.meta.url);
      const names = readdirSync(url).filter((name) => name.endsWith(".ds"));
      return names.map((name): [string, string] => [name, readFileSync(new URL(name, url), "utf8")]);
    }),
  ];
  const parses = (text: string): boolean => parse(makeSource("example.ds", text)).diagnostics.length === 0;

  it("has no loose ends", () => {
    expect(looseEnds(grammar)).toEqual([]);
  });

  it.each(files)("accepts %s", (_, text) => {
    expect(accepts(grammar, tokensOf(text))).toBe(true);
  });

  /** Two things that the parser lets pass and the manual does not: `x := e where c`, and any name for `memory`. */
  const lenient = readEbnf(
    only("ebnf").replace('":=" Expr | "<-" Expr', '( ":=" | "<-" ) Expr').replace('"memory"', "Name"),
  );

  it("agrees with the parser on texts with a token changed", () => {
    const random = seeded(12);
    const all = files.flatMap(([, text]) => tokensOf(text));
    const kindOf = (token: (typeof all)[number] | undefined): string => token?.tokenType.CATEGORIES?.[0]?.name ?? "";
    const ofKind = new Map<string, (typeof all)[number][]>();
    for (const token of all) {
      const alike = ofKind.get(kindOf(token));
      if (alike === undefined) ofKind.set(kindOf(token), [token]);
      else alike.push(token);
    }
    const verdicts = { accepted: 0, refused: 0 };
    for (let i = 0; i < 1500; i++) {
      const tokens = tokensOf(random.pick(examples).text);
      const images = tokens.map(({ image }) => image);
      const at = random.below(images.length);
      const change = random.below(4);
      // Another token of the same kind, where there is one, often gives a text that is right again.
      const alike = change === 3 ? ofKind.get(kindOf(tokens[at])) : undefined;
      const other = random.pick(alike ?? all).image;
      images.splice(at, change === 0 ? 0 : 1, ...(change === 1 ? [] : [other]));
      const text = images.join(" ");
      const byManual = accepts(grammar, tokensOf(text));
      if (accepts(lenient, tokensOf(text)) !== byManual) continue;
      expect(parses(text), `${byManual ? "only the manual" : "only the parser"} accepts: ${text}`).toBe(byManual);
      verdicts[byManual ? "accepted" : "refused"] += 1;
    }
    expect(Math.min(verdicts.accepted, verdicts.refused)).toBeGreaterThan(150);
  });
});

it("operators stand in the order of their precedence", () => {
  const levels = table("### Operators").map(([operators = ""]) =>
    codeWords(operators).flatMap((op) => {
      if (operators.startsWith("unary")) return [unaryPrecedence("-")];
      if (op === "not") return [unaryPrecedence("not")];
      const level = binaryPrecedence(op as Parameters<typeof binaryPrecedence>[0]) as number | undefined;
      return level === undefined ? [] : [level];
    }),
  );
  for (const level of levels) expect(new Set(level).size).toBeLessThanOrEqual(1);
  const order = levels.flatMap((level) => level.slice(0, 1));
  expect(order).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

it("the tables of the core are complete", () => {
  const functions = table("Scalar functions:").flatMap(([cell = ""]) =>
    codeWords(cell).map((w) => w.split("(")[0] ?? ""),
  );
  expect(sorted(functions)).toEqual(sorted([...scalarFunctions.keys(), ...staticConstants.keys()]));
  const [line = ""] = /^Reductions: .*$/m.exec(manual) ?? [];
  expect(codeWords(line)).toEqual([...reductions]);
});

it("every code belongs to a group of the last table", () => {
  const groups = table("## 13. Errors").map(([cell = ""]) => cell.match(/DS\d{4}/g) ?? []);
  const grouped = Object.keys(codes).map(
    (code) => groups.filter(([from = "", to = ""]) => from <= code && code <= to).length,
  );
  expect(new Set(grouped)).toEqual(new Set([1]));
  for (const end of groups.flat()) expect(Object.keys(codes)).toContain(end);
  for (const code of manual.match(/\bDS\d{4}\b/g) ?? []) expect(Object.keys(codes)).toContain(code);
});

it("the contents lead to headings", () => {
  const anchors = new Set(
    [...manual.matchAll(/^## (.+)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, "")
        .replace(/ /g, "-"),
    ),
  );
  const links = [...manual.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = ""]) => anchor);
  expect(sorted(links)).toEqual(sorted(anchors));
});

describe("decisions", () => {
  const folder = new URL("../../docs/decisions/", import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith(".md"));

  it.each(names)("%s says context, choice and what was given up", (name) => {
    const text = readFileSync(new URL(name, folder), "utf8");
    expect(name).toMatch(/^\d{4}-[a-z0-9-]+\.md$/);
    expect(text.startsWith(`# ${name.slice(0, 4)}: `)).toBe(true);
    const titles = [...text.matchAll(/^\*\*(.+?)\.\*\*/gm)].map(([, title]) => title);
    expect(titles).toEqual(["Context", "Choice", "Given up"]);
    expect(text.split("\n").length).toBeLessThan(50);
  });

  it("are numbered without gaps", () => {
    expect(names.map((name) => Number(name.slice(0, 4)))).toEqual(names.map((_, i) => i + 1));
  });
});
