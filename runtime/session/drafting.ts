/** What drafts tokens, and what a program is that does: loaded where one does. */
export { checkDraft } from "./check-draft.ts";
export { DraftCounts } from "./draft-counts.ts";
export { DraftMemory } from "./draft-memory.ts";
export { draftTokens } from "./draft-tokens.ts";
export { hasOptional, withoutDraft } from "./optional-weights.ts";
