/**
 * Diagnostics as text for people:
 *
 *     error[DS0201]: index `d` stands on two axes of different size
 *       ┌─ models/tiny.ds:41:34
 *     41│   q[t,h,n] := w_q[(h,n),d] * x[t,d]
 *       │                         -        ^ this axis is D = 512
 *       │                         │
 *       │                         this axis is RQ = 1536 (`q_lora_rank`)
 *       = help: did you mean `w_q[(h,n),r] * cq[t,r]`?
 */
import { paint } from "./canvas.ts";
import type { Diagnostic, Label } from "./diagnostic.ts";
import { printable } from "./display.ts";
import { type Marked, renderLine } from "./render-line.ts";
import { sortDiagnostics } from "./sort.ts";
import { lineText, positionAt, type Source } from "./source.ts";

export interface TextOptions {
  readonly colour: boolean;
  /** Columns a source line may take before it is cut around its labels; 100 when left out. */
  readonly width?: number;
}

interface PlacedLabel extends Marked {
  readonly source: Source;
  readonly line: number;
}

interface FileLabels {
  readonly source: Source;
  readonly labels: readonly PlacedLabel[];
}

/** Offsets within the first line of the span; a span over several lines ends with that line. */
function place({ span, text }: Label, primary: boolean): PlacedLabel {
  const { source } = span;
  const { line, column } = positionAt(source, span.start);
  const length = lineText(source, line).length;
  const start = Math.min(column - 1, length);
  const end = Math.min(start + Math.max(0, span.end - span.start), length);
  return { source, line, start, end, text: printable(text), primary };
}

/** The primary label's file first, then the others in the order of the labels. */
function groupByFile(labels: readonly PlacedLabel[]): readonly FileLabels[] {
  const paths = [...new Set(labels.map((label) => label.source.path))];
  return paths.flatMap((path) => {
    const own = labels.filter((label) => label.source.path === path);
    const first = own[0];
    return first === undefined ? [] : [{ source: first.source, labels: own }];
  });
}

export function renderText(diagnostic: Diagnostic, options: TextOptions): string {
  const { colour, width = 100 } = options;
  const { code, severity, title, help } = diagnostic;
  const frame = (text: string): string => paint(text, "frame", colour);
  const labels = [place(diagnostic.primary, true), ...diagnostic.secondary.map((label) => place(label, false))];
  const digits = Math.max(...labels.map((label) => String(label.line).length));
  const margin = " ".repeat(digits);
  const bar = frame(`${margin}│`);
  const rows = [paint(`${severity}[${code}]`, severity, colour) + paint(`: ${printable(title)}`, "title", colour)];

  for (const [i, { source, labels: own }] of groupByFile(labels).entries()) {
    const head = own[0];
    if (head === undefined) continue;
    const where = `${printable(source.path)}:${head.line}:${head.start + 1}`;
    rows.push(`${frame(`${margin}${i === 0 ? "┌" : "├"}─`)} ${where}`);
    const lines = [...new Set(own.map((label) => label.line))].sort((a, b) => a - b);
    for (const [j, line] of lines.entries()) {
      const before = lines[j - 1];
      if (before !== undefined && line > before + 1) rows.push(frame(`${margin}·`));
      const marked = own.filter((label) => label.line === line);
      const [text, ...marks] = renderLine(lineText(source, line), marked, { severity, colour, width });
      rows.push(frame(`${String(line).padStart(digits)}│`) + (text ?? ""));
      rows.push(...marks.map((mark) => bar + mark));
    }
  }
  if (help !== null) rows.push(...renderHelp(help, margin, colour));
  return rows.join("\n");
}

function renderHelp(help: string, margin: string, colour: boolean): readonly string[] {
  const lead = "= help: ";
  return help.split(/\r?\n/).map((line, i) => {
    const start = i === 0 ? `${paint("= help:", "help", colour)} ` : " ".repeat(lead.length);
    return `${margin}${start}${printable(line)}`.trimEnd();
  });
}

const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;

/** `2 errors, 1 warning`; empty for nothing. */
export function renderSummary(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = diagnostics.length - errors;
  return [errors > 0 ? count(errors, "error") : "", warnings > 0 ? count(warnings, "warning") : ""]
    .filter((part) => part !== "")
    .join(", ");
}

/** All reports, sorted and without repeats, a blank line between them, and a last line that counts them. */
export function renderAll(diagnostics: readonly Diagnostic[], options: TextOptions): string {
  const sorted = sortDiagnostics(diagnostics);
  if (sorted.length === 0) return "";
  return `${[...sorted.map((one) => renderText(one, options)), renderSummary(sorted)].join("\n\n")}\n`;
}
