import { codes } from "../../dsl/diagnostics/codes.ts";
import type { Span } from "../../dsl/diagnostics/source.ts";

/** A rule of a schedule that the compiler cannot follow, with its place and why. */
export class DirectiveError extends Error {
  readonly title = codes.DS0302;
  readonly span: Span;
  constructor(message: string, span: Span) {
    super(message);
    this.name = "DirectiveError";
    this.span = span;
  }
}

/** What `make` gives; a rule that it cannot follow is told with the phase that it was for. */
export function inPhase<T>(phase: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof DirectiveError) throw new DirectiveError(`in phase ${phase}: ${error.message}`, error.span);
    throw error;
  }
}
