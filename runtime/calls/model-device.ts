/** What sessions and loading know of whatever plays a program: WebAssembly, a GPU. What is asked one after the other is played so. */
import type { Program } from "../artifact/program.ts";

/** A program as it is played. */
export interface PlayedProgram {
  readonly program: Program;
  /** Most tokens of a call. */
  readonly chunk: number;
  /** Rows that a session remembers at most. */
  readonly context: number;
}

/** Where the rows of a session are: numbers of the device that gave it. */
export type SessionPlace = readonly number[];

export interface DeviceCall {
  readonly phase: number;
  readonly tokens: number;
  /** Each full: of an entry the ids of the tokens, and what else it takes. */
  readonly inputs: readonly (Int32Array | Float32Array)[];
  /** Rows remembered before. */
  readonly before: number;
  readonly states: SessionPlace;
  /** Names of the outputs that come back. */
  readonly wanted: readonly string[];
  /** Others that come back as well where those that are wanted say so. */
  readonly more?: { readonly names: readonly string[]; readonly when: (results: CallResults) => boolean } | undefined;
  /** When it aborts, what has not begun yet is left out, and the call throws `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

export type ResultArray = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
/** Copies, by the name of the output. */
export type CallResults = ReadonlyMap<string, ResultArray>;

export interface StartedCall {
  /** By the number of the input. Results as those of `run`. */
  readonly finish: (rows: ReadonlyMap<number, Float32Array>) => Promise<CallResults>;
  /** Gives up; rows from `before` on are then anything. */
  readonly drop: () => void;
}

/** Writes bytes of what was asked for: those from its byte `from` on. Not to be kept. */
export type FillBytes = (into: Uint8Array, from: number) => void;
/** Takes bytes, which follow those that came before. Not to be kept. */
export type TakeBytes = (bytes: Uint8Array) => void;

export interface ModelDevice {
  readonly plan: PlayedProgram;
  /** Bytes of all memory as it is now. */
  readonly memoryBytes: number;
  readonly disposed: boolean;

  /** Bytes `from` … `from + count - 1` of a weight, whole elements, in all places where they are to be, piece by piece. */
  fillWeight(weight: number, from: number, count: number, fill: FillBytes): Promise<void>;

  /** All weights were filled: what that took is given back. Throws what has gone wrong without being waited for. */
  loaded(): Promise<void>;

  /** Plays a phase of this name that hangs on no call and no session. Gives its only output. */
  decode(phase: string, inputs: readonly Float32Array[]): Promise<Float32Array>;

  /** Rows of a session, all zeros. Throws OutOfMemoryError, if not here then in the first call. */
  allocateStates(): SessionPlace;
  releaseStates(place: SessionPlace): void;
  /** The first `length` rows of each state of the program's entry, and copy, in order. */
  readRows(place: SessionPlace, length: number, take: TakeBytes): Promise<void>;
  /** The same in one stretch of bytes, written. */
  writeRows(place: SessionPlace, length: number, rows: Uint8Array): Promise<void>;

  /**
   * Plays a phase on as many tokens as it takes, after `before` rows in the session at `states`. Throws DscError and `signal.reason`;
   * rows from `before` on are then anything.
   */
  run(call: DeviceCall): Promise<CallResults>;
  /**
   * The same for a phase that is given rows of tables, of which `inputs` has none: plays what comes before them. Until `finish` or
   * `drop` is called nothing else is played but `decode`.
   */
  start(call: DeviceCall): Promise<StartedCall>;
  dispose(): void;
  /** Tries what it plays with on small inputs, against values that the package holds; not there where nothing depends on the machine. */
  readonly check?: ((signal?: AbortSignal) => AsyncIterable<CheckedKernel>) | undefined;
}

export interface CheckedKernel {
  readonly name: string;
  /** Null where the package has no values to try it by. */
  readonly passed: boolean | null;
  /** How far off the value was that is farthest off for what is allowed there, and what is. */
  readonly worst: number;
  readonly bound: number;
}
