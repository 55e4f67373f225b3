/** Operations on 16 bytes of lanes, whatever the width of the value is. A bool is a mask of 32 bits a lane. */
import { type Elem, elems, type Type } from "../../compiler/kernel/elem.ts";
import { type Monoid, monoids, type OpName } from "../../compiler/kernel/ops.ts";
import type { Ref } from "./binaryen.ts";
import { type Frame, lanesPerPart, type Parts } from "./frame.ts";
import { relaxedMadd } from "./relaxed.ts";
import { type Spell, scalarOps } from "./scalars.ts";

/** There is no instruction: scalar operations on each lane. */
const lanes = "lane by lane";
type VectorSpelling = { readonly [K in OpName]: Spell | typeof lanes | null };

const select: Spell = ({ m }, c, a, b) => m.v128.bitselect(a, b, c);
const bits = {
  or: ({ m }, a, b) => m.v128.or(a, b),
  and: ({ m }, a, b) => m.v128.and(a, b),
  select,
} as const satisfies Partial<VectorSpelling>;

const nothing: VectorSpelling = { ...scalarOps.i8, select };

/** pmin and pmax are one instruction on x86, min and max many; which of a nan and a number results is free. */
const floats: VectorSpelling = {
  ...nothing,
  eq: ({ m }, a, b) => m.f32x4.eq(a, b),
  lt: ({ m }, a, b) => m.f32x4.lt(a, b),
  le: ({ m }, a, b) => m.f32x4.le(a, b),
  add: ({ m }, a, b) => m.f32x4.add(a, b),
  sub: ({ m }, a, b) => m.f32x4.sub(a, b),
  mul: ({ m }, a, b) => m.f32x4.mul(a, b),
  div: ({ m }, a, b) => m.f32x4.div(a, b),
  min: ({ m }, a, b) => m.f32x4.pmin(a, b),
  max: ({ m }, a, b) => m.f32x4.pmax(a, b),
  fma: ({ wasm, m, relaxed }, a, b, c) =>
    relaxed ? relaxedMadd(wasm, m, [a, b, c]) : m.f32x4.add(m.f32x4.mul(a, b), c),
  neg: ({ m }, a) => m.f32x4.neg(a),
  abs: ({ m }, a) => m.f32x4.abs(a),
  rounded: (_, a) => a,
  floor: ({ m }, a) => m.f32x4.floor(a),
  ceil: ({ m }, a) => m.f32x4.ceil(a),
  sqrt: ({ m }, a) => m.f32x4.sqrt(a),
  rsqrt: ({ m }, a) => m.f32x4.div(m.f32x4.splat(m.f32.const(1)), m.f32x4.sqrt(a)),
};
const masks: VectorSpelling = { ...nothing, ...bits, not: ({ m }, a) => m.v128.not(a) };
const integers: VectorSpelling = {
  ...nothing,
  ...bits,
  xor: ({ m }, a, b) => m.v128.xor(a, b),
  eq: ({ m }, a, b) => m.i32x4.eq(a, b),
  shl: lanes,
  shr: lanes,
  add: ({ m }, a, b) => m.i32x4.add(a, b),
  sub: ({ m }, a, b) => m.i32x4.sub(a, b),
  mul: ({ m }, a, b) => m.i32x4.mul(a, b),
  div: lanes,
  mod: lanes,
};
const signed: VectorSpelling = {
  ...integers,
  lt: ({ m }, a, b) => m.i32x4.lt_s(a, b),
  le: ({ m }, a, b) => m.i32x4.le_s(a, b),
  min: ({ m }, a, b) => m.i32x4.min_s(a, b),
  max: ({ m }, a, b) => m.i32x4.max_s(a, b),
  neg: ({ m }, a) => m.i32x4.neg(a),
};
const unsigned: VectorSpelling = {
  ...integers,
  lt: ({ m }, a, b) => m.i32x4.lt_u(a, b),
  le: ({ m }, a, b) => m.i32x4.le_u(a, b),
  min: ({ m }, a, b) => m.i32x4.min_u(a, b),
  max: ({ m }, a, b) => m.i32x4.max_u(a, b),
};
const vectorOps: Readonly<Record<Elem, VectorSpelling>> = {
  bool: masks,
  i8: nothing,
  i16: nothing,
  i32: signed,
  i64: nothing,
  u32: unsigned,
  f16: nothing,
  bf16: nothing,
  f32: floats,
};

/** One part of a vector operation; null where the elem has none. `type` is that of the last operand. */
export function vectorOp(f: Frame, op: OpName, type: Type, args: Parts): Ref | null {
  const spell = vectorOps[type.elem][op];
  const [a = 0, b = 0, c = 0] = args;
  if (spell === null) return null;
  return spell === lanes ? laneByLane(f, op, type, a, b) : spell(f, a, b, c);
}

