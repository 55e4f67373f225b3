/** A process with Dawn in it that loads packages and does with their models what it is asked for. */
import { readFileSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { nodeHost } from "../../runtime/node/node-host.ts";
import type { LoadOptions } from "../../runtime/package/load-options.ts";
import { loadInto } from "../../runtime/package/load-package.ts";
import type { Model } from "../../runtime/package/model.ts";
import type { GenerateTextOptions, Session } from "../../runtime/package/session.ts";
import { webgpuPlayer } from "../../runtime/package/webgpu-player.ts";
import { type Counts, type Fault, FaultyGpu } from "./faulty-gpu.ts";

/** Names of models and sessions are the caller's. */
export type Deed =
  | { readonly kind: "start"; readonly options: readonly string[] }
  | {
      readonly kind: "load";
      readonly model: string;
      readonly base: string;
      readonly weights: string;
      readonly fault?: Fault;
      readonly options?: Pick<LoadOptions, "context" | "chunk" | "draft">;
      /** Elements that a submit touches at most. */
      readonly submitWork?: number;
      /** Aborts when so many bytes are loaded. */
      readonly abortAt?: number;
      readonly withoutGpu?: boolean;
    }
  | { readonly kind: "session"; readonly model: string; readonly session: string }
  | {
      readonly kind: "forward";
      readonly session: string;
      readonly ids: readonly number[];
      readonly all?: boolean;
      /** Aborts when so many submits were asked for. */
      readonly abortAt?: number;
    }
  | { readonly kind: "rollback"; readonly session: string; readonly count: number }
  | {
      readonly kind: "generate";
      readonly session: string;
      readonly prompt: readonly number[];
      readonly options: GenerateTextOptions;
    }
  | { readonly kind: "checks"; readonly model: string }
  /** Bytes of this process, and the most of them since this was asked before: those of a driver on a processor too. Linux tells. */
  | { readonly kind: "memory" }
  | { readonly kind: "save"; readonly session: string }
  | { readonly kind: "restore"; readonly model: string; readonly session: string; readonly bytes: Uint8Array }
  | { readonly kind: "dispose"; readonly model?: string; readonly session?: string }
  | { readonly kind: "fault"; readonly fault: Fault };

/** What comes of one; an error of ours is one too. */
export interface Done {
  readonly value?: unknown;
  readonly error?: {
    readonly name: string;
    readonly code: unknown;
    readonly message: string;
    readonly limit?: unknown;
  };
  readonly counts: Counts;
  /** Of the session that was meant. */
  readonly tokens?: readonly number[];
}

const { create, globals } = await import("webgpu");
Object.assign(globalThis, globals);
/** Dawn ends the process when it is collected. */
let dawn: ReturnType<typeof create> | null = null;
let faulty: FaultyGpu | null = null;
const models = new Map<string, Model>();
const sessions = new Map<string, Session>();

function named<T>(all: ReadonlyMap<string, T>, name: string): T {
  const found = all.get(name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

async function load(deed: Deed & { readonly kind: "load" }): Promise<unknown> {
  if (faulty === null) throw new Error("there is no GPU");
  faulty.reset(deed.fault ?? { kind: "none" });
  const base = new URL(deed.base);
  const stop = new AbortController();
  const model = await loadInto({
    base,
    options: {
      weights: deed.weights,
      ...deed.options,
      ...(deed.withoutGpu === true ? {} : { gpu: faulty.gpu }),
      signal: stop.signal,
      onProgress: ({ loaded }) => {
        if (deed.abortAt !== undefined && loaded >= deed.abortAt) stop.abort("enough");
      },
    },
    host: { ...nodeHost(base), ...(deed.submitWork === undefined ? {} : { submitWork: deed.submitWork }) },
    player: webgpuPlayer,
  });
  models.set(deed.model, model);
  return JSON.parse(JSON.stringify(model.info));
}

async function forward({ session, ids, all = false, abortAt }: Deed & { readonly kind: "forward" }): Promise<unknown> {
  if (faulty === null) throw new Error("there is no GPU");
  const stop = new AbortController();
  const until = abortAt === undefined ? Number.POSITIVE_INFINITY : faulty.counts.submits + abortAt;
  faulty.submitted = (count) => {
    if (count >= until) stop.abort("enough");
  };
  return named(sessions, session).forward(ids, { all, signal: stop.signal });
}

function memory(): { readonly now: number; readonly most: number } {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const status = readFileSync("/proc/self/status", "utf8");
  const bytes = (name: string): number => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]);
  const told = { now: bytes("VmRSS"), most: bytes("VmHWM") };
  writeFileSync("/proc/self/clear_refs", "5"); // the most begins anew
  return told;
}

async function done(deed: Deed): Promise<unknown> {
  switch (deed.kind) {
    case "start":
      dawn = create([...deed.options]);
      faulty = new FaultyGpu(dawn);
      return (await dawn.requestAdapter()) !== null;
    case "load":
      return load(deed);
    case "session":
      sessions.set(deed.session, named(models, deed.model).session());
      return null;
    case "forward":
      return forward(deed);
    case "rollback":
      return named(sessions, deed.session).rollback(deed.count);
    case "generate": {
      const ids: number[] = [];
      for await (const { token } of named(sessions, deed.session).generate(deed.prompt, deed.options)) ids.push(token);
      return ids;
    }
    case "checks": {
      const results: unknown[] = [];
      for await (const result of named(models, deed.model).checks?.() ?? []) results.push(result);
      return results;
    }
    case "memory":
      return memory();
    case "save":
      return named(sessions, deed.session).save();
    case "restore":
      sessions.set(deed.session, await named(models, deed.model).restore(deed.bytes));
      return null;
    case "dispose":
      if (deed.session !== undefined) named(sessions, deed.session).dispose();
      if (deed.model !== undefined) named(models, deed.model).dispose();
      return null;
    case "fault":
      faulty?.reset(deed.fault);
      return null;
    default:
      return deed satisfies never;
  }
}

const noCounts: Counts = { buffers: 0, submits: 0, dispatches: 0, maps: 0, live: 0, devices: 0 };
async function answer(deed: Deed): Promise<Done> {
  const result = await done(deed).then(
    (value) => ({ value }),
    (error: unknown) => ({ error: told(error) }),
  );
  const session = "session" in deed && deed.session !== undefined ? sessions.get(deed.session) : undefined;
  // A device that goes does so behind what was asked of it.
  await new Promise((resolve) => setTimeout(resolve, 5));
  return {
    ...result,
    counts: faulty?.counts ?? noCounts,
    ...(session === undefined ? {} : { tokens: [...session.tokens] }),
  };
}

function told(error: unknown): NonNullable<Done["error"]> {
  if (!(error instanceof Error)) return { name: "", code: null, message: String(error) };
  const [code, limit] = ["code", "limit"].map((name) => Reflect.get(error, name));
  return { name: error.name, code, limit, message: error.message };
}

let last = Promise.resolve();
process.on("message", ({ id, asked }: { readonly id: number; readonly asked: Deed }) => {
  last = last.then(async () => {
    process.send?.({ id, value: await answer(asked) });
  });
});
process.on("disconnect", () => process.exit()); // Dawn would keep it alive
process.send?.("ready");
