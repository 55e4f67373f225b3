/** Weights of servers that stay in the browser. */
import { CacheError } from "../artifact/errors.ts";
import type { WeightsCache } from "../cache/weights-cache.ts";
import * as parts from "./parts.ts";

/** The checkpoints that this site keeps on the machine of its visitor, for `load({ weights, cache })`. Throws CacheError where it can keep none. */
export async function openWeightsCache(): Promise<WeightsCache> {
  if (parts.cache === null)
    throw new CacheError(
      "no-storage",
      "this package was compiled without the cache: load without it, or compile it with",
    );
  const { openKeptWeights } = await parts.cache();
  return openKeptWeights();
}
