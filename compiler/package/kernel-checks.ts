/**
 * What the kernel interpreter finds for small inputs, as a package holds it (`runtime/artifact/kernel-checks.ts`): all work items of the
 * first workgroups are run, with the least sizes that make a kernel go each way that it has, or those of them that do not take too long.
 */
import {
  type KernelCheck,
  noBound,
  type RealFill,
  realFills,
  type WholeFill,
} from "../../runtime/artifact/kernel-checks.ts";
import type { KernelDecl } from "../../runtime/artifact/program.ts";
import { boundOfTwoTurns } from "../kernel/bounded.ts";
import { elems } from "../kernel/elem.ts";
import { elementsOf, evaluateExtent } from "../kernel/interpret.ts";
import { groupsOf, isStaged } from "../kernel/joined.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { Inputs, type Ran, type RunOrder, ran, type TooMuch } from "./check-run.ts";
import { Ways } from "./check-ways.ts";
import { checkedBuffer } from "./checked-buffer.ts";

/** Elements of a buffer that is written; those behind all that is written that are looked at. */
const most = { written: 2 ** 20, behind: 2048 } as const;
/** Steps of loops behind which no other item is begun; what only tells how far off real numbers may be needs fewer. */
const enough = { values: 60_000, bounds: 15_000 } as const;

/**
 * Sizes are at least `least`; so many workgroups run, and where several kernels share them so many of each that begins among `parts`.
 * The first that is not too long is taken, and those behind `wider` where they go more ways: one more than a tile, or than lanes.
 */
interface Extent {
  readonly least: number;
  readonly groups: number;
  readonly parts: number;
  /** Elements of a buffer that is read. */
  readonly read: number;
  /** All of these and the last one, all of these, or the first item alone. */
  readonly items: "ends" | "all" | "first";
}
const extents: readonly Extent[] = [
  { least: 5, groups: 4, parts: 4096, read: 2 ** 18, items: "ends" },
  { least: 5, groups: 2, parts: 4096, read: 2 ** 18, items: "all" },
  { least: 5, groups: 1, parts: 1, read: 2 ** 19, items: "all" },
  { least: 5, groups: 1, parts: 1, read: 2 ** 21, items: "all" },
  { least: 1, groups: 1, parts: 1, read: 2 ** 21, items: "first" },
];
const wider: readonly number[] = [17, 69];

/** Numbers that choose among weights choose few where all would be far from each other; of weights in a window, with the first piece alone. */
const chosen: readonly { readonly wholes: WholeFill; readonly pieces: "all" | "first" }[] = [
  { wholes: "few", pieces: "all" },
  { wholes: "counted", pieces: "all" },
  { wholes: "two", pieces: "first" },
  { wholes: "none", pieces: "first" },
];

/** Of those kernels, lowered for any adapter, that need neither long runs nor large buffers for it. */
export function kernelChecks(kernels: readonly Kernel[], decls: readonly KernelDecl[]): readonly KernelCheck[] {
  const inputs = new Inputs();
  return kernels.flatMap((k, i) => {
    const decl = decls[i];
    return decl === undefined ? [] : (checkOf(k, i, decl, inputs) ?? []);
  });
}

/** Each a line. */
export const checksText = (checks: readonly KernelCheck[]): string =>
  `[\n${checks.map((c) => JSON.stringify(c)).join(",\n")}\n]\n`;

interface Made {
  readonly check: KernelCheck;
  readonly pieces: Attempt["pieces"];
  /** Whether something is written of which nothing is sure. */
  readonly unsure: boolean;
  readonly ways: Ways;
  readonly extent: Extent;
}

/** Has sums of all that is written, if any attempt has, and goes the most ways. */
function checkOf(k: Kernel, kernel: number, decl: KernelDecl, inputs: Inputs): KernelCheck | null {
  const of = { k, kernel, decl, inputs };
  const bound = boundOfTwoTurns(k);
  const short = bound === null ? null : firstWith(of, bound);
  const found = short === null || short.unsure ? (firstWith(of, noBound) ?? short) : short;
  if (found === null) return null;
  let best = found;
  if (best.extent.items !== "first")
    for (const least of wider) {
      if (!best.ways.mayBeMore(k)) break;
      const made = attempt(
        of,
        { ...best.check, pieces: best.pieces, extent: { ...best.extent, least } },
        best.ways.count,
      );
      if (made !== null && typeof made !== "string" && made.check.expected.length === best.check.expected.length)
        best = made;
    }
  return best.check;
}

interface Checked {
  readonly k: Kernel;
  readonly kernel: number;
  readonly decl: KernelDecl;
  readonly inputs: Inputs;
}

