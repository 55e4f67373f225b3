/**
 * Kernels of one operation, conversion, load or store each, of every width, that a backend says bit for bit as the interpreter. What the IR
 * leaves open is left out.
 */
import { at, type BufferSpec, kernel, type Memory } from "../../compiler/kernel/build.ts";
import { type Elem, elems, isElem, typeOf, widths } from "../../compiler/kernel/elem.ts";
import {
  add,
  bitcast,
  constant,
  convert,
  dot,
  extract,
  fold,
  mul,
  name,
  op,
  select,
  splat,
} from "../../compiler/kernel/expr.ts";
import type { Data } from "../../compiler/kernel/interpret.ts";
import type { Expr, Kernel } from "../../compiler/kernel/kernel.ts";
import { isTranscendental, type OpName, opNames, ops } from "../../compiler/kernel/ops.ts";
import { random, specials, stored } from "./data.ts";

const count = 64;
/** Those of vectors. */
type Lanes = Exclude<Elem, "i64">;
const elemNames = Object.keys(elems).filter((e): e is Lanes => isElem(e) && e !== "i64");

/** Numbers where an elem goes wrong first, then some from its whole range. */
function numbers(elem: Lanes, seed: number): readonly number[] {
  const next = random(seed);
  const whole = (bits: number): number => Math.round(next() * 2 ** (bits - 1) - 0.5);
  const make: Readonly<Record<Lanes, { readonly first: readonly number[]; readonly rest: () => number }>> = {
    bool: { first: [], rest: () => (next() < 0 ? 0 : 1) },
    i8: { first: [-128, 127, 0, -1], rest: () => whole(8) },
    i16: { first: [-32768, 32767, 0, -1, 255], rest: () => whole(16) },
    i32: { first: [-0x80000000, 0x7fffffff, 0, -1, 1], rest: () => whole(32) },
    u32: { first: [0xffffffff, 0x80000000, 0], rest: () => whole(32) >>> 0 },
    f16: { first: [...specials, 65504, 2 ** -24, -(2 ** -14), 1000.5], rest: () => next() * 100 },
    bf16: { first: [...specials, 2 ** -133], rest: () => next() * 100 },
    f32: {
      first: [...specials, 65519.99, 65520, 2 ** -25, 2 ** -14 - 2 ** -26, 1.00390625, 3.39e38, 300.5, 3e9, -3e9],
      rest: () => Math.fround(next() * 2 ** Math.round(next() * 20)),
    },
  };
  const { first, rest } = make[elem];
  const shift = first.length === 0 ? 0 : seed % first.length; // different pairs from different seeds
  const turned = [...first.slice(shift), ...first.slice(0, shift)];
  return Array.from({ length: count }, (_, i) => turned[i] ?? rest());
}

export interface OperationCase {
  readonly kernel: Kernel;
  readonly inputs: Readonly<Record<string, Data>>;
}
/** y[i] = value(a[i], b[i]) for vectors of a width. What has another width than that is repeated to it. */
function mapped(
  n: string,
  { from, to, width }: { readonly from: readonly Lanes[]; readonly to: Elem; readonly width: number },
  value: (x: readonly Expr[]) => Expr,
  data: (elem: Lanes, i: number) => readonly number[] = (elem, i) => numbers(elem, 7 * i + 1),
): OperationCase {
  const buffers: Record<string, BufferSpec> = {};
  for (const [i, elem] of from.entries()) buffers[`x${i}`] = { elem, extent: count };
  buffers["y"] = { elem: to, extent: count, access: "write" };
  const made = kernel({ name: n, source: "", lanes: 1, sizes: {}, buffers, grid: { g: 4 } }, (b, memory) => {
    const [inputs, y]: [Memory[], Memory] = [from.map((_, i) => memory(`x${i}`)), memory("y")];
    b.loop("k", { from: 0, to: 16, step: width }, (k) => {
      const i = add(mul(name("g"), 16), k);
      const result = value(inputs.map((m) => b.let("v", at(m, i, width))));
      b.store(y, i, splat(result, width));
    });
  });
  return { kernel: made, inputs: Object.fromEntries(from.map((e, i) => [`x${i}`, stored(e, data(e, i))])) };
}

