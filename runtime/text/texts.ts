/** What reads texts: loaded where there is a tokenizer. */
export { knownTags } from "./reasoning.ts";
export { stopperAfter } from "./stopper-after.ts";
export { readTokenizer } from "./tokenizer.ts";
