/**
 * Tokens in, logits out, and the rows of all tokens before. Rows are only ever added behind the last one, so a session is as
 * long as it says: dropping tokens is to say less, and a call that fails has changed nothing.
 */
import {
  BusyError,
  ContextLengthError,
  CorruptPackageError,
  DisposedError,
  OptionError,
  OutOfMemoryError,
  TokenError,
} from "../artifact/errors.ts";
import { programFile } from "../artifact/read-value.ts";
import type { Device } from "../device/device.ts";
import type { SessionPlace } from "../device/memories.ts";
import { choosePiece, type Wanted } from "./choose-phase.ts";
import { readSession, type SessionIdentity, writeSession } from "./saved-session.ts";

export interface SessionParts {
  readonly device: Device;
  readonly identity: SessionIdentity;
  /** Lets events be handled. */
  readonly pause: () => Promise<void>;
  /** Called once, when it is disposed. */
  readonly disposed: () => void;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export class TokenSession {
  readonly #parts: SessionParts;
  readonly #states: SessionPlace;
  readonly #ids: Int32Array;
  #length = 0;
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
  /** A copy of the ids that it remembers. */
  tokens(): Int32Array<ArrayBuffer> {
    return this.#ids.slice(0, this.#length);
  }

  /**
   * Adds tokens. Float32Array [vocabulary] of the last token, or [tokens, vocabulary] of all. After an abort or an error the
   * session is what it was before.
   */
  async forward(tokens: ArrayLike<number>, wanted: Wanted, { signal }: CallOptions = {}): Promise<Float32Array> {
    this.#check();
    const ids = this.checked(tokens);
    return this.#exclusive(() => this.#play(ids, wanted, signal));
  }

  async #play(ids: Int32Array, wanted: Wanted, signal: AbortSignal | undefined): Promise<Float32Array> {
    const { device, pause } = this.#parts;
    const { program, chunk } = device.plan;
    const before = this.#length;
    let rows: Float32Array = new Float32Array(0);
    let all: Float32Array | null = null;
    for (let at = 0; at < ids.length; ) {
      signal?.throwIfAborted();
      await pause();
      signal?.throwIfAborted();
      this.#checkAlive();
      const piece = choosePiece(program.phases, ids.length - at, chunk, wanted);
      if (piece === null) throw new OptionError(`no phase takes ${ids.length - at} tokens`);
      rows = device.run(piece.phase, ids.subarray(at, at + piece.tokens), before + at, this.#states);
      const width = widthOf(rows, piece.tokens, program.phases[piece.phase]?.result === "logits");
      if (wanted === "logits") {
        all ??= newRows(ids.length, width);
        all.set(rows, at * width);
      } else rows = rows.length === width ? rows : rows.slice(rows.length - width);
      at += piece.tokens;
    }
    this.#ids.set(ids, before);
    this.#length = before + ids.length;
    return all ?? rows;
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
  }

  save(): Uint8Array<ArrayBuffer> {
    this.#check();
    const { device, identity } = this.#parts;
    return writeSession(identity, this.tokens(), device.rows(this.#states, this.#length));
  }

  /** Takes the place of what it remembers. Throws RestoreError and is then as before. */
  restore(bytes: Uint8Array): void {
    this.#check();
    const { device, identity } = this.#parts;
    const { ids, rows } = readSession(bytes, identity);
    let from = 0;
    for (const kept of device.rows(this.#states, ids.length)) {
      kept.set(rows.subarray(from, from + kept.length));
      from += kept.length;
    }
    this.#ids.set(ids);
    this.#length = ids.length;
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

function widthOf(rows: Float32Array, tokens: number, all: boolean): number {
  const width = all ? rows.length / tokens : rows.length;
  if (!Number.isInteger(width))
    throw new CorruptPackageError(programFile, `a phase gives ${rows.length} logits of ${tokens} tokens`);
  return width;
}

function newRows(tokens: number, width: number): Float32Array {
  try {
    return new Float32Array(tokens * width);
  } catch {
    throw new OutOfMemoryError(`logits of ${tokens} tokens`, 4 * tokens * width, null);
  }
}
