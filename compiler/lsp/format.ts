import type { TextEdit } from "vscode-languageserver/node";
import type { Source } from "../../dsl/diagnostics/source.ts";
import { formatSource } from "../../dsl/format/format.ts";
import { rangeOf } from "./documents.ts";

/** Nothing for a text with syntax errors: what stands there is not yet what is meant. */
export function formatEdits(source: Source): readonly TextEdit[] {
  const { text, diagnostics } = formatSource(source);
  if (diagnostics.some((one) => one.severity === "error")) return [];
  return lineEdits(source, text);
}

/**
 * The edits from one text to another. Formatting mostly leaves lines where they are; then only the changed part of each
 * line is replaced and cursors, folds and breakpoints stay. Otherwise one edit from the first difference to the last.
 * Lines end as they did: that is the editor's setting.
 */
export function lineEdits(source: Source, wanted: string): readonly TextEdit[] {
  const is = source.text.split("\n");
  const shall = wanted.split(/\r?\n/);
  if (is.length !== shall.length) {
    return changedPart(source, 0, source.text, shall.join(source.text.includes("\r\n") ? "\r\n" : "\n"));
  }
  const edits: TextEdit[] = [];
  let offset = 0;
  for (const [at, line] of is.entries()) {
    const content = line.endsWith("\r") && at < is.length - 1 ? line.slice(0, -1) : line;
    edits.push(...changedPart(source, offset, content, shall[at] ?? content));
    offset += line.length + 1;
  }
  return edits;
}

function changedPart(source: Source, offset: number, is: string, shall: string): readonly TextEdit[] {
  if (is === shall) return [];
  const shorter = Math.min(is.length, shall.length);
  let before = 0;
  while (before < shorter && is[before] === shall[before]) before += 1;
  if (splitsLineEnd(is, before)) before -= 1;
  let after = 0;
  while (after < shorter - before && is[is.length - 1 - after] === shall[shall.length - 1 - after]) after += 1;
  if (splitsLineEnd(is, is.length - after)) after -= 1;
  const span = { source, start: offset + before, end: offset + is.length - after };
  return [{ range: rangeOf(span), newText: shall.slice(before, shall.length - after) }];
}

/** No position of an editor lies between the two characters of a line end. */
const splitsLineEnd = (text: string, at: number): boolean => text[at - 1] === "\r" && text[at] === "\n";
