/** What the page asks of the worker that holds the model, and what comes back. All of it can be cloned. */
import type { KeptCheckpoint } from "../cache/weights-cache.ts";
import type { ModelInfo } from "../package/model.ts";
import type { StreamPiece } from "../text/streams.ts";
import type { Call } from "./calls.ts";
import type { Fault } from "./fault.ts";

/** What the package says of itself. Memory in bytes. */
export interface Hello {
  readonly model: string;
  readonly target: string;
  readonly compiler: string;
  readonly vocabulary: number;
  readonly context: number;
  readonly memory: { readonly weights: number; readonly token: number };
}

export interface LoadAsk {
  readonly weights: string | readonly File[];
  /** Keeps what comes from a server. */
  readonly keep: boolean;
  readonly context: number | null;
  readonly threads: number | null;
}

export interface Loaded {
  readonly info: ModelInfo;
  readonly memoryBytes: number;
  /** Whether there is a chat template. */
  readonly chats: boolean;
  /** Whether the package can check itself. */
  readonly checks: boolean;
  /** Bytes of weights that were kept here, and that a server sent; null where nothing was to be kept. */
  readonly origin: { readonly kept: number; readonly fetched: number } | null;
  /** What did not hinder loading. */
  readonly warnings: readonly Fault[];
}

export interface Settings {
  readonly temperature: number;
  readonly topP: number;
  readonly maxTokens: number;
  readonly seed: number | null;
  /** Null: as the package thinks best. */
  readonly draft: number | null;
}

export interface ChatTurn {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface GenerateAsk {
  readonly from:
    | { readonly kind: "chat"; readonly messages: readonly ChatTurn[]; readonly thinking: boolean }
    | { readonly kind: "text"; readonly text: string }
    /** On from where the last one ended. */
    | { readonly kind: "more" };
  readonly settings: Settings;
}

export interface Said {
  readonly pieces: readonly StreamPiece[];
  /** Tokens so far, and seconds since the first of them. */
  readonly tokens: number;
  readonly seconds: number;
}

/** How an answer went. Seconds are wall time. */
export interface Answered {
  readonly stop: string;
  readonly promptTokens: number;
  readonly promptSeconds: number;
  readonly tokens: number;
  /** From the first token to the last. */
  readonly seconds: number;
  readonly drafts: { readonly drafted: number; readonly accepted: number } | null;
  /** Tokens that the session remembers, and bytes of all memory. */
  readonly remembered: number;
  readonly memoryBytes: number;
}

/** A kernel's results beside the values that the package brings: the largest error and what it may be. */
export interface CheckResult {
  readonly name: string;
  /** Null where there is nothing to try it by. */
  readonly passed: boolean | null;
  readonly worst: number;
  readonly bound: number;
}

export interface Kept {
  readonly checkpoints: readonly KeptCheckpoint[];
  readonly room: { readonly used: number; readonly most: number } | null;
}

export interface Calls {
  readonly hello: Call<null, never, Hello>;
  readonly load: Call<LoadAsk, { readonly loaded: number; readonly total: number }, Loaded>;
  readonly unload: Call<null, never, null>;
  readonly generate: Call<GenerateAsk, Said, Answered>;
  readonly reset: Call<null, never, null>;
  readonly checks: Call<null, CheckResult, null>;
  readonly kept: Call<null, never, Kept>;
  readonly remove: Call<string, never, null>;
}
