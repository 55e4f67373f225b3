/** Colours by meaning: what a grammar of patterns cannot tell apart, a weight from a definition from an index. */
import { type SemanticTokens, SemanticTokensBuilder, type SemanticTokensLegend } from "vscode-languageserver/node";
import type { SymbolKind } from "../../dsl/checker/result.ts";
import { rangeOf } from "./documents.ts";
import { symbolById } from "./symbol-at.ts";
import type { Checked } from "./workspace.ts";

const types = [
  "function",
  "class",
  "namespace",
  "method",
  "type",
  "parameter",
  "property",
  "variable",
  "enumMember",
] as const;

export const legend: SemanticTokensLegend = { tokenTypes: [...types], tokenModifiers: ["declaration", "readonly"] };

const typeOf: Readonly<Record<SymbolKind, (typeof types)[number]>> = {
  fn: "function",
  block: "class",
  model: "namespace",
  law: "function",
  entry: "method",
  phase: "method",
  loop: "method",
  param: "parameter",
  parameter: "parameter",
  field: "parameter",
  runtime: "type",
  dim: "type",
  weight: "property",
  state: "property",
  part: "method",
  slot: "class",
  definition: "variable",
  result: "variable",
  index: "enumMember",
};

export function semanticTokens({ result, entry }: Checked): SemanticTokens {
  const builder = new SemanticTokensBuilder();
  const here = result.references
    .filter((reference) => reference.span.source.path === entry)
    .sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
  let covered = 0;
  for (const { span, symbol: id } of here) {
    const symbol = symbolById(result, id);
    // tokens may neither overlap nor be of a name that is not there
    if (symbol === null || span.start < covered || span.end === span.start) continue;
    covered = span.end;
    const { start } = rangeOf(span);
    const upper = /^[A-Z]/.test(symbol.name);
    const type = upper && (symbol.kind === "param" || symbol.kind === "field") ? "type" : typeOf[symbol.kind];
    const modifiers =
      (span.start === symbol.span.start && symbol.span.source.path === entry ? 1 : 0) |
      (symbol.kind === "weight" ? 2 : 0);
    builder.push(start.line, start.character, span.end - span.start, types.indexOf(type), modifiers);
  }
  return builder.build();
}
