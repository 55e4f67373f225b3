/** The page's worker: holds the model, so that the page itself answers whatever is computed. */
import type { CacheError } from "../artifact/errors.ts";
import type { WeightsCache } from "../cache/weights-cache.ts";
import type { LoadOptions } from "../package/load-options.ts";
import type { Model, ModelInfo } from "../package/model.ts";
import type { Session } from "../package/session.ts";
import { type CallContext, type Handlers, serveCalls } from "./calls.ts";
import { type Fault, faultOf } from "./fault.ts";
import type { Answered, Calls, CheckResult, GenerateAsk, Hello, Loaded, Said } from "./protocol.ts";

/** The package that the page belongs to. */
interface Package {
  readonly facts: Hello;
  readonly load: (options: LoadOptions) => Promise<Model>;
  readonly openWeightsCache: () => Promise<WeightsCache>;
}

interface SelfTesting {
  readonly checks: (options: { readonly signal: AbortSignal }) => AsyncIterable<CheckResult>;
}

interface Held {
  readonly model: Model;
  readonly session: Session;
}

let opened: Promise<Package> | null = null;
let held: Held | null = null;
/** Given out last: the session does not hold it. */
let lastToken: number | null = null;

function openPackage(): Promise<Package> {
  opened ??= import(new URL("../index.js", import.meta.url).href).catch((error: unknown) => {
    opened = null;
    throw error;
  });
  return opened;
}

function unload(): void {
  held?.model.dispose();
  held = null;
  lastToken = null;
}

function holding(): Held {
  if (held === null) throw new Error("no weights are loaded");
  return held;
}

const handlers: Handlers<Calls> = {
  hello: async () => {
    const { model, target, compiler, vocabulary, context, memory } = (await openPackage()).facts;
    return { model, target, compiler, vocabulary, context, memory: { weights: memory.weights, token: memory.token } };
  },
  load: async ({ weights, keep, context, threads }, { tell, signal }) => {
    unload();
    const { load, openWeightsCache } = await openPackage();
    const warnings: unknown[] = [];
    const cache = keep
      ? await openWeightsCache().catch((error: unknown) => {
          warnings.push(error);
          return undefined;
        })
      : undefined;
    const model = await load({
      ...{ weights, cache, signal, onProgress: seldom(tell) },
      ...(context === null ? {} : { context }),
      ...(threads === null ? {} : { threads }),
    });
    try {
      held = { model, session: model.session() };
      const chats = await hasChat(model).catch((error: unknown) => {
        warnings.push(error);
        return false;
      });
      signal.throwIfAborted();
      const problem: CacheError | null = cache?.problem ?? null;
      const { info, memoryBytes } = model;
      const told = [...[...warnings, ...(problem === null ? [] : [problem])].map(faultOf), ...gpuWarnings(info)];
      const loaded: Loaded = {
        info,
        memoryBytes,
        chats,
        checks: checksOf(model) !== null,
        origin: cache?.statistics ?? null,
        warnings: told,
      };
      return loaded;
    } catch (error) {
      unload();
      throw error;
    }
  },
  unload: async () => {
    unload();
    return null;
  },
  generate: async (ask, context) => answer(holding(), ask, context),
  reset: async () => {
    holding().session.reset();
    lastToken = null;
    return null;
  },
  checks: async (_, { tell, signal }) => {
    const run = checksOf(holding().model);
    if (run === null) return null;
    for await (const result of run({ signal })) {
      signal.throwIfAborted();
      tell(result);
    }
    return null;
  },
  kept: async () => {
    const cache = await (await openPackage()).openWeightsCache();
    return { checkpoints: await cache.list(), room: await cache.room() };
  },
  remove: async (url) => {
    const cache = await (await openPackage()).openWeightsCache();
    await cache.remove(url);
    return null;
  },
};

/** What of a GPU is not used, since it did not compute rightly, and that there is none but a processor. */
function gpuWarnings({ gpu }: ModelInfo): readonly Fault[] {
  if (gpu === null) return [];
  const slow = {
    name: "Gpu",
    code: "gpu-fallback",
    message: `${gpu.adapter}: a processor does the work of a GPU here`,
  };
  const refused = gpu.refused.map(({ variant, why }) => `${variant} kernels are not used: ${why}`);
  return [
    ...(gpu.fallback ? [slow] : []),
    ...(refused.length === 0 ? [] : [{ name: "Gpu", code: "gpu-refused", message: refused.join("\n") }]),
  ];
}

const hasChat = async (model: Model): Promise<boolean> =>
  (await model.chatPrompt([{ role: "user", content: "?" }])) !== null;

function checksOf(model: object): SelfTesting["checks"] | null {
  const found: unknown = Reflect.get(model, "checks");
  return typeof found === "function" ? (options) => found.call(model, options) : null;
}

/** A page draws sixty times a second at most; what comes between is left out, but the last. */
function seldom(tell: (progress: { loaded: number; total: number }) => void): NonNullable<LoadOptions["onProgress"]> {
  let next = 0;
  return (progress) => {
    const now = performance.now();
    if (now < next && progress.loaded < progress.total) return;
    next = now + 50;
    tell(progress);
  };
}

/** What stops it at the page's wish is an answer too. */
async function answer(
  { model, session }: Held,
  ask: GenerateAsk,
  { tell, signal }: CallContext<Said>,
): Promise<Answered> {
  const { temperature, topP, maxTokens, seed, draft } = ask.settings;
  const options = {
    temperature,
    topP,
    maxTokens,
    signal,
    ...(seed === null ? {} : { seed }),
    ...(draft === null ? {} : { draft }),
  };
  const asked = performance.now();
  const prompt = await promptOf(model, session, ask.from);
  const before = session.length;
  let [first, last, tokens, stop] = [0, 0, 0, "cancelled"];
  try {
    for await (const token of session.generate(prompt, options)) {
      last = performance.now();
      if (tokens === 0) first = last;
      tokens += 1;
      lastToken = token.token;
      if (token.stop !== null) stop = token.stop.kind;
      tell({ pieces: token.pieces, tokens, seconds: (last - first) / 1000 });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const { statistics } = session;
  return {
    stop,
    promptTokens: Math.max(0, session.length - before - Math.max(0, tokens - 1)),
    promptSeconds: tokens === 0 ? 0 : (first - asked) / 1000,
    tokens,
    seconds: (last - first) / 1000,
    drafts: statistics === null ? null : { drafted: statistics.drafted, accepted: statistics.accepted },
    remembered: session.length,
    memoryBytes: model.memoryBytes,
  };
}

/** What a conversation has in common with what the session remembers stays; its last token is computed in any case. */
async function promptOf(
  model: Model,
  session: Session,
  from: GenerateAsk["from"],
): Promise<string | readonly number[]> {
  if (from.kind === "more" && lastToken !== null) return [lastToken];
  if (from.kind !== "chat") {
    session.reset();
    return from.kind === "text" ? from.text : "";
  }
  const ids = await model.chatPrompt(
    from.messages.map((turn) => ({ ...turn })),
    from.thinking ? { thinking: true } : {},
  );
  if (ids === null) throw new Error("there is no chat template beside the weights");
  const known = session.tokens;
  let common = 0;
  while (common < ids.length - 1 && known[common] === ids[common]) common += 1;
  common = Math.min(common, known.length);
  session.rollback(known.length - common);
  return ids.slice(common);
}

serveCalls<Calls>(handlers);
