/** The canonical text of a file. */
import type { File } from "../ast/nodes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { makeSource, type Source } from "../diagnostics/source.ts";
import { parse } from "../parser/parse.ts";
import { layOutFile } from "./layout.ts";
import { renderRows } from "./rows.ts";

/**
 * For a tree without syntax errors. The text reads back to an equal tree, has every comment once, and does not change
 * when it is formatted again. Line breaks of the author are kept where one-line bodies and cases are concerned.
 */
export const format = (file: File): string => renderRows(layOutFile(file));

export interface Formatted {
  readonly text: string;
  /** Syntax errors; if there are any, `text` is the text as it was. */
  readonly diagnostics: readonly Diagnostic[];
}

export function formatSource(source: Source): Formatted {
  const { file, diagnostics } = parse(source);
  const broken = diagnostics.some(({ severity }) => severity === "error");
  return { text: broken ? source.text : settled(source.path, format(file)), diagnostics };
}

/** A comment in the middle of something can be laid out otherwise at its new place: once more, until nothing moves. */
function settled(path: string, text: string): string {
  let last = text;
  for (let round = 0; round < 4; round += 1) {
    const { file, diagnostics } = parse(makeSource(path, last));
    const next = diagnostics.length === 0 ? format(file) : last;
    if (next === last) break;
    last = next;
  }
  return last;
}

/** Text to put in before the character at offset `at`. */
export interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** As `formatSource`, with texts put into the source first; those at one offset in the order given. */
export function formatWithInsertions(source: Source, insertions: readonly Insertion[]): Formatted {
  const sorted = [...insertions].sort((a, b) => a.at - b.at);
  let text = "";
  let done = 0;
  for (const { at, text: inserted } of sorted) {
    text += source.text.slice(done, at) + inserted;
    done = Math.max(done, at);
  }
  return formatSource(makeSource(source.path, text + source.text.slice(done)));
}
