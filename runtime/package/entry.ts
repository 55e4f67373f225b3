/** What a package is made of: its `index.js` gives `loadPackage` the folder that it stands in, and passes the rest on. */
import { OptionError } from "../artifact/errors.ts";
import type { WeightsCache } from "../cache/weights-cache.ts";
import type { Host } from "../session/host.ts";
import { checkSignal } from "./check-options.ts";
import { isNode } from "./is-node.ts";
import type { LoadOptions } from "./load-options.ts";
import { loadInto } from "./load-package.ts";
import type { Model } from "./model.ts";
import { wasmPlayer } from "./wasm-player.ts";
import { webHost } from "./web-host.ts";

/**
 * Reads the package in the folder `base` (a URL that ends with `/`) and the checkpoint, and gives a model that is ready to be called.
 * `expected` is the hash of the package's program: another one is refused.
 * Throws `DscError`s, `WeightsError`s of a checkpoint's files, and `signal.reason`; nothing is left behind then.
 */
export async function loadPackage(
  base: URL | string,
  options: LoadOptions,
  expected: string | null = null,
): Promise<Model> {
  if (typeof options !== "object" || options === null || options.weights === undefined)
    throw new OptionError("load({ weights }): where the checkpoint is");
  checkSignal(options.signal);
  if (options.onProgress !== undefined && typeof options.onProgress !== "function")
    throw new OptionError("onProgress: expected a function");
  return loadInto({ base: new URL(base), options, host: await hostHere(options.worker), player: wasmPlayer, expected });
}

/** The checkpoints that this site keeps on the machine of its visitor, for `load({ weights, cache })`. Throws CacheError where it can keep none. */
export async function openWeightsCache(): Promise<WeightsCache> {
  const [{ browserStorage }, { KeptWeights }] = await Promise.all([
    import("../cache/storage.ts"),
    import("../cache/kept-weights.ts"),
  ]);
  return KeptWeights.open(await browserStorage());
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

export {
  BusyError,
  CacheError,
  type CacheFault,
  ContextLengthError,
  CorruptPackageError,
  DisposedError,
  DscError,
  KernelError,
  NoDraftError,
  type NoDraftReason,
  NoTokenizerError,
  OptionError,
  OutOfMemoryError,
  ReadError,
  RestoreError,
  ThreadError,
  TokenError,
  VersionError,
  type WeightProblem,
  type WeightProblemKind,
  WeightsMismatchError,
  WeightValueError,
} from "../artifact/errors.ts";
export type { CacheStatistics, KeptCheckpoint, WeightsCache } from "../cache/weights-cache.ts";
export { WeightsError, type WeightsErrorCode } from "../formats/weights-error.ts";
export { SamplingError } from "../sampling/sampling-error.ts";
export type { DraftStatistics } from "../session/draft-counts.ts";
export type { Progress } from "../session/load-weights.ts";
export type { ChatVariables } from "../text/chat.ts";
export type { ChatMessage, JsonValue } from "../text/chat-template.ts";
export type { ReasoningTags, Stream, StreamPiece } from "../text/streams.ts";
export { TextError } from "../text/text-error.ts";
export type { DraftInfo } from "./draft-option.ts";
export type { LoadOptions } from "./load-options.ts";
export { Model, type ModelInfo } from "./model.ts";
export type { WeightsSource } from "./open-source.ts";
export { type ForwardOptions, type GeneratedToken, type GenerateTextOptions, Session } from "./session.ts";
