/** What a package for WebGPU is made of: its `index.js` gives `loadPackage` its own address, and passes the rest on. */
import { loadHere } from "./load-here.ts";
import type { LoadOptions } from "./load-options.ts";
import type { Model } from "./model.ts";
import { webgpuPlayer } from "./webgpu-player.ts";

/**
 * Reads the package in the folder `base` (a URL that ends with `/`, or that of a file in it) and the checkpoint, and gives a model that is ready to be called.
 * `expected` is the hash of the package's program: another one is refused.
 * Throws `DscError`s, `WeightsError`s of a checkpoint's files, and `signal.reason`; nothing is left behind then.
 */
export async function loadPackage(
  base: URL | string,
  options: LoadOptions,
  expected: string | null = null,
): Promise<Model> {
  return loadHere(webgpuPlayer, base, options, expected);
}

export * from "./public.ts";
