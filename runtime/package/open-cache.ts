/** Weights of servers that stay in the browser. */
import type { WeightsCache } from "../cache/weights-cache.ts";

/** The checkpoints that this site keeps on the machine of its visitor, for `load({ weights, cache })`. Throws CacheError where it can keep none. */
export async function openWeightsCache(): Promise<WeightsCache> {
  const [{ browserStorage }, { KeptWeights }] = await Promise.all([
    import("../cache/storage.ts"),
    import("../cache/kept-weights.ts"),
  ]);
  return KeptWeights.open(await browserStorage());
}
