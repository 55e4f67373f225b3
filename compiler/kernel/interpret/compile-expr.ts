/**
 * Expressions as closures. A vector's closure gives an array that belongs to it and is overwritten when it runs again:
 * whoever keeps a vector copies it.
 */
import { InternalError } from "../../graph/internal-error.ts";
import type { Elem } from "../elem.ts";
import type { Expr, Load } from "../kernel.ts";
import { monoids } from "../ops.ts";
import { KernelFault } from "./fault.ts";
import type { Frame, FrameLayout } from "./frame.ts";
import {
  conversion,
  type Fma,
  type Meaning,
  meaningOf,
  narrowedTo,
  reinterpretation,
  wideMeaningOf,
  widened,
} from "./meaning.ts";
import type { Loads, Memories, Pieces } from "./memory.ts";

export type Scalar = (f: Frame) => number;
export type Wide = (f: Frame) => bigint;
export type Vector = (f: Frame) => Float64Array;
export interface Surroundings {
  readonly layout: FrameLayout;
  readonly loads: Memories<Loads, Loads<bigint>>;
  /** Of buffers in pieces. */
  readonly pieces: ReadonlyMap<string, Pieces>;
  readonly fma: Fma;
}

const at = (v: Float64Array, i: number): number => v[i] ?? Number.NaN;

export function compileScalar(e: Expr, s: Surroundings): Scalar {
  switch (e.kind) {
    case "const": {
      const { value } = e;
      return () => value;
    }
    case "name": {
      const offset = s.layout.offset(e.name);
      return (f) => at(f.values, offset);
    }
    case "wide":
      throw new InternalError("an i64 is no number");
    case "op":
      return isWide(e.args.at(-1)) ? wideTest(e, s) : scalarOp(e, s);
    case "convert":
    case "bitcast": {
      if (isWide(e.arg)) return narrowed(e.arg, e.type.elem, s);
      const arg = compileScalar(e.arg, s);
      const change = (e.kind === "convert" ? conversion : reinterpretation)(e.arg.type.elem, e.type.elem);
      return (f) => change(arg(f));
    }
    case "splat":
      throw new InternalError("a splat to a scalar");
    case "extract":
      return extracted(e, s);
    case "fold": {
      const arg = compileVector(e.arg, s);
      const meaning = meaningOf(monoids[e.monoid].op, e.type.elem, s.fma);
      return (f) => {
        const v = arg(f);
        let all = at(v, 0);
        for (let i = 1; i < v.length; i += 1) all = meaning(all, at(v, i), 0);
        return all;
      };
    }
    case "load":
      return scalarLoad(e, s);
    case "dot": {
      const vector = dotVector(e, s);
      return (f) => at(vector(f), 0);
    }
    default:
      return e satisfies never;
  }
}

/** Of a name, the lane alone. */
function extracted(e: Extract<Expr, { kind: "extract" }>, s: Surroundings): Scalar {
  const offset = placeOf(e, s);
  if (offset !== null) return (f) => at(f.values, offset);
  const { lane } = e;
  const vector = compileVector(e.arg, s);
  return (f) => at(vector(f), lane);
}

/** Where among a frame's values a number stands that need not be computed. */
function placeOf(e: Expr, s: Surroundings): number | null {
  if (e.kind === "name") return s.layout.offset(e.name);
  return e.kind === "extract" && e.arg.kind === "name" ? s.layout.offset(e.arg.name) + e.lane : null;
}

const isWide = (e: Expr | undefined): boolean => e?.type.elem === "i64";
function narrowed(e: Expr, to: Elem, s: Surroundings): Scalar {
  const [arg, change] = [compileWide(e, s), narrowedTo(to)];
  return (f) => change(arg(f));
}
/** A comparison of i64. */
function wideTest(e: Extract<Expr, { kind: "op" }>, s: Surroundings): Scalar {
  const value = wideOp(e, s);
  return (f) => (value(f) === true ? 1 : 0);
}
function wideOp(e: Extract<Expr, { kind: "op" }>, s: Surroundings): (f: Frame) => bigint | boolean {
  const meaning = wideMeaningOf(e.op);
  const [a, b] = e.args.filter(isWide).map((x) => compileWide(x, s));
  if (a === undefined) throw new InternalError(`${e.op} of nothing`);
  if (b === undefined) return (f) => meaning(a(f), 0n, 0);
  const [first] = e.args;
  if (e.op !== "select" || first === undefined) return (f) => meaning(a(f), b(f), 0);
  const condition = compileScalar(first, s);
  return (f) => meaning(a(f), b(f), condition(f));
}
/** Of an i64. */
export function compileWide(e: Expr, s: Surroundings): Wide {
  switch (e.kind) {
    case "wide": {
      const { value } = e;
      return () => value;
    }
    case "name": {
      const offset = s.layout.offset(e.name);
      return (f) => f.wide[offset] ?? 0n;
    }
    case "op": {
      const value = wideOp(e, s);
      return (f) => BigInt(value(f));
    }
    case "convert": {
      const [arg, change] = [compileScalar(e.arg, s), widened(e.arg.type.elem)];
      return (f) => change(arg(f));
    }
    case "load":
      return wideLoad(e, s);
    case "const":
    case "bitcast":
    case "splat":
    case "extract":
    case "fold":
    case "dot":
      throw new InternalError(`${e.kind} of i64`);
    default:
      return e satisfies never;
  }
}
function wideLoad(e: Load, s: Surroundings): Wide {
  const registers = s.layout.registers(e.from);
  if (registers === null) {
    const memory = memoryOf(e.from, s.loads.wide);
    const index = firstElement(e, s);
    return (f) => memory.load(index(f), f.lane);
  }
  const { offset, flag } = registers;
  const slot = registerSlot(e, s);
  return (f) => {
    const i = slot(f);
    return f.written[flag + i] === 0 ? unwritten(e.from, i) : (f.wide[offset + i] ?? 0n);
  };
}

