import type { Code } from "./codes.ts";
import type { Span } from "./source.ts";

export interface Label {
  readonly span: Span;
  readonly text: string;
}

/** A repair that an editor can apply as it stands. */
export interface Fix {
  readonly title: string;
  readonly span: Span;
  readonly replacement: string;
}

/**
 * What is wrong with a text, as a value. `title` says it in the user's words, `primary` where, `secondary` why, `help`
 * what to write instead (only when a repair is likely; it can be pasted).
 */
export interface Diagnostic {
  readonly code: Code;
  readonly severity: "error" | "warning";
  readonly title: string;
  readonly primary: Label;
  readonly secondary: readonly Label[];
  readonly help: string | null;
  readonly fix: Fix | null;
}
