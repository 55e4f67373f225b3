/** Weights kept by this browser: loaded where a page asks for them. */
import { KeptWeights } from "./kept-weights.ts";
import { browserStorage } from "./storage.ts";

/** Throws CacheError where nothing can be kept. */
export const openKeptWeights = async (): Promise<KeptWeights> => KeptWeights.open(await browserStorage());
