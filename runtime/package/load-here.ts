/** Loading where this runs: in a page, a worker of one, or Node. */
import { OptionError } from "../artifact/errors.ts";
import type { Host } from "../session/host.ts";
import { checkSignal } from "./check-options.ts";
import { isNode } from "./is-node.ts";
import type { LoadOptions } from "./load-options.ts";
import { loadInto } from "./load-package.ts";
import type { Model } from "./model.ts";
import * as parts from "./parts.ts";
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
  const folder = options.base === undefined ? new URL(".", base) : folderOf(options.base);
  const worker = options.worker === undefined ? new URL("runtime/worker.js", folder) : urlOf("worker", options.worker);
  return loadInto({ base: folder, options, host: await hostHere(worker), player, expected });
}

/** In a page and in a worker, from its address on. */
function urlOf(name: string, given: URL | string): URL {
  try {
    return new URL(given, globalThis.location?.href);
  } catch {
    throw new OptionError(`${name} ${JSON.stringify(given)}: expected a URL`);
  }
}

function folderOf(given: URL | string): URL {
  const url = urlOf("base", given);
  if (!url.pathname.endsWith("/")) throw new OptionError(`base ${url.href}: the URL of a folder ends with /`);
  return url;
}

async function hostHere(script: URL): Promise<Host> {
  if (!isNode()) return webHost(script);
  if (parts.node === null)
    throw new OptionError(
      "this package was compiled without what reads files of Node: load it in a page, or compile it with",
    );
  const { nodeHost } = await parts.node();
  const host = nodeHost(script);
  return {
    ...host,
    readFile: (url, given) => (url.protocol === "file:" ? host : webHost(script)).readFile(url, given),
  };
}
