/** The editor's colours, with the engine editors use: the TextMate grammar over real texts. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import oniguruma from "vscode-oniguruma";
import textmate, { type IGrammar, type StateStack } from "vscode-textmate";
import { keywords } from "../../dsl/lexer/tokens.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const grammarPath = here("../../editors/vscode/syntaxes/dsc.tmLanguage.json");

let grammar: IGrammar;
beforeAll(async () => {
  const wasm = createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm");
  await oniguruma.loadWASM(readFileSync(wasm));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(readFileSync(grammarPath, "utf8"), grammarPath),
  });
  const loaded = await registry.loadGrammar("source.dsc");
  if (loaded === null) throw new Error("the grammar cannot be loaded");
  grammar = loaded;
});

interface Piece {
  readonly text: string;
  readonly scopes: readonly string[];
}

function pieces(text: string): readonly (readonly Piece[])[] {
  let state: StateStack = textmate.INITIAL;
  return text.split("\n").map((line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
    state = ruleStack;
    return tokens.map((token) => ({ text: line.slice(token.startIndex, token.endIndex), scopes: token.scopes }));
  });
}

/** The innermost scope of each piece of one line that is not white space, `.dsc` left out. */
function scopesIn(line: string, context = ""): readonly (readonly [string, string])[] {
  const lines = pieces(`${context}${line}`);
  return (lines.at(-1) ?? [])
    .filter((piece) => piece.text.trim() !== "")
    .map((piece) => [piece.text.trim(), (piece.scopes.at(-1) ?? "").replace(/\.dsc$/, "")] as const);
}

const of = (line: string, text: string, context = ""): readonly string[] =>
  scopesIn(line, context)
    .filter(([piece]) => piece === text)
    .map(([, scope]) => scope);

const body = "block b(x: [D]) -> y: [D] {\n";

describe("grammar", () => {
  test("declarations name what they declare", () => {
    expect(of("fn softmax(a: [I]) -> p: [I] {", "fn")).toEqual(["storage.type.declaration"]);
    expect(of("fn softmax(a: [I]) -> p: [I] {", "softmax")).toEqual(["entity.name.function"]);
    expect(of("block rms_norm(x: [D]) -> y: [D] {", "rms_norm")).toEqual(["entity.name.type.block"]);
    expect(of("model v3 extends v2 {", "v3")).toEqual(["entity.name.type.model"]);
    expect(of("model v3 extends v2 {", "v2")).toEqual(["entity.other.inherited-class"]);
    expect(of('  weight g : [D] at "weight"', "g", body)).toEqual(["variable.other.weight"]);
    expect(of("  param ffn : block(x: [D]) -> y: [D]", "block", body)).toEqual(["storage.type.declaration"]);
  });

  test("dims, indices and values differ", () => {
    const line = "  a[t,h,s where s <= pos[t]] := q[t,h,n] * k[s,h,n]";
    expect(of(line, "a", body)).toEqual(["variable.other.definition"]);
    expect(of(line, "n", body)).toEqual(["variable.parameter.index", "variable.parameter.index"]);
    expect(of(line, "pos", body)).toEqual(["variable.other"]);
    expect(of(line, "where", body)).toEqual(["keyword.control"]);
    expect(of("  state latent : [S, R]", "R", body)).toEqual(["entity.name.type.dim"]);
    expect(of("  y[g,(h,_),i] := x[(g,h)]", "h", body)).toEqual([
      "variable.parameter.index",
      "variable.parameter.index",
    ]);
  });

  test("scalar words and numbers", () => {
    expect(of("  param eps : real = 1e-6", "real", body)).toEqual(["support.type.scalar"]);
    expect(of("  param eps : real = 1e-6", "1e-6", body)).toEqual(["constant.numeric"]);
    expect(scopesIn("  runtime T : dim in 1..4096", body)).toContainEqual(["..", "keyword.operator.range"]);
    expect(of("  runtime T : dim in 1..4096", "4096", body)).toEqual(["constant.numeric"]);
  });

  test("operators", () => {
    expect(of("  u | v := w", "|", body)).toEqual(["keyword.operator.join"]);
    expect(of("  if tied { head := embed }", "if", body)).toEqual(["keyword.control"]);
    expect(of("  u | v := w", ":=", body)).toEqual(["keyword.operator.definition"]);
    expect(of("  c[pos[t]] <- e where t < 1", "<-", body)).toEqual(["keyword.operator.write"]);
    expect(of("    eps : real = $.eps ?? 1", "??", body)).toEqual(["keyword.operator.coalesce"]);
  });

  test("a word after a dot is no keyword", () => {
    expect(of('  require $.rope_scaling.type == "yarn"', "type", body)).toEqual(["variable.other.member"]);
    expect(of("  require $.text", "text", body)).toEqual(["variable.other.member"]);
  });

  test("strings interpolate", () => {
    const line = '  part expert[e in E] : swiglu(..) at "experts.{e}.up"';
    expect(of(line, "experts.", body)).toEqual(["string.quoted.double"]);
    expect(of(line, "e", body)).toEqual(["variable.parameter.index", "variable.other"]);
    expect(of(line, "{", body)).toEqual(["punctuation.section.interpolation.begin"]);
    expect(of('  require s == "open', "open", body)).toEqual(["string.quoted.double"]);
    expect(
      pieces(`${body}  require s == "open\n  a := b`)
        .at(-1)
        ?.some((one) => one.scopes.some((s) => s.startsWith("string"))),
    ).toBe(false);
  });

  test("comments, documentation among them", () => {
    expect(of("/// Rows of `x`, summed.", "`x`")).toEqual(["markup.inline.raw.string.markdown"]);
    expect(of("/// Rows of `x`, summed.", "///")).toEqual(["punctuation.definition.comment"]);
    expect(scopesIn("  a := b // fn weight", body).at(-1)).toEqual(["fn weight", "comment.line.double-slash"]);
  });

  test("what is no character of the language is marked", () => {
    expect(of("  a := b @ c", "@", body)).toEqual(["invalid.illegal"]);
  });

  test("every keyword has a scope of its own", () => {
    const plain = keywords.filter((word) => {
      const found = of(` ${word} `, word);
      return found.length !== 1 || /^(source|variable\.other|entity\.name\.function\.call)/.test(found[0] ?? "");
    });
    expect(plain).toEqual([]);
  });
});

const examples = join(process.env["DSC_TEST_DATA"] ?? here("../../../shared"), "design", "language-examples");
const texts = existsSync(examples)
  ? readdirSync(examples, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ds"))
      .sort()
  : [];

describe("grammar over whole texts", () => {
  if (texts.length === 0) {
    test.skip(`no language examples in ${examples} (DSC_TEST_DATA names the folder with inputs)`, () => undefined);
    return;
  }
  test.each(texts)("%s has no invalid token, and ends outside of every bracket", (path) => {
    const text = readFileSync(join(examples, path), "utf8");
    const lines = pieces(`${text}\nfn`);
    const bad = lines.flatMap((line, at) =>
      line
        .filter((piece) => piece.scopes.some((scope) => scope.startsWith("invalid")))
        .map((piece) => `${at + 1}: ${piece.text}`),
    );
    expect(bad).toEqual([]);
    // an unbalanced rule would leave its scope on everything behind it
    expect(lines.at(-1)?.[0]?.scopes).toEqual(["source.dsc", "storage.type.declaration.dsc"]);
  });
});
