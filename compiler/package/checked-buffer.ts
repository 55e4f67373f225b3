/**
 * What a check says of a buffer, by two runs of its kernel, of which the second had inputs that are a little off.
 *
 * How far off a machine may be: real numbers of f32 by 2^-12 of what the buffer's values are like, those of 16 bits by 2^-6 of that,
 * and in any case by 64 times what inputs that are off by 2^-20 change. A sum may be off by what its elements may be together. What such
 * inputs change by more than a sixteenth hangs on rounding and is in no sum. A number or a place is what it is and in a sum only where
 * such inputs do not change it; integers beyond 2^20 are the order of reals, and may be off by their last bits.
 */
import { countIn, sumsOver, valuesIn } from "../../runtime/artifact/check-sums.ts";
import type { CheckedBuffer } from "../../runtime/artifact/kernel-checks.ts";
import { elems } from "../kernel/elem.ts";
import type { Buffer } from "../kernel/kernel.ts";
import type { Ran } from "./check-run.ts";

/** Elements of a sum where there is no limit of sums; pairs of sums; runs of elements. */
const most = { elements: 64, pairs: 8, runs: 64 } as const;

export interface Both {
  readonly found: Ran;
  /** Of real numbers it may have fewer. */
  readonly other: Ran;
  /** Whether all that is written is known. */
  readonly whole: boolean;
}

/** Null where nothing of it is sure. */
export function checkedBuffer(b: Buffer, buffer: number, { found, other, whole }: Both): CheckedBuffer | null {
  const written = placesOf(found.written[buffer]);
  const bounds = boundsOf(b, buffer, { found, other, written });
  const runs = runsOf(written.filter((at) => bounds.has(at)));
  const summed = countIn(runs);
  if (summed === 0) return null;
  const value = valuesIn(found.bytes[buffer] ?? new Uint8Array(0), b.elem);
  const pairs = Math.min(most.pairs, Math.ceil(summed / most.elements));
  const sums = sumsOver({ buffer, runs }, pairs, (at, weight) => weight * value(at));
  const within = sumsOver({ buffer, runs }, pairs, (at, weight) => Math.abs(weight) * (bounds.get(at) ?? 0));
  const others = whole && summed === written.length ? "kept" : "any";
  return { buffer, runs, others, ...rounded(sums, Math.max(...within)) };
}

/** How far off elements may be of which that is known. */
function boundsOf(
  { elem }: Buffer,
  buffer: number,
  { found, other, written }: Pick<Both, "found" | "other"> & { readonly written: readonly number[] },
): ReadonlyMap<number, number> {
  const values = valuesIn(found.bytes[buffer] ?? new Uint8Array(0), elem);
  const beside = valuesIn(other.bytes[buffer] ?? new Uint8Array(0), elem);
  const finite = written.filter((at) => Number.isFinite(values(at)));
  const seen = finite.filter((at) => other.written[buffer]?.[at] === 1);
  const off = (at: number): number => 64 * Math.abs(values(at) - beside(at));
  if (!elems[elem].float) {
    const isOrder = (at: number): boolean => elem !== "i64" && Math.abs(values(at)) >= 2 ** 20;
    return new Map(seen.filter((at) => off(at) <= (isOrder(at) ? 2 ** 18 : 0)).map((at) => [at, off(at)]));
  }
  const size = Math.sqrt(finite.reduce((n, at) => n + values(at) ** 2, 0) / Math.max(1, finite.length));
  const like = (at: number): number => Math.max(size, Math.abs(values(at)));
  const usual = elems[elem].bytes < 4 ? 2 ** -6 : 2 ** -12;
  const bounds = new Map<number, number>();
  let worst = usual;
  for (const at of seen) {
    if (!(off(at) <= like(at) / 16)) continue;
    bounds.set(at, Math.max(off(at), usual * like(at)));
    worst = Math.max(worst, off(at) / like(at));
  }
  // What was not seen is as sure as the least sure of what was.
  if (bounds.size > 0 && bounds.size === seen.length)
    for (const at of finite) if (!bounds.has(at)) bounds.set(at, worst * like(at));
  return bounds;
}

function placesOf(written: Uint8Array | undefined): readonly number[] {
  const places: number[] = [];
  for (let at = written?.indexOf(1) ?? -1; at >= 0; at = written?.indexOf(1, at + 1) ?? -1) places.push(at);
  return places;
}

/** How many are passed over, how many are taken, and so on. */
function runsOf(elements: readonly number[]): readonly number[] {
  const runs: number[] = [];
  let end = 0;
  for (const at of elements) {
    if (at === end && runs.length > 0) runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
    else if (runs.length === 2 * most.runs) break;
    else runs.push(at - end, 1);
    end = at + 1;
  }
  return runs;
}

/** No more digits than tell what is within from what is not: what they leave out is added to it. */
function rounded(sums: readonly number[], bound: number): Pick<CheckedBuffer, "within" | "sums"> {
  if (bound === 0) return { within: 0, sums };
  const digits = Math.min(100, 2 - Math.floor(Math.log10(bound)));
  const cut = (x: number): number =>
    digits < 0 ? Math.round(x / 10 ** -digits) * 10 ** -digits : Number(x.toFixed(digits));
  return { within: Number((bound * 1.01 + 10 ** -digits).toPrecision(3)), sums: sums.map(cut) };
}