function scalarOp(e: Extract<Expr, { kind: "op" }>, s: Surroundings): Scalar {
  const args = e.args.map((x) => compileScalar(x, s));
  const [a, b, c] = args;
  const meaning = meaningOf(e.op, e.args.at(-1)?.type.elem ?? "i32", s.fma);
  if (a === undefined) throw new InternalError(`${e.op} of nothing`);
  if (b === undefined) return (f) => meaning(a(f), 0, 0);
  if (e.type.elem === "i32" && e.op === "add") return wrappedSum(e.args, [a, b], s);
  if (e.type.elem === "i32" && e.op === "mul") return (f) => Math.imul(a(f), b(f));
  if (c !== undefined && e.op === "fma" && s.fma === "separate") return separateFma(e.args, [a, b, c], s);
  if (c === undefined) return (f) => meaning(a(f), b(f), 0);
  return (f) => meaning(a(f), b(f), c(f));
}

/** Most of what kernels do are places and the terms of sums, which are worth forms of their own where what goes in is at hand. */
function wrappedSum([, y]: readonly Expr[], [a, b]: readonly [Scalar, Scalar], s: Surroundings): Scalar {
  if (y?.kind === "const") {
    const { value } = y;
    return (f) => (a(f) + value) | 0;
  }
  const right = y === undefined ? null : placeOf(y, s);
  return right === null ? (f) => (a(f) + b(f)) | 0 : (f) => (a(f) + at(f.values, right)) | 0;
}

/** Rounded twice. */
function separateFma([x, y]: readonly Expr[], [a, b, c]: readonly [Scalar, Scalar, Scalar], s: Surroundings): Scalar {
  const round = Math.fround;
  const [left, right] = [x, y].map((e) => (e === undefined ? null : placeOf(e, s)));
  return typeof left === "number" && typeof right === "number"
    ? (f) => round(round(at(f.values, left) * at(f.values, right)) + c(f))
    : (f) => round(round(a(f) * b(f)) + c(f));
}

/** Which register an index means. */
function registerSlot(e: { from: string; index: Expr }, s: Surroundings): Scalar {
  const size = s.layout.registers(e.from)?.size ?? 0;
  const index = compileScalar(e.index, s);
  const check = (i: number): number => {
    if (i < 0 || i >= size) throw new KernelFault("range", `${e.from}[${i}] of ${size}`);
    return i;
  };
  if (e.index.kind === "const" && e.index.value >= 0 && e.index.value < size) return index;
  return (f) => check(index(f));
}
const unwritten = (name: string, i: number): never => {
  throw new KernelFault("unwritten", `${name}[${i}] is read before it is written`);
};

/** The first element, counted through all pieces; of one in pieces, whether all are in the same is checked. */
function firstElement(e: Load, s: Surroundings): Scalar {
  const index = compileScalar(e.index, s);
  if (e.piece === undefined) return index;
  const piece = compileScalar(e.piece, s);
  const inPiece = s.pieces.get(e.from);
  if (inPiece === undefined) throw new InternalError(`${e.from} is in one piece: the kernel is not verified`);
  const last = e.type.width - 1;
  return (f) => {
    const [p, i] = [piece(f), index(f)];
    inPiece(p, i + last);
    return inPiece(p, i);
  };
}

function scalarLoad(e: Load, s: Surroundings): Scalar {
  const registers = s.layout.registers(e.from);
  if (registers === null) {
    const memory = memoryOf(e.from, s.loads.numbers);
    const index = firstElement(e, s);
    return (f) => memory.load(index(f), f.lane);
  }
  const { offset, flag, size } = registers;
  if (e.index.kind === "const" && e.index.value >= 0 && e.index.value < size) {
    const i = e.index.value;
    return (f) => (f.written[flag + i] === 0 ? unwritten(e.from, i) : at(f.values, offset + i));
  }
  const slot = registerSlot(e, s);
  return (f) => {
    const i = slot(f);
    return f.written[flag + i] === 0 ? unwritten(e.from, i) : at(f.values, offset + i);
  };
}
function memoryOf<M>(name: string, loads: ReadonlyMap<string, M>): M {
  const memory = loads.get(name);
  if (memory === undefined) throw new InternalError(`nothing is loaded from ${name}: the kernel is not verified`);
  return memory;
}

