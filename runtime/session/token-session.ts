/**
 * Tokens in, logits out, and the rows of all tokens before. Rows are only ever added behind the last one, so a session is as
 * long as it says: dropping tokens is to say less, and a call that fails has changed nothing.
 */

import { choiceOutputs, isChoice, isTemperature } from "../artifact/best-tokens.ts";
import {
  BusyError,
  ContextLengthError,
  CorruptPackageError,
  DisposedError,
  OptionError,
  OutOfMemoryError,
  TokenError,
} from "../artifact/errors.ts";
import type { Phase } from "../artifact/program.ts";
import { programFile } from "../artifact/read-value.ts";
import { type Logits, logitsOf, piecesOf } from "../calls/choose-phase.ts";
import type { CallResults, DeviceCall, ModelDevice, SessionPlace } from "../calls/model-device.ts";
import { type BestLogits, bestMayDo, inverseTemperature, weighedBest } from "../sampling/best-logits.ts";
import type { CheckedOptions } from "../sampling/sampling-options.ts";
import { bestOf } from "./best-of.ts";
import { readSession, type SessionIdentity, writeSession } from "./saved-session.ts";
import type { Lookups } from "./tables/look-ups.ts";
import type { RowTable } from "./tables/row-table.ts";
import type { Tables } from "./tables/tables.ts";

export interface SessionParts {
  readonly device: ModelDevice;
  readonly identity: SessionIdentity;
  /** Of the program, by number. */
  readonly tables: readonly RowTable[];
  /** Asks them; null where there are none. */
  readonly lookups: Tables["lookups"] | null;
  /** Lets events be handled. */
  readonly pause: () => Promise<void>;
  /** Called once, when it is disposed. */
  readonly disposed: () => void;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** What is to be chosen from the logits: where the best of them do, they are all that comes back. */
  readonly sampling?: CheckedOptions | undefined;
}

/** What a call of an entry gives. */
export interface CallResult {
  /** [vocabulary] of the last token, or [tokens, vocabulary] of all; empty where the best do. */
  readonly logits: Float32Array;
  /** Of the last token, or of each; null where there are logits. */
  readonly best: readonly BestLogits[] | null;
  /** Other outputs by name, each [tokens, width]. */
  readonly rows: ReadonlyMap<string, Float32Array>;
}

interface EntryCall {
  readonly entry: string;
  readonly ids: Int32Array;
  /** Values of the entry's other inputs by name, each [tokens, width]. */
  readonly given: ReadonlyMap<string, Float32Array>;
  /** Rows remembered by the entry. */
  readonly before: number;
  readonly logits: Logits;
  readonly rows: readonly string[];
  readonly signal: AbortSignal | undefined;
  readonly sampling: CheckedOptions | undefined;
}

