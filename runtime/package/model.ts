/** A loaded package. */
import { DisposedError } from "../artifact/errors.ts";
import type { CheckedKernel, ModelDevice } from "../calls/model-device.ts";
import type { SessionIdentity } from "../session/saved-session.ts";
import type { Residency, RowTable, TableStatistics } from "../session/tables/row-table.ts";
import type { Tables } from "../session/tables/tables.ts";
import { TokenSession } from "../session/token-session.ts";
import type { ChatPrompt, ChatVariables } from "../text/chat.ts";
import type { ChatMessage } from "../text/chat-template.ts";
import type { TextOfModel } from "../text/text-files.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { DraftInfo } from "./draft-option.ts";
import { Session } from "./session.ts";

/** What was loaded, and how. Memory in bytes. */
export interface ModelInfo {
  readonly name: string;
  /** Version of dsc that wrote the package. */
  readonly compiler: string;
  readonly parameters: number;
  readonly vocabulary: number;
  /** Tokens that a session remembers at most, and those that the model could. */
  readonly context: number;
  readonly declaredContext: number;
  /** Most tokens of one call. */
  readonly chunk: number;
  /** What plays it. */
  readonly backend: "wasm" | "webgpu";
  readonly threads: number;
  /** Instructions of WebAssembly; null where none of it plays. */
  readonly simd: "baseline" | "relaxed" | null;
  /** The adapter, and what of it is used; null without. */
  readonly gpu: GpuInfo | null;
  /** Whether `generate` can draft tokens. */
  readonly draft: DraftInfo;
  readonly memory: {
    readonly weights: number;
    readonly constants: number;
    /** What calls need for a while, and the least that any plan would. */
    readonly arena: number;
    readonly arenaPeak: number;
    /** Of each session. */
    readonly session: number;
    /** All of it without sessions. */
    readonly fixed: number;
    /** WebAssembly memories, of at most 4 GiB each; 1 on a GPU. */
    readonly memories: number;
  };
}

export interface GpuInfo {
  /** As far as the browser tells: "nvidia ampere". */
  readonly adapter: string;
  /** Whether a processor does its work: slow. */
  readonly fallback: boolean;
  /** The texts of the kernels: "f16-subgroups", "plain". */
  readonly variant: string;
  /** Better texts that the adapter takes by what it says, and why they are not used; empty as a rule. */
  readonly refused: readonly { readonly variant: string; readonly why: string }[];
}

export interface TableInfo extends TableStatistics {
  readonly name: string;
  readonly rows: number;
  /** Numbers of a row. */
  readonly width: number;
  readonly residency: Residency;
}

export interface ModelParts {
  readonly device: ModelDevice;
  readonly info: ModelInfo;
  readonly identity: SessionIdentity;
  readonly tables: readonly RowTable[];
  /** Asks them; null where there are none. */
  readonly lookups: Tables["lookups"] | null;
  /** Closes what rows are read from. */
  readonly close: () => Promise<void>;
  readonly pause: () => Promise<void>;
  /** Read when it is first asked for. */
  readonly text: () => Promise<TextOfModel>;
}

export class Model {
  readonly info: ModelInfo;
  readonly #parts: ModelParts;
  readonly #sessions = new Set<Session>();
  #text: Promise<TextOfModel> | null = null;
  #chat: Promise<ChatPrompt | null> | null = null;
  #disposed = false;

  /**
   * Runs each kernel on small inputs and holds it to values that the package has: what `load` does with those that a text begins with.
   * Null where a package for WebAssembly needs none. Not while something is generated. Throws DisposedError, `signal.reason`.
   */
  readonly checks: ((options?: { readonly signal?: AbortSignal }) => AsyncIterable<CheckedKernel>) | null;

  constructor(parts: ModelParts) {
    this.#parts = parts;
    this.info = parts.info;
    const { device } = parts;
    this.checks = device.check === undefined ? null : ({ signal } = {}) => checked(device, signal);
  }

  /** Bytes of the memory as it is now, sessions included. It never shrinks: what sessions give back, later ones take. */
  get memoryBytes(): number {
    return this.#parts.device.memoryBytes;
  }

  /** Of the tables whose rows are looked up: how many rows were wanted, and how many of them had to be read. */
  get tables(): readonly TableInfo[] {
    return this.#parts.tables.map(({ source: { name, rows, width }, residency, statistics }) => ({
      ...{ name, rows, width, residency },
      ...statistics,
    }));
  }

  /** A new session without tokens. Throws OutOfMemoryError where its rows have no room. */
  session(): Session {
    if (this.#disposed) throw new DisposedError("model");
    const { device, identity, pause, tables, lookups } = this.#parts;
    const disposed = (): void => {
      this.#sessions.delete(session);
    };
    const tokens = new TokenSession({ device, identity, tables, lookups, pause, disposed });
    const { context, chunk, draft } = this.info;
    const drafting = device.plan.program.draft;
    const session = new Session(tokens, () => this.#readText(), { context, chunk, draft, drafting });
    this.#sessions.add(session);
    return session;
  }

  /** A new session that remembers what `save` has given. Throws RestoreError. */
  async restore(bytes: Uint8Array): Promise<Session> {
    const session = this.session();
    try {
      await session.restore(bytes);
      return session;
    } catch (error) {
      session.dispose();
      throw error;
    }
  }

  /** Of the files beside the weights; null where there is none, or the package was compiled without what reads one. Throws TextError. */
  async tokenizer(): Promise<Tokenizer | null> {
    return (await this.#readText()).tokenizer;
  }

  /**
   * A conversation as the chat template beside the weights writes it, up to where the assistant answers: ids for `generate` on a
   * session without tokens. `variables`: what the template reads besides, such as `{ thinking: true }`. Null where there is no template, or
   * the package was compiled without what reads one. Throws TextError.
   */
  async chatPrompt(messages: readonly ChatMessage[], variables?: ChatVariables): Promise<readonly number[] | null> {
    this.#chat ??= this.#readText().then((text) => text.chat());
    this.#chat.catch(() => {
      this.#chat = null;
    });
    return (await this.#chat)?.(messages, variables) ?? null;
  }

  #readText(): Promise<TextOfModel> {
    this.#text ??= this.#parts.text().catch((error: unknown) => {
      this.#text = null; // a server may answer the next time
      throw error;
    });
    return this.#text;
  }

  /** Ends workers and all sessions; calls that run throw DisposedError. A second call does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const session of this.#sessions) session.dispose();
    this.#parts.device.dispose();
    this.#parts.close().catch(() => undefined); // nobody is left who could be told
  }
}

async function* checked(
  device: ModelDevice,
  signal: AbortSignal | undefined,
): AsyncGenerator<CheckedKernel, void, undefined> {
  for await (const { name, passed, worst, bound } of device.check?.(signal) ?? []) yield { name, passed, worst, bound };
}
