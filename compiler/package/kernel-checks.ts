/**
 * What the kernel interpreter finds for small inputs, as a package holds it (`runtime/artifact/kernel-checks.ts`): a few work items of
 * each kernel are run, the first of them, the last of a workgroup and one between; where several kernels are launched together the first of each
 * that is among the first 64.
 *
 * How far off a machine may be: real numbers of f32 by 2^-12 of what the buffer's values are like, those of 16 bits by 2^-6 of that,
 * and in any case by 64 times what inputs that are off by 2^-20 change. What such inputs change by more than a sixteenth hangs on
 * rounding and is no sample. A number or a place is what it is and a sample only where such inputs do not change it; integers beyond
 * 2^20 are the order of reals, and may be off by their last bits.
 */
import {
  type CheckedBuffer,
  checkBytes,
  type KernelCheck,
  realFills,
  valueIn,
  wholeFills,
} from "../../runtime/artifact/kernel-checks.ts";
import type { KernelDecl } from "../../runtime/artifact/program.ts";
import { elems } from "../kernel/elem.ts";
import { type AnyData, elementsOf, evaluateExtent, interpret } from "../kernel/interpret.ts";
import { groupsOf, isStaged } from "../kernel/joined.ts";
import type { Buffer, Kernel } from "../kernel/kernel.ts";

/** Elements of a buffer that is read, and of one that is written; statements of loops; workgroups, and
 * those where several kernels share them; samples of a buffer. */
const most = { read: 2 ** 17, written: 2 ** 20, steps: 250_000, groups: 2, groupsOfParts: 64, samples: 4 } as const;
/** Sizes are at least `least`; several items run, or one. What is too long for the first is tried with the other. */
const extents = [
  { least: 5, several: true },
  { least: 1, several: false },
] as const;

/** Of those kernels, lowered for any adapter, that need neither long runs nor large buffers for it. */
export function kernelChecks(kernels: readonly Kernel[], decls: readonly KernelDecl[]): readonly KernelCheck[] {
  return kernels.flatMap((k, i) => {
    const decl = decls[i];
    return decl === undefined ? [] : (checkOf(k, i, decl) ?? []);
  });
}

/** Each a line. */
export const checksText = (checks: readonly KernelCheck[]): string =>
  `[\n${checks.map((c) => JSON.stringify(c)).join(",\n")}\n]\n`;

/** The first attempt that has samples of all that is written, else the one with most of them. */
function checkOf(k: Kernel, kernel: number, decl: KernelDecl): KernelCheck | null {
  let best: KernelCheck | null = null;
  for (const extent of extents)
    fills: for (const wholes of wholeFills)
      for (const reals of realFills) {
        const made = attempt(k, { kernel, decl, wholes, reals, ...extent });
        // Other numbers would not make it shorter.
        if (made === "too long") break fills;
        if (made === null) continue;
        if (made.expected.length === k.buffers.filter((b) => b.access !== "read").length) return made;
        if (best === null || made.expected.length > best.expected.length) best = made;
      }
  return best === null || best.expected.length === 0 ? null : best;
}

interface Attempt extends Pick<KernelCheck, "kernel" | "wholes" | "reals"> {
  readonly decl: KernelDecl;
  /** Sizes are at least this. */
  readonly least: number;
  /** Or the first one alone. */
  readonly several: boolean;
}

/** Null where inputs are such that the kernel is not for them. */
function attempt(k: Kernel, { kernel, decl, wholes, reals, least, several }: Attempt): KernelCheck | "too long" | null {
  const numbers = k.sizes.map(({ name, minimum, multiple }) => {
    // All pieces are at hand.
    if (name === k.window?.first) return 0;
    return name === k.window?.pieces ? k.window.of : Math.ceil(Math.max(minimum, least) / multiple) * multiple;
  });
  const sizes = Object.fromEntries(k.sizes.map((s, i) => [s.name, numbers[i] ?? 0]));
  const inGroup = decl.gpu?.itemsInGroup ?? 1;
  const all = k.grid.reduce((n, g) => n * Math.max(0, evaluateExtent(g.extent, sizes)), 1);
  const starts = startsOf(k, sizes);
  const many = starts.length > 1 ? most.groupsOfParts : most.groups;
  const groups = Math.min(several ? many : 1, Math.ceil(all / inGroup));
  if (groups < 1) return null;
  const last = Math.min(all, groups * inGroup) - 1;
  const some = [...starts.filter((i) => i <= last), Math.floor(last / 3), last];
  const items = several ? [...new Set(some)] : [0];
  // What is written is there in full: whatever other items of the workgroups write has a place of its own.
  const lengths = k.buffers.map((b) => elementsOf(b, sizes));
  if (k.buffers.some((b, i) => b.access !== "read" && (lengths[i] ?? 0) > most.written)) return "too long";
  const elements = lengths.map((n, i) => Math.min(n, k.buffers[i]?.access === "read" ? most.read : most.written));
  const check: KernelCheck = { kernel, groups, sizes: numbers, elements, reals, wholes, expected: [] };
  const inputs = k.buffers.map((_, i) => checkBytes(check, decl, i));
  const run = (input: Order["input"]): ReturnType<typeof ran> => ran(k, { input, sizes, items });
  const found = run((i) => own(inputs[i], k.buffers[i]));
  if (found === null || found === "too long") return found;
  const other = run((i) => disturbed(own(inputs[i], k.buffers[i]), decl.buffers[i]?.elem));
  if (other === null || other === "too long") return other;
  const expected = k.buffers.flatMap((b, i) => samples(b, i, found, other) ?? []);
  const used = elements.map((n, i) => (k.buffers[i]?.access === "read" ? (found.reach[i] ?? 0) : n));
  return { ...check, elements: used, expected };
}

