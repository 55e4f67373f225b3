/** Diagnostics for programs. Key order, and so the bytes, are the same for the same input. */
import type { Diagnostic, Fix, Label } from "./diagnostic.ts";
import { sortDiagnostics } from "./sort.ts";
import { positionAt, type Span } from "./source.ts";

/** Offsets count UTF-16 code units from 0; lines and columns start at 1; `end` is exclusive. */
interface JsonPoint {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

export interface JsonRange {
  readonly start: JsonPoint;
  readonly end: JsonPoint;
}

export interface JsonLabel {
  readonly path: string;
  readonly range: JsonRange;
  readonly primary: boolean;
  readonly text: string;
}

export interface JsonFix {
  readonly title: string;
  readonly path: string;
  readonly range: JsonRange;
  readonly replacement: string;
}

/** `path` and `range` are those of the primary label, which is the first of `labels`. */
export interface JsonDiagnostic {
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly title: string;
  readonly path: string;
  readonly range: JsonRange;
  readonly labels: readonly JsonLabel[];
  readonly help: string | null;
  readonly fix: JsonFix | null;
}

function jsonRange({ source, start, end }: Span): JsonRange {
  const point = (offset: number): JsonPoint => {
    const { line, column } = positionAt(source, offset);
    return { offset, line, column };
  };
  return { start: point(start), end: point(end) };
}

const jsonLabel = ({ span, text }: Label, primary: boolean): JsonLabel => ({
  path: span.source.path,
  range: jsonRange(span),
  primary,
  text,
});

const jsonFix = ({ title, span, replacement }: Fix): JsonFix => ({
  title,
  path: span.source.path,
  range: jsonRange(span),
  replacement,
});

export const toJson = ({ code, severity, title, primary, secondary, help, fix }: Diagnostic): JsonDiagnostic => ({
  code,
  severity,
  title,
  path: primary.span.source.path,
  range: jsonRange(primary.span),
  labels: [jsonLabel(primary, true), ...secondary.map((label) => jsonLabel(label, false))],
  help,
  fix: fix === null ? null : jsonFix(fix),
});

/** One object, one line. */
export const renderJson = (diagnostic: Diagnostic): string => JSON.stringify(toJson(diagnostic));

/** Sorted and without repeats, one object a line. */
export const renderJsonLines = (diagnostics: readonly Diagnostic[]): string =>
  sortDiagnostics(diagnostics)
    .map((diagnostic) => `${renderJson(diagnostic)}\n`)
    .join("");