function laneByLane(f: Frame, op: OpName, { elem, width }: Type, a: Ref, b: Ref): Ref {
  const [x, y] = [f.onceVector(a), f.onceVector(b)];
  const spell = scalarOps[elem][op];
  if (spell === null) return f.refuse(`${op} of ${elem}`);
  const { i32x4 } = f.m;
  let all = x();
  for (
    let i = 0;
    i < Math.min(4, width);
    i += 1 // lanes past the width may be divisors of zero
  )
    all = i32x4.replace_lane(all, i, spell(f, i32x4.extract_lane(x(), i), i32x4.extract_lane(y(), i), 0));
  return all;
}

/** All lanes by the same number of bits. */
export const shifted = ({ m }: Frame, op: "shl" | "shr", elem: Elem, a: Ref, by: Ref): Ref =>
  op === "shl" ? m.i32x4.shl(a, by) : elem === "i32" ? m.i32x4.shr_s(a, by) : m.i32x4.shr_u(a, by);

export const splatI32 = ({ m }: Frame, x: number): Ref => m.i32x4.splat(m.i32.const(x));

export function splatScalar(f: Frame, elem: Elem, value: Ref): Ref {
  const { m } = f;
  switch (elem) {
    case "i64":
      return f.refuse("a vector of i64");
    case "f32":
      return m.f32x4.splat(value);
    case "i32":
    case "u32":
      return m.i32x4.splat(value);
    case "bool":
      return m.i32x4.splat(m.i32.sub(m.i32.const(0), value));
    case "i16":
    case "f16":
    case "bf16":
      return m.i16x8.splat(value);
    case "i8":
      return m.i8x16.splat(value);
    default:
      return elem satisfies never;
  }
}

export function extractLane(f: Frame, elem: Elem, parts: Parts, lane: number): Ref {
  const { m } = f;
  const perPart = lanesPerPart(elem);
  const part = parts[Math.floor(lane / perPart)] ?? 0;
  const at = lane % perPart;
  switch (elem) {
    case "i64":
      return f.refuse("a vector of i64");
    case "f32":
      return m.f32x4.extract_lane(part, at);
    case "i32":
    case "u32":
      return m.i32x4.extract_lane(part, at);
    case "bool":
      return m.i32.and(m.i32x4.extract_lane(part, at), m.i32.const(1));
    case "i16":
      return m.i16x8.extract_lane_s(part, at);
    case "f16":
    case "bf16":
      return m.i16x8.extract_lane_u(part, at);
    case "i8":
      return m.i8x16.extract_lane_s(part, at);
    default:
      return elem satisfies never;
  }
}

/** The first `bytes` bytes of a register, again and again. */
export function repeated(f: Frame, part: Ref, bytes: number): Ref {
  if (bytes === 16) return part;
  const v = f.onceVector(part);
  return f.m.i8x16.shuffle(
    v(),
    v(),
    Array.from({ length: 16 }, (_, i) => i % bytes),
  );
}

/** Reduction of f32 or i32 lanes: parts first, then the halves of one register. */
export function foldLanes(f: Frame, monoid: Monoid, type: Type, parts: Parts): Ref {
  const merge = (a: Ref, b: Ref): Ref =>
    vectorOp(f, monoids[monoid].op, type, [a, b]) ?? f.refuse(`fold of ${type.elem}`);
  const [first = 0, ...rest] = parts;
  let all = rest.reduce(merge, first);
  for (let half = (Math.min(4, type.width) / 2) * elems[type.elem].bytes; half >= 4; half /= 2) {
    const v = f.onceVector(all);
    const moved = f.m.i8x16.shuffle(
      v(),
      v(),
      Array.from({ length: 16 }, (_, i) => (i + half) % 16),
    );
    all = merge(v(), moved);
  }
  return extractLane(f, type.elem, [all], 0);
}

/** Sums of `group` products each, for one part: 8 products of i16 in pairs, or 16 of i8 in fours. */
export function dotProducts(f: Frame, group: number, a: Ref, b: Ref): Ref {
  const { i8x16, i16x8, i32x4 } = f.m;
  if (group === 2) return i32x4.dot_i16x8_s(a, b);
  const [x, y] = [f.onceVector(a), f.onceVector(b)];
  const low = f.onceVector(i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(x()), i16x8.extend_low_i8x16_s(y())));
  const high = f.onceVector(i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(x()), i16x8.extend_high_i8x16_s(y())));
  const every2nd = (from: number): number[] => Array.from({ length: 16 }, (_, i) => from + i + 4 * Math.floor(i / 4));
  return i32x4.add(i8x16.shuffle(low(), high(), every2nd(0)), i8x16.shuffle(low(), high(), every2nd(4)));
}
