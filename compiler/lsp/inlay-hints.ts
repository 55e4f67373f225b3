import type { InlayHint } from "vscode-languageserver/node";
import { positionOf } from "./documents.ts";
import type { Checked } from "./workspace.ts";

/** Inferred sums and ranges of the entry file between two offsets, shown as they could be written. */
export function inlayHints(checked: Checked, start: number, end: number): readonly InlayHint[] {
  return checked.result.annotations.flatMap(({ kind, span, before, after }) => {
    if (span.source.path !== checked.entry || span.end < start || end < span.start) return [];
    const tooltip = kind === "sum" ? "inferred sum" : "inferred range";
    const opening: InlayHint = { position: positionOf(span.source, span.start), label: before, tooltip };
    const closing: InlayHint = { position: positionOf(span.source, span.end), label: after, tooltip };
    return [...(before === "" ? [] : [opening]), ...(after === "" ? [] : [closing])];
  });
}
