/** Loading where this runs: in a page, a worker of one, or Node. */
import { OptionError } from "../artifact/errors.ts";
import type { Host } from "../session/host.ts";
import { checkSignal } from "./check-options.ts";
import { isNode } from "./is-node.ts";
import type { LoadOptions } from "./load-options.ts";
import { loadInto } from "./load-package.ts";
import type { Model } from "./model.ts";
import type { Player } from "./player.ts";
import { webHost } from "./web-host.ts";

/** What `loadPackage` of a target's entry says of its arguments. */
export async function loadHere(
  player: Player,
  base: URL | string,
  options: LoadOptions,
  expected: string | null,
): Promise<Model> {
  if (typeof options !== "object" || options === null || options.weights === undefined)
    throw new OptionError("load({ weights }): where the checkpoint is");
  checkSignal(options.signal);
  if (options.onProgress !== undefined && typeof options.onProgress !== "function")
    throw new OptionError("onProgress: expected a function");
  return loadInto({ base: new URL(base), options, host: await hostHere(options.worker), player, expected });
}

function urlOf(worker: URL | string): URL {
  try {
    return new URL(worker);
  } catch {
    throw new OptionError(`worker ${JSON.stringify(worker)}: expected a URL`);
  }
}

async function hostHere(worker: URL | string | undefined): Promise<Host> {
  const script = worker === undefined ? new URL("./worker.js", import.meta.url) : urlOf(worker);
  if (!isNode()) return webHost(script);
  const { nodeHost } = await import("../node/node-host.ts");
  const host = nodeHost(script);
  return {
    ...host,
    readFile: (url, given) => (url.protocol === "file:" ? host : webHost(script)).readFile(url, given),
  };
}