/** 1/√x has two ulp of freedom; some are written out; which of -0 and 0, nan and number is least is free. */
const isFree = (o: OpName, elem: Lanes): boolean =>
  o === "rsqrt" || isTranscendental(o) || (elem === "f32" && (o === "min" || o === "max"));
const operands = (o: string, elem: Lanes, i: number): readonly number[] => {
  const all = numbers(elem, 7 * i + 1);
  if (i === 0 || elem === "f32") return all;
  if (o === "shl" || o === "shr") return all.map((x) => Math.abs(x) % 32);
  return o === "div" || o === "mod" ? all.map((x) => (x === 0 ? 3 : x)) : all;
};

const computing = ["bool", "i32", "u32", "f32"] as const;
const operationsOn = (elem: (typeof computing)[number]): readonly OperationCase[] =>
  widths.flatMap((width) =>
    opNames
      .filter((o) => elem in ops[o].on && !isFree(o, elem))
      .map((o) => {
        const from = Array.from({ length: ops[o].arity }, (_, i) => (o === "select" && i === 0 ? "bool" : elem));
        const { compares } = ops[o];
        const value = (x: readonly Expr[]): Expr => op(o, ...x);
        const to = compares ? "bool" : elem;
        return mapped(`k_${o}_${width}`, { from, to, width }, value, (e, i) => operands(o, e, i));
      }),
  );

/** Shifts of all lanes by one number, division by a constant, and the least that wraps. */
function uniformOperands(): readonly OperationCase[] {
  const one = (width: number): readonly OperationCase[] => {
    const f = { from: ["i32"], to: "i32", width } as const;
    return [
      mapped(`left_${width}`, f, ([x]) => op("shl", x ?? 0, 5)),
      mapped(`right_${width}`, f, ([x]) => op("shr", x ?? 0, splat(name("k"), width))),
      mapped(`by7_${width}`, f, ([x]) => op("div", x ?? 0, 7)),
      mapped(`byminus1_${width}`, f, ([x]) => op("div", x ?? 0, -1)),
      mapped(`modminus1_${width}`, f, ([x]) => op("mod", x ?? 0, -1)),
    ];
  };
  return widths.flatMap(one);
}

const isSaid = (from: Lanes, to: Elem): boolean =>
  from !== "bool" && to !== "bool" && !(to === "bf16" && (from === "i32" || from === "u32"));
/** After a load and of a value. */
const conversionsFrom = (from: Lanes): readonly OperationCase[] =>
  widths.flatMap((width) =>
    elemNames
      .filter((to) => isSaid(from, to))
      .flatMap((to) => [
        mapped(`direct_${to}_${width}`, { from: [from], to, width }, ([x]) => convert(x ?? add(0), to)),
        fusedConversion(`fused_${to}_${width}`, from, to, width),
      ]),
  );
/** Repeated and single lanes, and constants. */
const copiesOf = (from: Lanes): readonly OperationCase[] =>
  widths.flatMap((width) => [
    mapped(`copy_${width}`, { from: [from], to: from, width }, ([x]) => x ?? add(0)),
    ...[0, 1, width - 1]
      .filter((lane, i, lanes) => lane < width && lanes.indexOf(lane) === i)
      .map((lane) =>
        mapped(`lane_${width}_${lane}`, { from: [from], to: from, width }, ([x]) => extract(x ?? add(0), lane)),
      ),
    mapped(`constant_${width}`, { from: [from], to: from, width }, () => constant(1, typeOf(from, width))),
    ...widths.filter((w) => w < width).flatMap((w) => [repeats(from, w, width, false), repeats(from, w, width, true)]),
  ]);

/** The conversion stands around the load. */
function fusedConversion(n: string, from: Lanes, to: Elem, width: number): OperationCase {
  const buffers = { x0: { elem: from, extent: count }, y: { elem: to, extent: count, access: "write" } } as const;
  const made = kernel({ name: n, source: "", lanes: 1, sizes: {}, buffers, grid: { g: 4 } }, (b, memory) => {
    b.loop("k", { from: 0, to: 16, step: width }, (k) => {
      const i = add(mul(name("g"), 16), k);
      b.store(memory("y"), i, convert(at(memory("x0"), i, width), to));
    });
  });
  return { kernel: made, inputs: { x0: stored(from, numbers(from, 1)) } };
}

