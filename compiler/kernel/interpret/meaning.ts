/** What operations do to numbers, for one run. */
import { roundToBf16, roundToF16 } from "../../../runtime/formats/casts.ts";
import { InternalError } from "../../graph/internal-error.ts";
import { type Elem, elems } from "../elem.ts";
import { meaningOn, type OpName, ops, type WideMeaning } from "../ops.ts";
import { KernelFault } from "./fault.ts";

export type Meaning = (a: number, b: number, c: number) => number;

/** A target may round a fused multiply and add once or twice. */
export type Fma = "fused" | "separate";

export function meaningOf(op: OpName, elem: Elem, fma: Fma): Meaning {
  const plain = meaningOn(op, elem);
  if (plain === undefined) throw new InternalError(`${op} of ${elem}: the kernel is not verified`);
  if (op === "fma" && fma === "fused") return (a, b, c) => Math.fround(a * b + c); // a*b is exact in f64
  if ((op === "div" || op === "mod") && elem !== "f32")
    return (a, b, c) => {
      if (b === 0) throw new KernelFault("division", `${a} is divided by 0`);
      return plain(a, b, c);
    };
  if (op === "shl" || op === "shr")
    return (a, b, c) => {
      if (b < 0 || b > 31) throw new KernelFault("division", `${a} is shifted by ${b} bits`);
      return plain(a, b, c);
    };
  return plain;
}

/** Of an i64, with what `meaningOf` checks. */
export function wideMeaningOf(op: OpName): WideMeaning {
  const plain = ops[op].on.i64;
  if (plain === undefined) throw new InternalError(`${op} of i64: the kernel is not verified`);
  if (op === "div" || op === "mod")
    return (a, b, c) => {
      if (b === 0n) throw new KernelFault("division", `${a} is divided by 0`);
      return plain(a, b, c);
    };
  if (op === "shl" || op === "shr")
    return (a, b, c) => {
      if (b < 0n || b > 63n) throw new KernelFault("division", `${a} is shifted by ${b} bits`);
      return plain(a, b, c);
    };
  return plain;
}

const saturate = (x: number, low: number, high: number): number =>
  Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), low), high) + 0;
const ranges = {
  i8: [-128, 127],
  i16: [-32768, 32767],
  i32: [-0x80000000, 0x7fffffff],
  u32: [0, 0xffffffff],
} as const;

/** Between elems whose values are numbers. */
export function conversion(from: Elem, to: Elem): (x: number) => number {
  switch (to) {
    case "f32":
      return Math.fround;
    case "f16":
      return roundToF16;
    case "bf16":
      return roundToBf16;
    case "bool":
      return (x) => x;
    case "i8":
    case "i16":
    case "i32":
    case "u32": {
      const [low, high] = ranges[to];
      if (elems[from].float) return (x) => saturate(x, low, high);
      if (to === "u32") return (x) => x >>> 0;
      const unused = to === "i8" ? 24 : to === "i16" ? 16 : 0;
      return (x) => (x << unused) >> unused;
    }
    case "i64":
      throw new InternalError("an i64 is no number");
    default:
      return to satisfies never;
  }
}

/** To an i64. */
export const widened = (from: Elem): ((x: number) => bigint) =>
  elems[from].float ? (x) => saturateWide(x) : (x) => BigInt(x);
const [leastWide, mostWide] = [-(2n ** 63n), 2n ** 63n - 1n];
function saturateWide(x: number): bigint {
  if (Number.isNaN(x)) return 0n;
  return x >= 2 ** 63 ? mostWide : x <= -(2 ** 63) ? leastWide : BigInt(Math.trunc(x));
}
/** From an i64: the low bits, or the nearest f32. */
export function narrowedTo(to: Elem): (x: bigint) => number {
  if (to === "f32") return nearestF32;
  const low = conversion("i32", to);
  return (x) => low(Number(BigInt.asIntN(32, x)));
}
/** Rounded once: to 53 bits first, but to odd, so that no tie is made. */
function nearestF32(x: bigint): number {
  const size = x < 0n ? -x : x;
  const dropped = BigInt(Math.max(0, size.toString(2).length - 53));
  const kept = size >> dropped;
  const odd = kept << dropped === size ? kept : kept | 1n;
  return Math.fround(Number(x < 0n ? -odd : odd) * 2 ** Number(dropped));
}

const word = new DataView(new ArrayBuffer(4));
/** The same 32 bits as another type. */
export function reinterpretation(from: Elem, to: Elem): (x: number) => number {
  return (x) => {
    if (from === "f32") word.setFloat32(0, x);
    else word.setUint32(0, x >>> 0);
    return to === "f32" ? word.getFloat32(0) : to === "i32" ? word.getInt32(0) : word.getUint32(0);
  };
}
