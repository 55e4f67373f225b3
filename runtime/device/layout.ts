/** Where everything of a model but its weights stands in a memory. Addresses are bytes, multiples of 64. */
import { elemBytes } from "../artifact/elems.ts";
import type { Program, StateDecl } from "../artifact/program.ts";

/** Kernels may step a pointer this far before their memory. */
export const lowestAddress = 65_536;
/** All that 32-bit addresses reach. */
export const mostBytes = 2 ** 32;

const alignment = 64;
/** Between large buffers: no power of two, so that streams from several do not meet in the same cache sets. */
const gap = 320;

/** Bytes that a buffer takes with what keeps it apart from the next. */
export function spaced(bytes: number): number {
  const aligned = Math.ceil(bytes / alignment) * alignment;
  return bytes >= 4096 ? aligned + gap : aligned;
}

/** What is at the same addresses in every memory of a model. */
export interface Layout {
  /** Control words of the threads and the values of a call, i32. */
  readonly control: number;
  /** By declaration. */
  readonly constants: readonly number[];
  /** Inputs of a call. */
  readonly inputs: number;
  readonly arena: number;
  /** Scratch of each thread. */
  readonly scratch: readonly number[];
  /** First byte behind all of it: from here on weights stand. */
  readonly end: number;
}

export interface LayoutRequest {
  readonly program: Program;
  readonly threads: number;
  /** Bytes of control words and values. */
  readonly controlBytes: number;
  readonly arenaBytes: number;
  readonly inputBytes: number;
}

export function layOut({ program, threads, controlBytes, arenaBytes, inputBytes }: LayoutRequest): Layout {
  let top = lowestAddress;
  const take = (bytes: number): number => {
    const at = top;
    top += spaced(bytes);
    return at;
  };
  const control = take(controlBytes);
  const constants = program.constants.map((c) => take(elemBytes[c.elem] * c.values.length));
  const inputs = take(inputBytes);
  const scratchBytes = Math.max(0, ...program.kernels.map((k) => k.scratch));
  // A line of its own behind each: two threads that write the same line slow each other.
  const scratch = Array.from({ length: threads }, () => take(scratchBytes + 128));
  const arena = take(arenaBytes);
  return { control, constants, inputs, arena, scratch, end: top };
}

/** How the rows of a session lie in one memory: every state's copies one after the other, each of `rows` rows. */
export interface StateLayout {
  /** From the start of the session's rows, by state. */
  readonly offsets: readonly number[];
  /** Bytes of a row, and from one copy to the next, by state. */
  readonly rowBytes: readonly number[];
  readonly copyBytes: readonly number[];
  readonly rows: number;
  readonly bytes: number;
}

/** `rows`: the context. */
export function layOutStates(states: readonly StateDecl[], rows: number): StateLayout {
  const rowBytes = states.map((s) => s.row * elemBytes[s.elem]);
  const copyBytes = rowBytes.map((bytes) => spaced(bytes * rows));
  let bytes = 0;
  const offsets = states.map((s, i) => {
    const at = bytes;
    bytes += s.copies * (copyBytes[i] ?? 0);
    return at;
  });
  return { offsets, rowBytes, copyBytes, rows, bytes };
}
