/** Sizes that a package is loaded with where its caller says none. */

/** Most tokens that a session remembers. */
export const usualContext = 4096;
/** Most tokens of a prompt that are computed at one time. */
export const usualChunk = 256;
/** The same where the logits of all of them are wanted: those take a vocabulary each. */
export const usualLogitsChunk = 64;