export class TokenSession {
  readonly #parts: SessionParts;
  readonly #states: SessionPlace;
  readonly #ids: Int32Array;
  #length = 0;
  /** Rows of the entry that drafts. */
  #drafted = 0;
  #busy = false;
  #disposed = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#states = parts.device.allocateStates();
    this.#ids = new Int32Array(parts.identity.context);
  }

  /** Tokens that it remembers. */
  get length(): number {
    return this.#length;
  }
  get busy(): boolean {
    return this.#busy;
  }
  get disposed(): boolean {
    return this.#disposed;
  }
  /** A copy of the ids that it remembers. */
  tokens(): Int32Array<ArrayBuffer> {
    return this.#ids.slice(0, this.#length);
  }

  /**
   * Adds tokens. Float32Array [vocabulary] of the last token, or [tokens, vocabulary] of all. After an abort or an error the
   * session is what it was before.
   */
  async forward(tokens: ArrayLike<number>, logits: Logits, options: CallOptions = {}): Promise<Float32Array> {
    return (await this.advance(tokens, logits, [], options)).logits;
  }

  /** The same with other outputs of the entry: of all tokens, by name. */
  async advance(
    tokens: ArrayLike<number>,
    logits: Logits,
    rows: readonly string[],
    { signal, sampling }: CallOptions = {},
  ): Promise<CallResult> {
    this.#check();
    const ids = this.checked(tokens);
    const { entry } = this.#parts.device.plan.program;
    const before = this.#length;
    const result = await this.#exclusive(() =>
      this.#play({ entry, ids, given: new Map(), before, logits, rows, signal, sampling }),
    );
    this.#ids.set(ids, before);
    this.#length = before + ids.length;
    return result;
  }

  /** Other outputs of the entry for its last `count` tokens, which are computed again: it remembers what it did. */
  async again(count: number, rows: readonly string[], { signal }: CallOptions = {}): Promise<CallResult> {
    this.#check();
    const before = this.#length - count;
    const ids = this.#ids.slice(before, this.#length);
    const { entry } = this.#parts.device.plan.program;
    return this.#exclusive(() =>
      this.#play({ entry, ids, given: new Map(), before, logits: "next", rows, signal, sampling: undefined }),
    );
  }

  /** Tokens that the entry which drafts remembers: a sequence of its own, beside the session's. */
  get drafted(): number {
    return this.#drafted;
  }

  /**
   * Adds tokens to what the drafting entry remembers, with what it is fed for each. Its logits are those of the token after the one
   * behind the last. Throws OptionError where the program drafts nothing.
   */
  async draft(
    tokens: ArrayLike<number>,
    given: ReadonlyMap<string, Float32Array>,
    { signal, sampling }: CallOptions = {},
  ): Promise<CallResult> {
    this.#check();
    const { draft } = this.#parts.device.plan.program;
    const { context, vocabulary } = this.#parts.identity;
    if (draft === undefined) throw new OptionError("this model drafts no tokens");
    const ids = checkedIds(tokens, vocabulary);
    const before = this.#drafted;
    if (before + ids.length > context) throw new ContextLengthError(before + ids.length, context, context);
    const rows = draft.feeds.map((f) => f.then);
    const result = await this.#exclusive(() =>
      this.#play({ entry: draft.entry, ids, given, before, logits: "next", rows, signal, sampling }),
    );
    this.#drafted = before + ids.length;
    return result;
  }

  /** The drafting entry forgets its last `count` tokens. */
  undraft(count: number): void {
    this.#check();
    if (!Number.isSafeInteger(count) || count < 0 || count > this.#drafted)
      throw new OptionError(`${count} tokens cannot be dropped of ${this.#drafted}`);
    this.#drafted -= count;
  }

  async #play({ entry, ids, given, before, logits, rows, signal, sampling }: EntryCall): Promise<CallResult> {
    const { device, pause, tables } = this.#parts;
    const { program, chunk } = device.plan;
    const pieces = piecesOf(program.phases, ids.length, chunk, before, { entry, logits, rows });
    const order = { device, tables, ids, pieces, before, states: this.#states, signal };
    const lookups = pieces.some((p) => hasLookups(program.phases[p.phase]))
      ? (this.#parts.lookups?.(order) ?? null)
      : null;
    let last: Float32Array = new Float32Array(0);
    const all = new Map<string, Float32Array>();
    const keep = (name: string, values: Float32Array, width: number, at: number): void => {
      const kept = all.get(name) ?? newRows(ids.length, width);
      all.set(name, kept);
      kept.set(values, at * width);
    };
    let at = 0;
    let best: readonly BestLogits[] | null = null;
    const mayDo = sampling !== undefined && bestMayDo(sampling) && (logits === "next" || pieces.length === 1);
    const temperature = Float32Array.of(sampling === undefined ? 1 : inverseTemperature(sampling));
    for (const [i, piece] of pieces.entries()) {
      const phase = program.phases[piece.phase];
      if (phase === undefined) throw new RangeError(`no phase ${piece.phase}`);
      signal?.throwIfAborted();
      await pause();
      signal?.throwIfAborted();
      this.#checkAlive();
      const to = at + piece.tokens;
      const gives = logitsOf(phase) ?? logits;
      // Of a prompt nobody asks for logits before the last.
      const scored = logits === "logits" || to === ids.length;
      const asksBest = mayDo && scored && phase.outputs.some(isChoice);
      const choice = choiceOutputs[sampling?.temperature === 0 ? "greedy" : "best"];
      const found = (results: CallResults): readonly BestLogits[] =>
        bestOf(results, gives === "next" ? 1 : piece.tokens, logits === "next" ? 1 : piece.tokens, program.vocabulary);
      const enough = (results: CallResults): boolean =>
        sampling !== undefined && found(results).every((one) => weighedBest(one, sampling) !== null);
      const call = {
        phase: piece.phase,
        tokens: piece.tokens,
        inputs: phase.inputs.flatMap((decl, input) => {
          const { name } = decl;
          if (isTemperature(decl)) return [temperature];
          const values = input === 0 ? ids : (given.get(name) ?? new Float32Array(0));
          const width = values.length / ids.length;
          return isLookup(phase, input) ? [] : [values.subarray(at * width, to * width)];
        }),
        before: before + at,
        states: this.#states,
        wanted: [...rows, ...(asksBest ? choice : scored ? [gives] : [])],
        more: asksBest ? { names: [gives], when: (results: CallResults) => !enough(results) } : undefined,
        signal,
      };
      const results =
        lookups === null ? await device.run(call) : await this.#playAhead(call, lookups, i, pieces.length);
      if (asksBest && !results.has(gives)) best = found(results);
      for (const [name, values] of results) {
        if (!(values instanceof Float32Array) || isChoice({ name })) continue;
        const width = widthOf(values, name === "next" ? 1 : piece.tokens, name);
        if (name !== gives || logits === "logits") keep(name, values, width, at);
        else last = values.length === width ? values : values.slice(values.length - width);
      }
      at = to;
    }
    const whole = logits === "logits" ? (all.get("logits") ?? all.get("next")) : undefined;
    return {
      logits: whole ?? last,
      best,
      rows: new Map(rows.map((name) => [name, all.get(name) ?? new Float32Array(0)])),
    };
  }

  /** What comes before the first rows of a table is computed while they are fetched, and those of the next piece too. */
  async #playAhead(call: DeviceCall, lookups: Lookups, piece: number, pieces: number): Promise<CallResults> {
    const { device } = this.#parts;
    const asked = lookups.ask(piece);
    if (piece + 1 < pieces) void lookups.ask(piece + 1);
    const started = await device.start(call);
    try {
      return await started.finish(await asked);
    } catch (error) {
      started.drop();
      // Its weights were closed, which is not what went wrong.
      if (device.disposed) throw new DisposedError("model");
      throw error;
    }
  }

  /** Forgets the last `count` tokens. */
  rollback(count: number): void {
    this.#check();
    if (!Number.isSafeInteger(count) || count < 0 || count > this.#length)
      throw new OptionError(`${count} tokens cannot be dropped of ${this.#length}`);
    this.#length -= count;
  }

  reset(): void {
    this.#check();
    this.#length = 0;
    this.#drafted = 0;
  }

  async save(): Promise<Uint8Array<ArrayBuffer>> {
    this.#check();
    const { device, identity } = this.#parts;
    return this.#exclusive(() =>
      writeSession(identity, this.tokens(), (take) => device.readRows(this.#states, this.#length, take)),
    );
  }

  /** Takes the place of what it remembers. Throws RestoreError and is then as before. */
  async restore(bytes: Uint8Array): Promise<void> {
    this.#check();
    const { device, identity } = this.#parts;
    const { ids, rows } = readSession(bytes, identity);
    await this.#exclusive(() => device.writeRows(this.#states, ids.length, rows));
    this.#ids.set(ids);
    this.#length = ids.length;
    this.#drafted = 0;
  }

  /** Gives its memory back, after the call that runs. A second call does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (!this.#busy) this.#release();
  }

  /** Nobody else may call it while `work` runs. */
  async #exclusive<T>(work: () => Promise<T>): Promise<T> {
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
      if (this.#disposed) this.#release();
    }
  }

  #release(): void {
    this.#parts.device.releaseStates(this.#states);
    this.#parts.disposed();
  }

  #checkAlive(): void {
    if (this.#disposed) throw new DisposedError("session");
  }

  #check(): void {
    this.#checkAlive();
    if (this.#busy) throw new BusyError();
  }

  /** The ids that would be added: a copy. Throws TokenError for what is no id, ContextLengthError for more than there is room for. */
  checked(tokens: ArrayLike<number>): Int32Array {
    const { vocabulary, context } = this.#parts.identity;
    const { program } = this.#parts.device.plan;
    const length = this.#length + listLength(tokens);
    if (length > context) throw new ContextLengthError(length, context, program.context);
    return checkedIds(tokens, vocabulary);
  }
}