/** The first `narrow` elements of each item, repeated to `width`; the splat stands around the load or around a value. */
function repeats(elem: Lanes, narrow: number, width: number, held: boolean): OperationCase {
  const buffers = { x0: { elem, extent: count }, y: { elem, extent: count, access: "write" } } as const;
  const n = `repeats_${narrow}_${width}_${held ? "held" : "loaded"}`;
  const made = kernel({ name: n, source: "", lanes: 1, sizes: {}, buffers, grid: { g: 4 } }, (b, memory) => {
    const first = mul(name("g"), 16);
    const loaded = at(memory("x0"), first, narrow);
    const x = held ? b.let("v", loaded) : loaded;
    b.loop("k", { from: 0, to: 16, step: width }, (k) => b.store(memory("y"), add(first, k), splat(x, width)));
  });
  return { kernel: made, inputs: { x0: stored(elem, numbers(elem, 1)) } };
}

/** Bits of f32, i32 and u32. */
function reinterpretations(): readonly OperationCase[] {
  const bits = ["f32", "i32", "u32"] as const;
  const finite = (elem: Lanes): readonly number[] => numbers(elem, 1).map((x) => (Number.isNaN(x) ? 1 : x));
  return widths.flatMap((width) =>
    bits.flatMap((from) =>
      bits.map((to) => {
        // The numbers of an integer are bits of denormals and nans too: as f32 they are compared as what they give by bits.
        const back = to === "f32" ? from : to;
        const value = ([x]: readonly Expr[]): Expr => {
          const as = bitcast(x ?? add(0), to);
          return to === "f32" && from !== "f32" ? bitcast(select(op("eq", as, as), as, 0), from) : as;
        };
        return mapped(`bits_${from}_${to}_${width}`, { from: [from], to: back, width }, value, finite);
      }),
    ),
  );
}

/** In any order that is exact. */
function folds(): readonly OperationCase[] {
  const small = (elem: Lanes): readonly number[] => numbers(elem, 5).map((x) => Math.round(x % 50) || 0);
  return widths
    .filter((w) => w > 1)
    .flatMap((width) =>
      (["sum", "max", "min"] as const).flatMap((m) =>
        (["f32", "i32"] as const).map((elem) =>
          mapped(
            `fold_${m}_${elem}_${width}`,
            { from: [elem], to: elem, width },
            ([x]) => fold(m, x ?? add(0)),
            () => small("i32"),
          ),
        ),
      ),
    );
}

function dots(group: number): readonly OperationCase[] {
  const elem = group === 2 ? "i16" : "i8";
  return widths
    .filter((w) => w * group <= 16)
    .map((width) => {
      const buffers = {
        a: { elem, extent: count },
        b: { elem, extent: count },
        y: { elem: "i32", extent: count, access: "write" },
      } as const;
      const n = `dot_${group}_${width}`;
      const made = kernel({ name: n, source: "", lanes: 1, sizes: {}, buffers, grid: { g: 4 } }, (b, memory) => {
        const i = mul(name("g"), 16);
        const [x, y] = [at(memory("a"), i, width * group), at(memory("b"), i, width * group)];
        const acc = constant(-5, typeOf("i32", width));
        b.store(memory("y"), i, dot({ a: x, b: y, acc, group, b7: false }));
      });
      return { kernel: made, inputs: { a: stored(elem, numbers(elem, 1)), b: stored(elem, numbers(elem, 2)) } };
    });
}

/** By what they are about. */
export const operationCases: Readonly<Record<string, () => readonly OperationCase[]>> = {
  ...Object.fromEntries(computing.map((elem) => [`operations on ${elem}`, () => operationsOn(elem)])),
  "shifts by one number, and division by a constant": uniformOperands,
  ...Object.fromEntries(elemNames.map((elem) => [`conversions from ${elem}`, () => conversionsFrom(elem)])),
  ...Object.fromEntries(elemNames.map((elem) => [`copies of ${elem}`, () => copiesOf(elem)])),
  "bits of f32, i32 and u32": reinterpretations,
  "folds and dots": () => [...folds(), ...[2, 4].flatMap(dots)],
};
