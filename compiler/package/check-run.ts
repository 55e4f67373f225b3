/** A kernel in the interpreter, on the inputs of a check. */
import { elemBytes } from "../../runtime/artifact/elems.ts";
import { checkBytes, type KernelCheck } from "../../runtime/artifact/kernel-checks.ts";
import type { KernelDecl } from "../../runtime/artifact/program.ts";
import { type AnyData, interpret, type Touched } from "../kernel/interpret.ts";
import type { Branch, Buffer, Kernel } from "../kernel/kernel.ts";

/** Steps of loops that are too many. */
const mostSteps = 4_000_000;

export interface Ran {
  /** By buffer: what it holds afterwards, which elements were written (1), and the element behind the last that was touched. */
  readonly bytes: readonly Uint8Array[];
  readonly written: readonly Uint8Array[];
  readonly reach: readonly number[];
  /** Whether all items were run. */
  readonly whole: boolean;
}
/** More steps than are wanted, or elements: with other numbers it might be fewer of these. */
export type TooMuch = "too long" | "too far";
export interface RunOrder {
  readonly kernel: Kernel;
  readonly decl: KernelDecl;
  readonly check: KernelCheck;
  readonly items: readonly number[];
  /** Steps behind which no other item is begun. */
  readonly enough: number;
  readonly inputs: Inputs;
  /** Whether each f32 is up or down by 2^-20 of itself. */
  readonly disturbed: boolean;
  readonly passed?: (s: Branch, turns: number) => void;
}

/** Null where the interpreter finds a fault: the kernel is not for such inputs. */
export function ran({
  kernel: k,
  decl,
  check,
  items,
  enough,
  inputs,
  disturbed,
  passed,
}: RunOrder): Ran | TooMuch | null {
  const bytes = k.buffers.map((b, i) => {
    const found = inputs.of(check, decl, i, disturbed);
    return b.access === "read" ? found : found.slice();
  });
  const numbers = new Map(k.buffers.map((b, i) => [b.name, i]));
  const written = k.buffers.map((b, i) => new Uint8Array(b.access === "read" ? 0 : (check.elements[i] ?? 0)));
  const reach = k.buffers.map(() => 0);
  const touched = (buffer: string): Touched => {
    const i = numbers.get(buffer) ?? 0;
    const of = written[i];
    return (index, how) => {
      if (index >= (reach[i] ?? 0)) reach[i] = index + 1;
      if (how === "write" && of !== undefined) of[index] = 1;
    };
  };
  let whole = true;
  const leftOut = (): void => {
    whole = false;
  };
  const sizes = Object.fromEntries(k.sizes.map((s, i) => [s.name, check.sizes[i] ?? 0]));
  const buffers = Object.fromEntries(k.buffers.map((b, i) => [b.name, dataOf(b, bytes[i] ?? new Uint8Array(0))]));
  const limits = { mostSteps, enough: { steps: enough, leftOut } };
  const fault = interpret(
    k,
    { sizes, buffers },
    { items, ...limits, bound: check.bound, short: true, touched, ...(passed === undefined ? {} : { passed }) },
  );
  if (fault === null) return { bytes, written, reach, whole };
  return fault.kind === "length" ? "too long" : fault.kind === "range" ? "too far" : null;
}

const arrays = {
  bool: Int32Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  u32: Uint32Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  f32: Float32Array,
} as const;
const dataOf = ({ elem }: Buffer, { buffer, byteOffset, byteLength }: Uint8Array): AnyData =>
  new arrays[elem](buffer as ArrayBuffer, byteOffset, byteLength / arrays[elem].BYTES_PER_ELEMENT);

/** What buffers hold, made once for all checks: those of the same number and elem begin alike. */
export class Inputs {
  readonly #known = new Map<string, Uint8Array<ArrayBuffer>>();

  /** Nobody may write to it. */
  of(check: KernelCheck, decl: KernelDecl, buffer: number, disturbed: boolean): Uint8Array<ArrayBuffer> {
    const elem = decl.buffers[buffer]?.elem ?? "f32";
    const { reals, wholes } = check;
    const size = elemBytes[elem] * (check.elements[buffer] ?? 0);
    const key = JSON.stringify([elem, buffer, reals, wholes, disturbed && elem === "f32"]);
    const found = this.#known.get(key);
    if (found !== undefined && found.length >= size) return found.subarray(0, size);
    // What follows asks for more, as a rule.
    const elements = check.elements.map((n) => 2 ** Math.ceil(Math.log2(Math.max(1, n))));
    const made = checkBytes({ ...check, elements }, decl, buffer);
    if (disturbed && elem === "f32") disturb(new Float32Array(made.buffer));
    this.#known.set(key, made);
    return made.subarray(0, size);
  }
}

/** Each up or down by 2^-20 of itself. */
function disturb(values: Float32Array): void {
  for (let i = 0; i < values.length; i += 1) values[i] = (values[i] ?? 0) * (1 + (i % 3 === 0 ? -1 : 1) * 2 ** -20);
}
