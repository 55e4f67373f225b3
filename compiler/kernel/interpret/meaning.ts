/** What operations do to numbers, for one run. */
import { roundToBf16, roundToF16 } from "../../../runtime/formats/casts.ts";
import { InternalError } from "../../graph/internal-error.ts";
import { type Elem, elems } from "../elem.ts";
import { type OpName, ops } from "../ops.ts";
import { KernelFault } from "./fault.ts";

export type Meaning = (a: number, b: number, c: number) => number;

/** A target may round a fused multiply and add once or twice. */
export type Fma = "fused" | "separate";

export function meaningOf(op: OpName, elem: Elem, fma: Fma): Meaning {
  const on: Partial<Record<Elem, Meaning>> = ops[op].on;
  const plain = on[elem];
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

const saturate = (x: number, low: number, high: number): number =>
  Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), low), high) + 0;
const ranges = {
  i8: [-128, 127],
  i16: [-32768, 32767],
  i32: [-0x80000000, 0x7fffffff],
  u32: [0, 0xffffffff],
} as const;

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
    default:
      return to satisfies never;
  }
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