/** Of any width; a scalar gives an array of one. */
export function compileVector(e: Expr, s: Surroundings): Vector {
  const { width } = e.type;
  const out = new Float64Array(width);
  if (width === 1 && e.kind !== "dot") {
    const scalar = compileScalar(e, s);
    return (f) => {
      out[0] = scalar(f);
      return out;
    };
  }
  switch (e.kind) {
    case "const":
      for (let i = 0; i < width; i += 1) out[i] = e.value + (e.step ?? 0) * i;
      return () => out;
    case "name": {
      const offset = s.layout.offset(e.name);
      return (f) => copied(f.values, offset, out);
    }
    case "op":
      return vectorOp(e, s, out);
    case "convert":
    case "bitcast": {
      const arg = compileVector(e.arg, s);
      const change = (e.kind === "convert" ? conversion : reinterpretation)(e.arg.type.elem, e.type.elem);
      return (f) => {
        const v = arg(f);
        for (let i = 0; i < width; i += 1) out[i] = change(at(v, i));
        return out;
      };
    }
    case "splat": {
      const arg = compileVector(e.arg, s);
      const narrow = e.arg.type.width;
      return (f) => {
        const v = arg(f);
        for (let i = 0; i < width; i += 1) out[i] = at(v, i % narrow);
        return out;
      };
    }
    case "load":
      return vectorLoad(e, s, out);
    case "dot":
      return dotVector(e, s);
    case "wide":
    case "extract":
    case "fold":
      throw new InternalError(`${e.kind} of width ${width}`);
    default:
      return e satisfies never;
  }
}

function copied(from: Float64Array, offset: number, out: Float64Array): Float64Array {
  for (let i = 0; i < out.length; i += 1) out[i] = at(from, offset + i);
  return out;
}
/** For as few as a vector has this is less than what `set` does. */
export function putInto(to: Float64Array, offset: number, values: Float64Array): void {
  for (let i = 0; i < values.length; i += 1) to[offset + i] = at(values, i);
}

function vectorOp(e: Extract<Expr, { kind: "op" }>, s: Surroundings, out: Float64Array): Vector {
  const [a, b, c] = e.args.map((x) => compileVector(x, s));
  const meaning: Meaning = meaningOf(e.op, e.args.at(-1)?.type.elem ?? "i32", s.fma);
  const width = out.length;
  if (a === undefined) throw new InternalError(`${e.op} of nothing`);
  if (b === undefined)
    return (f) => {
      const x = a(f);
      for (let i = 0; i < width; i += 1) out[i] = meaning(at(x, i), 0, 0);
      return out;
    };
  if (c === undefined)
    return (f) => {
      const x = a(f);
      const y = b(f);
      for (let i = 0; i < width; i += 1) out[i] = meaning(at(x, i), at(y, i), 0);
      return out;
    };
  if (e.op === "fma" && s.fma === "separate")
    return (f) => {
      const x = a(f);
      const y = b(f);
      const z = c(f);
      for (let i = 0; i < width; i += 1) out[i] = Math.fround(Math.fround(at(x, i) * at(y, i)) + at(z, i));
      return out;
    };
  return (f) => {
    const x = a(f);
    const y = b(f);
    const z = c(f);
    for (let i = 0; i < width; i += 1) out[i] = meaning(at(x, i), at(y, i), at(z, i));
    return out;
  };
}

function vectorLoad(e: Load, s: Surroundings, out: Float64Array): Vector {
  const registers = s.layout.registers(e.from);
  if (registers === null) {
    const memory = memoryOf(e.from, s.loads.numbers);
    const index = firstElement(e, s);
    return (f) => {
      memory.loadAll(index(f), f.lane, out);
      return out;
    };
  }
  const { offset, flag } = registers;
  const slot = registerSlot(e, s);
  return (f) => {
    const i = slot(f);
    if (f.written[flag + i] === 0) unwritten(e.from, i);
    return copied(f.values, offset + i * out.length, out);
  };
}

function dotVector(e: Extract<Expr, { kind: "dot" }>, s: Surroundings): Vector {
  const [a, b, acc] = [e.a, e.b, e.acc].map((x) => compileVector(x, s));
  const { group, b7 } = e;
  const out = new Float64Array(e.type.width);
  if (a === undefined || b === undefined || acc === undefined) throw new InternalError("a dot of two");
  return (f) => {
    const x = a(f);
    const y = b(f);
    const z = acc(f);
    for (let i = 0; i < out.length; i += 1) {
      let sum = at(z, i);
      for (let g = i * group; g < (i + 1) * group; g += 1) {
        if (b7 && !(at(y, g) >= 0 && at(y, g) <= 127))
          throw new KernelFault("promise", `${at(y, g)} in a dot that promises 0..127`);
        sum += at(x, g) * at(y, g);
      }
      out[i] = sum | 0;
    }
    return out;
  };
}
