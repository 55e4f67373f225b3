/** Operations on scalars. Null is what operands of the elem do not have, and what lowering writes out. */
import type { Elem } from "../../compiler/kernel/elem.ts";
import type { OpName, Transcendental } from "../../compiler/kernel/ops.ts";
import type { Ref } from "./binaryen.ts";
import type { Frame } from "./frame.ts";

export type Spell = (f: Frame, a: Ref, b: Ref, c: Ref) => Ref;
export type Spelling = { readonly [K in OpName]: Spell | null };

/** Lowering writes these out. */
const unsaid: Readonly<Record<Transcendental, null>> = {
  exp: null,
  log: null,
  log1p: null,
  pow: null,
  sin: null,
  cos: null,
  tanh: null,
  erf: null,
};
const select: Spell = ({ m }, c, a, b) => m.select(c, a, b);
const nothing: Spelling = {
  or: null,
  and: null,
  eq: null,
  lt: null,
  le: null,
  xor: null,
  shl: null,
  shr: null,
  add: null,
  sub: null,
  mul: null,
  div: null,
  mod: null,
  min: null,
  max: null,
  fma: null,
  rounded: null,
  select,
  not: null,
  neg: null,
  abs: null,
  floor: null,
  ceil: null,
  sqrt: null,
  rsqrt: null,
  ...unsaid,
};

const floats: Spelling = {
  ...nothing,
  eq: ({ m }, a, b) => m.f32.eq(a, b),
  lt: ({ m }, a, b) => m.f32.lt(a, b),
  le: ({ m }, a, b) => m.f32.le(a, b),
  add: ({ m }, a, b) => m.f32.add(a, b),
  sub: ({ m }, a, b) => m.f32.sub(a, b),
  mul: ({ m }, a, b) => m.f32.mul(a, b),
  div: ({ m }, a, b) => m.f32.div(a, b),
  min: ({ m }, a, b) => m.f32.min(a, b),
  max: ({ m }, a, b) => m.f32.max(a, b),
  fma: ({ m }, a, b, c) => m.f32.add(m.f32.mul(a, b), c),
  neg: ({ m }, a) => m.f32.neg(a),
  abs: ({ m }, a) => m.f32.abs(a),
  rounded: (_, a) => a,
  floor: ({ m }, a) => m.f32.floor(a),
  ceil: ({ m }, a) => m.f32.ceil(a),
  sqrt: ({ m }, a) => m.f32.sqrt(a),
  rsqrt: ({ m }, a) => m.f32.div(m.f32.const(1), m.f32.sqrt(a)),
};

const bits: Spelling = {
  ...nothing,
  or: ({ m }, a, b) => m.i32.or(a, b),
  and: ({ m }, a, b) => m.i32.and(a, b),
};
const bools: Spelling = { ...bits, not: ({ m }, a) => m.i32.eqz(a) };
const integers: Spelling = {
  ...bits,
  xor: ({ m }, a, b) => m.i32.xor(a, b),
  eq: ({ m }, a, b) => m.i32.eq(a, b),
  shl: ({ m }, a, b) => m.i32.shl(a, b),
  add: ({ m }, a, b) => m.i32.add(a, b),
  sub: ({ m }, a, b) => m.i32.sub(a, b),
  mul: ({ m }, a, b) => m.i32.mul(a, b),
};

type Test = (f: Frame, a: Ref, b: Ref) => Ref;
/** The first where the test holds. */
const picked =
  (test: Test): Spell =>
  (f, a, b) => {
    const [x, y] = [f.onceI32(a), f.onceI32(b)];
    return f.m.select(test(f, x(), y()), x(), y());
  };

/** i32.div_s traps for -2^31 / -1, which wraps in the IR; a divisor that is constant cannot be that one. */
function divided(f: Frame, a: Ref, b: Ref): Ref {
  const { m, wasm } = f;
  const constant = wasm.getExpressionId(b) === wasm.ConstId ? wasm.getExpressionInfo(b) : null;
  if (constant !== null && "value" in constant && constant.value !== -1) return m.i32.div_s(a, b);
  const [x, y] = [f.onceI32(a), f.onceI32(b)];
  const negated = m.i32.sub(m.i32.const(0), x());
  return m.if(m.i32.eq(y(), m.i32.const(-1)), negated, m.i32.div_s(x(), y()));
}

const signed: Spelling = {
  ...integers,
  lt: ({ m }, a, b) => m.i32.lt_s(a, b),
  le: ({ m }, a, b) => m.i32.le_s(a, b),
  shr: ({ m }, a, b) => m.i32.shr_s(a, b),
  div: divided,
  mod: ({ m }, a, b) => m.i32.rem_s(a, b),
  min: picked(({ m }, a, b) => m.i32.lt_s(a, b)),
  max: picked(({ m }, a, b) => m.i32.gt_s(a, b)),
  neg: ({ m }, a) => m.i32.sub(m.i32.const(0), a),
};
/** i64.div_s traps for -2^63 / -1, which wraps in the IR. */
function dividedWide(f: Frame, a: Ref, b: Ref): Ref {
  const { i64 } = f.m;
  const [x, y] = [f.onceI64(a), f.onceI64(b)];
  return f.m.if(i64.eq(y(), i64.const(-1n)), i64.sub(i64.const(0n), x()), i64.div_s(x(), y()));
}
const pickedWide =
  (test: Test): Spell =>
  (f, a, b) => {
    const [x, y] = [f.onceI64(a), f.onceI64(b)];
    return f.m.select(test(f, x(), y()), x(), y());
  };
const wide: Spelling = {
  ...nothing,
  or: ({ m }, a, b) => m.i64.or(a, b),
  and: ({ m }, a, b) => m.i64.and(a, b),
  xor: ({ m }, a, b) => m.i64.xor(a, b),
  eq: ({ m }, a, b) => m.i64.eq(a, b),
  lt: ({ m }, a, b) => m.i64.lt_s(a, b),
  le: ({ m }, a, b) => m.i64.le_s(a, b),
  shl: ({ m }, a, b) => m.i64.shl(a, b),
  shr: ({ m }, a, b) => m.i64.shr_s(a, b),
  add: ({ m }, a, b) => m.i64.add(a, b),
  sub: ({ m }, a, b) => m.i64.sub(a, b),
  mul: ({ m }, a, b) => m.i64.mul(a, b),
  div: dividedWide,
  mod: ({ m }, a, b) => m.i64.rem_s(a, b),
  min: pickedWide(({ m }, a, b) => m.i64.lt_s(a, b)),
  max: pickedWide(({ m }, a, b) => m.i64.gt_s(a, b)),
  neg: ({ m }, a) => m.i64.sub(m.i64.const(0n), a),
};
const unsigned: Spelling = {
  ...integers,
  lt: ({ m }, a, b) => m.i32.lt_u(a, b),
  le: ({ m }, a, b) => m.i32.le_u(a, b),
  shr: ({ m }, a, b) => m.i32.shr_u(a, b),
  div: ({ m }, a, b) => m.i32.div_u(a, b),
  mod: ({ m }, a, b) => m.i32.rem_u(a, b),
  min: picked(({ m }, a, b) => m.i32.lt_u(a, b)),
  max: picked(({ m }, a, b) => m.i32.gt_u(a, b)),
};

/** By the elem of the operands; of the last two for `select`. */
export const scalarOps: Readonly<Record<Elem, Spelling>> = {
  bool: bools,
  i8: nothing,
  i16: nothing,
  i32: signed,
  i64: wide,
  u32: unsigned,
  f16: nothing,
  bf16: nothing,
  f32: floats,
};
