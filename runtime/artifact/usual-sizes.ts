/** Sizes that a package is loaded with where its caller says none. */
import type { Phase } from "./program.ts";

/** Most tokens that a session remembers. */
export const usualContext = 4096;
/**
 * Most tokens of a prompt that are computed at one time: as many as a phase begins with that is made for more than usual, as it
 * has the better plan for a long prompt, within reason.
 */
export const usualChunk = (phases: readonly Pick<Phase, "from">[]): number =>
  Math.max(fewest, ...phases.map(({ from }) => from).filter((from) => from <= most));
const [fewest, most] = [256, 1024];
/** The same where the logits of all of them are wanted: those take a vocabulary each. */
export const usualLogitsChunk = 64;