function firstWith(of: Checked, bound: number): Made | null {
  let best: Made | null = null;
  for (const extent of extents)
    fills: for (const fill of chosen)
      for (const reals of realFills) {
        const made = attempt(of, { ...fill, extent, reals, bound });
        // Other numbers would not make it shorter.
        if (made === "too long") break fills;
        if (made === "too far") break;
        if (made === null || made.check.expected.length === 0) continue;
        if (!made.unsure) return made;
        if (best === null || made.check.expected.length > best.check.expected.length) best = made;
      }
  return best;
}

interface Attempt {
  readonly extent: Extent;
  readonly wholes: WholeFill;
  readonly pieces: "all" | "first";
  readonly reals: RealFill;
  readonly bound: number;
}

/** Null where inputs are such that the kernel is not for them, or where no more ways are gone than `ways`. */
function attempt(
  { k, kernel, decl, inputs }: Checked,
  { extent, wholes, pieces, reals, bound }: Attempt,
  more = -1,
): Made | TooMuch | null {
  const numbers = k.sizes.map(({ name, minimum, multiple }) => {
    if (name === k.window?.first) return 0;
    if (name === k.window?.pieces) return pieces === "all" ? k.window.of : 1;
    return Math.ceil(Math.max(minimum, extent.least) / multiple) * multiple;
  });
  const sizes = Object.fromEntries(k.sizes.map((s, i) => [s.name, numbers[i] ?? 0]));
  const inGroup = decl.gpu?.itemsInGroup ?? 1;
  const all = k.grid.reduce((n, g) => n * Math.max(0, evaluateExtent(g.extent, sizes)), 1);
  const starts = startsOf(k, sizes);
  const groups = Math.min(starts.length > 1 ? extent.parts : extent.groups, Math.ceil(all / inGroup));
  if (groups < 1) return null;
  const count = Math.min(all, groups * inGroup);
  const items = extent.items === "first" ? [0] : itemsOf(count, starts, extent.groups * inGroup, extent.items);
  const lengths = k.buffers.map((b) => elementsOf(b, sizes));
  const elements = lengths.map((n, i) => Math.min(n, k.buffers[i]?.access === "read" ? extent.read : most.written));
  const check: KernelCheck = { kernel, groups, sizes: numbers, bound, elements, reals, wholes, expected: [] };
  const order: RunOrder = { kernel: k, decl, check, items, enough: enough.values, inputs, disturbed: false };
  const ways = new Ways(k);
  const found = ran({ ...order, passed: ways.passed });
  if (found === null || typeof found === "string") return found;
  const whole = found.whole && items.length === count;
  // What items that are left out write has a place of its own.
  if (!whole && k.buffers.some((b, i) => b.access !== "read" && (lengths[i] ?? 0) > most.written)) return "too far";
  if (ways.count <= more) return null;
  const other = besides(k, order, found);
  if (other === null || typeof other === "string") return other;
  const expected = k.buffers.flatMap((b, i) =>
    b.access === "read" ? [] : (checkedBuffer(b, i, { found, other, whole }) ?? []),
  );
  const used = elements.map((n, i) => {
    const reach = found.reach[i] ?? 0;
    if (k.buffers[i]?.access === "read") return reach;
    return whole ? Math.min(most.written, reach + most.behind) : n;
  });
  const unsure = expected.length < found.written.filter((is) => is.includes(1)).length;
  return { check: { ...check, elements: used, expected }, pieces, unsure, ways, extent };
}

/** The same on inputs that are a little off. */
function besides(k: Kernel, order: RunOrder, found: Ran): ReturnType<typeof ran> {
  if (!k.buffers.some((b) => b.elem === "f32" && b.access !== "write")) return found;
  const reals = k.buffers.every((b) => b.access === "read" || elems[b.elem].float);
  return ran({ ...order, enough: reals ? enough.bounds : enough.values, disturbed: true });
}

/** The first item of each part. */
function startsOf(k: Kernel, sizes: Readonly<Record<string, number>>): readonly number[] {
  if (k.parts === undefined || isStaged(k)) return [0];
  const starts = [0];
  for (const p of k.parts) starts.push((starts.at(-1) ?? 0) + evaluateExtent(groupsOf(k, p), sizes));
  return starts.slice(0, -1);
}

/** So many of each part, and with ends the last of all; those first that differ the most. */
function itemsOf(count: number, starts: readonly number[], most: number, which: "ends" | "all"): readonly number[] {
  const all = starts.flatMap((start, i) => {
    const end = Math.min(count, starts[i + 1] ?? count);
    return Array.from({ length: Math.max(0, Math.min(most, end - start)) }, (_, at) => start + at);
  });
  const first = [
    ...starts.filter((i) => i < count),
    ...(which === "ends" ? [Math.floor((count - 1) / 3), count - 1] : []),
  ];
  return [...new Set([...first, ...all])];
}
