import type { Hover } from "vscode-languageserver/node";
import type { CheckResult, SymbolInfo } from "../../dsl/checker/result.ts";
import { rangeOf } from "./documents.ts";
import { length, smallestAt, symbolAt } from "./symbol-at.ts";

/** What is known of the smallest thing at an offset, and the documentation of the name that stands there. */
export function hoverAt(result: CheckResult, path: string, offset: number): Hover | null {
  const inferred = smallestAt(result.hovers, path, offset);
  const use = symbolAt(result, path, offset);
  const span =
    use === null || (inferred !== null && length(inferred.span) < length(use.span)) ? inferred?.span : use.span;
  if (span === undefined) return null;
  const named = use !== null && span === use.span ? use.symbol : null;
  // a hover of something larger than the name says nothing about the name
  const text = inferred !== null && (named === null || length(inferred.span) <= length(span)) ? inferred.text : null;
  const code = text ?? (named === null ? null : describe(named));
  const parts = [code === null ? null : fenced(code), named?.doc ?? null].filter(
    (part) => part !== null && part !== "",
  );
  return { contents: { kind: "markdown", value: parts.join("\n\n") }, range: rangeOf(span) };
}

/** One line that introduces a symbol: `weight w_o : [D, (H, VH)]`, or its signature, which names itself. */
export function describe(symbol: SymbolInfo): string {
  if (symbol.detail.includes(symbol.name) && /^(fn|block|model|law|entry|phase|loop)\b/.test(symbol.detail))
    return symbol.detail;
  const kind = symbol.kind === "definition" ? "" : `${symbol.kind} `;
  return symbol.detail === "" ? `${kind}${symbol.name}` : `${kind}${symbol.name} : ${symbol.detail}`;
}

const fenced = (code: string): string => `\`\`\`dsc\n${code}\n\`\`\``;