const hasLookups = (phase: Phase | undefined): boolean => (phase?.lookups ?? []).length > 0;
const isLookup = ({ lookups = [] }: Phase, input: number): boolean => lookups.some((l) => l.input === input);

/** A copy. Throws TokenError for none, and for what is no id. */
export function checkedIds(tokens: ArrayLike<number>, vocabulary: number): Int32Array<ArrayBuffer> {
  const ids = new Int32Array(listLength(tokens));
  for (let i = 0; i < ids.length; i += 1) {
    const id: unknown = tokens[i];
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= vocabulary)
      throw new TokenError(i, `token ${i} is ${String(id)}: ids are integers from 0 to ${vocabulary - 1}`);
    ids[i] = id;
  }
  return ids;
}

function listLength(tokens: ArrayLike<number>): number {
  if (typeof tokens !== "object" || tokens === null || !isLength(tokens.length))
    throw new TokenError(-1, "expected a list of token ids");
  if (tokens.length === 0) throw new TokenError(-1, "there are no tokens");
  return tokens.length;
}

const isLength = (x: unknown): boolean => Number.isSafeInteger(x) && Number(x) >= 0;

function widthOf(values: Float32Array, tokens: number, name: string): number {
  const width = values.length / tokens;
  if (!Number.isInteger(width))
    throw new CorruptPackageError(programFile, `a phase gives ${values.length} values of ${name} for ${tokens} tokens`);
  return width;
}

function newRows(tokens: number, width: number): Float32Array {
  try {
    return new Float32Array(tokens * width);
  } catch {
    throw new OutOfMemoryError(`results of ${tokens} tokens`, 4 * tokens * width, null);
  }
}
