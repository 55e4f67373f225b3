/** The outline of a file, from its syntax tree alone, so that it holds while a text does not check. */
import { type DocumentSymbol, SymbolKind } from "vscode-languageserver/node";
import type { Declaration, File, ModelItem, Name } from "../../dsl/ast/nodes.ts";
import { coverSpans, type Span, spanText } from "../../dsl/diagnostics/source.ts";
import { rangeOf } from "./documents.ts";

export function outline(file: File): readonly DocumentSymbol[] {
  return file.declarations.flatMap(declarationSymbol);
}

interface Entry {
  readonly name: Name;
  readonly kind: SymbolKind;
  readonly detail: string;
  readonly span: Span;
  readonly children?: readonly DocumentSymbol[];
}

function declarationSymbol(declaration: Declaration): readonly DocumentSymbol[] {
  const { span } = declaration;
  switch (declaration.kind) {
    case "fn":
      return symbol({
        name: declaration.name,
        kind: SymbolKind.Function,
        detail: "fn",
        span,
        children: itemSymbols(declaration.items),
      });
    case "block":
      return symbol({
        name: declaration.name,
        kind: SymbolKind.Class,
        detail: "block",
        span,
        children: itemSymbols(declaration.items),
      });
    case "model": {
      const detail = declaration.parent === null ? "model" : `model extends ${declaration.parent.name.text}`;
      return symbol({
        name: declaration.name,
        kind: SymbolKind.Module,
        detail,
        span,
        children: itemSymbols(declaration.items),
      });
    }
    case "law":
      return symbol({ name: declaration.name, kind: SymbolKind.Event, detail: "law", span });
    case "schedule":
      return symbol({ name: declaration.model, kind: SymbolKind.Namespace, detail: "schedule", span });
    default:
      return declaration satisfies never;
  }
}

const itemSymbols = (items: readonly ModelItem[]): readonly DocumentSymbol[] => items.flatMap(itemSymbol);

function itemSymbol(item: ModelItem): readonly DocumentSymbol[] {
  const { span } = item;
  switch (item.kind) {
    case "param":
      return item.names.flatMap((name) =>
        symbol({ name, kind: SymbolKind.Property, detail: `param ${spanText(item.type.span)}`, span }),
      );
    case "weight":
      return symbol({ name: item.name, kind: SymbolKind.Field, detail: `weight ${spanText(item.type.span)}`, span });
    case "state":
      return symbol({ name: item.name, kind: SymbolKind.Field, detail: `state ${spanText(item.type.span)}`, span });
    case "part":
      return symbol({ name: item.name, kind: SymbolKind.Object, detail: "part", span });
    case "slot":
      return symbol({ name: item.name, kind: SymbolKind.Object, detail: "block", span });
    case "runtime":
      return symbol({ name: item.name, kind: SymbolKind.Constant, detail: item.scalar.text, span });
    case "entry":
      return symbol({
        name: item.name,
        kind: SymbolKind.Method,
        detail: "entry",
        span,
        children: itemSymbols(item.items),
      });
    case "phase":
      return symbol({ name: item.name, kind: SymbolKind.Event, detail: "phase", span });
    case "loop":
      return symbol({ name: item.name, kind: SymbolKind.Event, detail: "loop", span });
    case "config":
      return item.entries.flatMap((field) =>
        field.kind === "require"
          ? []
          : field.names.flatMap((name) =>
              symbol({ name, kind: SymbolKind.Property, detail: spanText(field.type.span), span: field.span }),
            ),
      );
    case "equation":
      if (item.operator === "<-") return []; // writes a state, which stands in the outline already
      return item.targets.flatMap((target) =>
        symbol({
          name: target.name,
          kind: SymbolKind.Variable,
          detail: target.subscript === null ? "" : spanText(target.subscript.span),
          span,
        }),
      );
    case "if":
      return itemSymbols([...item.then, ...(item.else ?? [])]);
    case "require":
    case "ignore":
    case "storage":
    case "numerics":
      return [];
    default:
      return item satisfies never;
  }
}

/** Editors reject an entry without a name, and one whose name lies outside it. */
function symbol(entry: Entry): readonly DocumentSymbol[] {
  const { name, kind, detail, span, children } = entry;
  if (name.text === "" || name.text === "_") return [];
  const range = rangeOf(coverSpans(span, name.span));
  const made: DocumentSymbol = { name: name.text, kind, detail, range, selectionRange: rangeOf(name.span) };
  return [children === undefined || children.length === 0 ? made : { ...made, children: [...children] }];
}