/** The first item of each part. */
function startsOf(k: Kernel, sizes: Readonly<Record<string, number>>): readonly number[] {
  if (k.parts === undefined || isStaged(k)) return [0];
  const starts = [0];
  for (const p of k.parts) starts.push((starts.at(-1) ?? 0) + evaluateExtent(groupsOf(k, p), sizes));
  return starts.slice(0, -1);
}

interface Ran {
  /** By buffer: what it holds afterwards, which elements were written, and the element behind the last that was touched. */
  readonly bytes: readonly Uint8Array[];
  readonly written: readonly ReadonlySet<number>[];
  readonly reach: readonly number[];
}
interface Order {
  readonly input: (buffer: number) => Uint8Array<ArrayBuffer>;
  readonly sizes: Readonly<Record<string, number>>;
  readonly items: readonly number[];
}

/** Null where the interpreter finds a fault. */
function ran(k: Kernel, { input, sizes, items }: Order): Ran | "too long" | null {
  const bytes = k.buffers.map((_, i) => input(i));
  const numbers = new Map(k.buffers.map((b, i) => [b.name, i]));
  const written = k.buffers.map(() => new Set<number>());
  const reach = k.buffers.map(() => 0);
  const touched = (buffer: string, index: number, how: "read" | "write"): void => {
    const i = numbers.get(buffer) ?? 0;
    reach[i] = Math.max(reach[i] ?? 0, index + 1);
    if (how === "write") written[i]?.add(index);
  };
  const buffers = Object.fromEntries(k.buffers.map((b, i) => [b.name, dataOf(b, bytes[i] ?? new Uint8Array(0))]));
  const fault = interpret(k, { sizes, buffers }, { items, mostSteps: most.steps, short: true, touched });
  if (fault === null) return { bytes, written, reach };
  return fault.kind === "length" || fault.kind === "range" ? "too long" : null;
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
const dataOf = ({ elem }: Buffer, { buffer }: Uint8Array): AnyData => new arrays[elem](buffer as ArrayBuffer);

/** What is written is a run's own; what is read no run changes. */
function own(bytes = new Uint8Array(0), buffer: Buffer | undefined): Uint8Array<ArrayBuffer> {
  return buffer?.access === "read" ? bytes : bytes.slice();
}

/** Each f32 up or down by 2^-20 of itself; all else as it is. */
function disturbed(bytes: Uint8Array<ArrayBuffer>, elem: KernelDecl["buffers"][number]["elem"] | undefined) {
  if (elem !== "f32") return bytes;
  const values = new Float32Array(bytes.buffer);
  for (let i = 0; i < values.length; i += 1) values[i] = (values[i] ?? 0) * (1 + (i % 3 === 0 ? -1 : 1) * 2 ** -20);
  return bytes;
}

/** Some of what is written, from its begin to its end; null where nothing of it is sure. */
function samples(b: Buffer, buffer: number, found: Ran, other: Ran): CheckedBuffer | null {
  const written = [...(found.written[buffer] ?? [])].sort((x, y) => x - y);
  const value = (of: Ran, at: number): number => valueIn(of.bytes[buffer] ?? new Uint8Array(0), b.elem, at);
  const finite = written.filter((at) => Number.isFinite(value(found, at)) && Number.isFinite(value(other, at)));
  const real = elems[b.elem].float;
  const size = Math.sqrt(finite.reduce((n, at) => n + value(found, at) ** 2, 0) / Math.max(1, finite.length));
  const off = (at: number): number => 64 * Math.abs(value(found, at) - value(other, at));
  const like = (at: number): number => Math.max(size, Math.abs(value(found, at)));
  const isOrder = (at: number): boolean => Math.abs(value(found, at)) >= 2 ** 20;
  const sure = finite.filter((at) => (real ? off(at) <= like(at) / 16 : off(at) <= (isOrder(at) ? 2 ** 18 : 0)));
  const at = spread(sure, most.samples);
  if (at.length === 0) return null;
  const usual = real ? (elems[b.elem].bytes < 4 ? 2 ** -6 : 2 ** -12) : 0;
  const within = Math.max(...at.map((i) => Math.max(off(i), usual * like(i))));
  const values = at.map((i) => (real ? Number(value(found, i).toPrecision(7)) : value(found, i)));
  return { buffer, within: Number(within.toPrecision(3)), at, values };
}

/** So many of a list, evenly, both ends included. */
function spread(all: readonly number[], count: number): readonly number[] {
  if (all.length <= count) return all;
  return Array.from({ length: count }, (_, i) => all[Math.round((i * (all.length - 1)) / (count - 1))] ?? 0);
}
