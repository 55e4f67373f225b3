/** Which symbol stands at an offset, and which names can be seen there. */
import type { Declaration, File, Model } from "../../dsl/ast/nodes.ts";
import type { CheckResult, Reference, SymbolInfo } from "../../dsl/checker/result.ts";
import type { Span } from "../../dsl/diagnostics/source.ts";

export interface SymbolUse {
  readonly symbol: SymbolInfo;
  /** The name that was pointed at. */
  readonly span: Span;
}

/** An offset right behind a name still belongs to it: that is where a cursor stands after typing. */
export const touches = (span: Span, path: string, offset: number): boolean =>
  span.source.path === path && span.start <= offset && offset <= span.end;

export const length = (span: Span): number => span.end - span.start;

/** The smallest of the items at an offset; among equals, one that does not merely end there. */
export function smallestAt<T extends { readonly span: Span }>(
  items: readonly T[],
  path: string,
  offset: number,
): T | null {
  let best: T | null = null;
  for (const item of items) {
    if (!touches(item.span, path, offset)) continue;
    if (best === null || rank(item.span, offset) < rank(best.span, offset)) best = item;
  }
  return best;
}

const rank = (span: Span, offset: number): number => length(span) + (span.end === offset ? 0.5 : 0);

export function symbolById(result: CheckResult, id: number): SymbolInfo | null {
  const guess = result.symbols[id];
  if (guess?.id === id) return guess;
  return result.symbols.find((symbol) => symbol.id === id) ?? null;
}

export function symbolAt(result: CheckResult, path: string, offset: number): SymbolUse | null {
  const reference = smallestAt(result.references, path, offset);
  if (reference === null) return null;
  const symbol = symbolById(result, reference.symbol);
  return symbol === null ? null : { symbol, span: reference.span };
}

/**
 * References to whatever is declared at a place; the same declaration has other ids in other checks. A name defined in
 * both branches of an `if`, or case by case, is one thing declared at several places: nothing shadows, so one name in one
 * scope is the same.
 */
export function referencesTo(result: CheckResult, declared: Span): readonly Reference[] {
  const one = result.symbols.find((symbol) => sameSpan(symbol.span, declared));
  if (one === undefined) return [];
  const ids = new Set(result.symbols.filter((symbol) => isSameThing(symbol, one)).map((symbol) => symbol.id));
  return result.references.filter((reference) => ids.has(reference.symbol));
}

export const isSameThing = (a: SymbolInfo, b: SymbolInfo): boolean =>
  sameSpan(a.span, b.span) || (a.name === b.name && a.kind === b.kind && sameSpan(a.scope, b.scope));

export const sameSpan = (a: Span, b: Span): boolean =>
  a.source.path === b.source.path && a.start === b.start && a.end === b.end;

/** Everything that can be named at an offset: what is declared around it, what the file imports, what a parent model has. */
export function visibleSymbols(result: CheckResult, path: string, offset: number): readonly SymbolInfo[] {
  const visible = result.symbols.filter((symbol) => touches(symbol.scope, path, offset));
  const file = result.files.get(path);
  if (file === undefined) return visible;
  const inherited = file.declarations
    .filter((declaration) => declaration.kind === "model" && touches(declaration.span, path, offset))
    .flatMap((model) => inheritedSymbols(result, model));
  return [...new Map([...visible, ...importedSymbols(result, file), ...inherited].map((s) => [s.id, s])).values()];
}

function importedSymbols(result: CheckResult, file: File): readonly SymbolInfo[] {
  return file.imports
    .flatMap((one) => one.names)
    .map((name) => symbolAt(result, file.source.path, name.span.start)?.symbol)
    .filter((symbol) => symbol !== undefined);
}

/** Members of the models a model extends: their scope is the whole of their model. */
function inheritedSymbols(result: CheckResult, declaration: Declaration): readonly SymbolInfo[] {
  const found: SymbolInfo[] = [];
  const seen = new Set<Declaration>();
  let model: Declaration | null = declaration;
  while (model?.kind === "model" && model.parent !== null && !seen.has(model)) {
    seen.add(model);
    const parent: SymbolInfo | undefined = symbolAt(
      result,
      model.span.source.path,
      model.parent.name.span.start,
    )?.symbol;
    const parentModel: Declaration | null = parent === undefined ? null : declarationOf(result, parent);
    if (parentModel?.kind !== "model") break;
    found.push(...membersOf(result, parentModel));
    model = parentModel;
  }
  return found;
}

const membersOf = (result: CheckResult, model: Model): readonly SymbolInfo[] =>
  result.symbols.filter(
    (symbol) =>
      symbol.scope.source.path === model.span.source.path &&
      symbol.scope.start >= model.span.start &&
      symbol.scope.end === model.span.end,
  );

/** The top-level declaration a symbol names. */
export function declarationOf(result: CheckResult, symbol: SymbolInfo): Declaration | null {
  const file = result.files.get(symbol.span.source.path);
  const at = symbol.span.start;
  return file?.declarations.find((one) => one.kind !== "schedule" && one.name.span.start === at) ?? null;
}
