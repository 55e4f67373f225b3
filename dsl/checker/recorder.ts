/** Collects what a check finds. Bodies are checked once a path through their `if`s, so everything is kept once. */
import type { Code } from "../diagnostics/codes.ts";
import type { Diagnostic, Fix, Label } from "../diagnostics/diagnostic.ts";
import { type Span, spanText } from "../diagnostics/source.ts";
import type { Annotation, Capture, Hover, Reference, SymbolInfo, SymbolKind, Unproved } from "./result.ts";

export interface Report {
  readonly title: string;
  readonly at: Span;
  readonly label: string;
  readonly secondary?: readonly Label[];
  readonly help?: string | null;
  readonly fix?: Fix | null;
  readonly severity?: "error" | "warning";
}

export interface Recorder {
  readonly diagnostics: Diagnostic[];
  readonly symbols: Map<string, SymbolInfo>;
  readonly references: Map<string, Reference>;
  readonly hovers: Map<string, Hover>;
  readonly annotations: Map<string, Annotation>;
  readonly captures: Map<string, Capture>;
  readonly unproved: Map<string, Unproved>;
  readonly seen: Set<string>;
}

export const newRecorder = (): Recorder => ({
  diagnostics: [],
  symbols: new Map(),
  references: new Map(),
  hovers: new Map(),
  annotations: new Map(),
  captures: new Map(),
  unproved: new Map(),
  seen: new Set(),
});

export const spanKey = (span: Span): string => `${span.source.path}:${span.start}:${span.end}`;

/** One error a place, on whichever path it is found first: a second one there would follow from the same cause. */
export function report(recorder: Recorder, code: Code, what: Report): void {
  const warns = what.severity === "warning";
  const key = warns ? `${code}@${spanKey(what.at)}` : spanKey(what.at);
  if (recorder.seen.has(key)) return;
  recorder.seen.add(key);
  recorder.diagnostics.push({
    code,
    severity: what.severity ?? "error",
    title: what.title,
    primary: { span: what.at, text: what.label },
    secondary: what.secondary ?? [],
    help: what.help ?? null,
    fix: what.fix ?? null,
  });
}

export interface NewSymbol {
  readonly name: string;
  readonly kind: SymbolKind;
  readonly span: Span;
  readonly scope: Span;
  readonly doc: string | null;
  readonly detail: string;
}

/** The id of the symbol declared at this span; a later call with more detail replaces the detail. */
export function declareSymbol(recorder: Recorder, symbol: NewSymbol): number {
  const key = spanKey(symbol.span);
  const known = recorder.symbols.get(key);
  const id = known?.id ?? recorder.symbols.size;
  if (known === undefined || (known.detail === "" && symbol.detail !== "")) {
    recorder.symbols.set(key, { ...symbol, id });
    recorder.references.set(key, { span: symbol.span, symbol: id });
  }
  return id;
}

export function addReference(recorder: Recorder, span: Span, symbol: number): void {
  // A name that `..` took does not stand in the text.
  if (/^\w+$/.test(spanText(span))) recorder.references.set(spanKey(span), { span, symbol });
}

export function addHover(recorder: Recorder, span: Span, text: string): void {
  const key = spanKey(span);
  if (!recorder.hovers.has(key)) recorder.hovers.set(key, { span, text });
}
