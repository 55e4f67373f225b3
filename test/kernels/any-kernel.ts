/** Random kernels: every kind of node, types as the parser infers them, no other sense. */
import * as fc from "fast-check";
import { type Elem, i64, typeOf, widths } from "../../compiler/kernel/elem.ts";
import { resultType } from "../../compiler/kernel/expr.ts";
import type { Expr, Kernel, Stmt } from "../../compiler/kernel/kernel.ts";
import { reduceWays } from "../../compiler/kernel/kernel.ts";
import { isMonoid, monoids, opNames, ops } from "../../compiler/kernel/ops.ts";

const elem: fc.Arbitrary<Elem> = fc.constantFrom("bool", "i8", "i16", "i32", "u32", "f16", "bf16", "f32");
const type = fc.record({ elem, width: fc.constantFrom(...widths) });
const whole = fc.nat(1000);
const monoid = fc.constantFrom(...Object.keys(monoids).filter(isMonoid));
const from = fc.constantFrom(
  { name: "x", elem: "f32" as const, width: 1 },
  { name: "w", elem: "i8" as const, width: 1 },
  { name: "acc", elem: "f32" as const, width: 4 },
);
const number = fc.oneof(fc.integer({ min: -300, max: 300 }), fc.float().map(Math.fround));

const constant: fc.Arbitrary<Expr> = fc.oneof(
  fc.record({ kind: fc.constant("const"), type, value: number }),
  fc.record({ kind: fc.constant("const"), type, value: whole, step: fc.integer({ min: -5, max: 5 }) }),
  fc.record({
    kind: fc.constant("wide"),
    type: fc.constant(i64),
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }),
  }),
);
const leaf = fc.oneof(
  constant,
  fc.constantFrom<Expr>(
    { kind: "name", type: typeOf("i32"), name: "lane" },
    { kind: "name", type: typeOf("i32"), name: "N" },
    { kind: "name", type: typeOf("i32"), name: "g" },
  ),
);
const expr: fc.Arbitrary<Expr> = fc.letrec<{ e: Expr }>((tie) => ({
  e: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.tuple(fc.constantFrom(...opNames), tie("e"), tie("e"), tie("e")).map(([op, a, b, c]): Expr => {
      const args = [a, b, c].slice(0, ops[op].arity);
      return { kind: "op", type: resultType(op, args), op, args };
    }),
    fc
      .tuple(fc.constantFrom("convert" as const, "bitcast" as const), elem, tie("e"))
      .map(([kind, to, arg]): Expr => ({ kind, type: typeOf(to, arg.type.width), arg })),
    fc
      .tuple(fc.constantFrom(...widths), tie("e"))
      .map(([width, arg]): Expr => ({ kind: "splat", type: typeOf(arg.type.elem, width), arg })),
    fc
      .tuple(fc.nat(15), tie("e"))
      .map(([lane, arg]): Expr => ({ kind: "extract", type: typeOf(arg.type.elem), arg, lane })),
    fc.tuple(monoid, tie("e")).map(([m, arg]): Expr => ({ kind: "fold", type: typeOf(arg.type.elem), monoid: m, arg })),
    fc.tuple(from, fc.constantFrom(...widths), tie("e"), fc.option(tie("e"))).map(([m, width, index, piece]): Expr => {
      const t = typeOf(m.elem, m.width > 1 && width === 1 ? m.width : width); // a width of 1 is not written
      return { kind: "load", type: t, from: m.name, index, ...(piece === null ? {} : { piece }) };
    }),
    fc
      .tuple(tie("e"), tie("e"), tie("e"), fc.constantFrom(2, 4), fc.boolean())
      .map(([a, b, acc, group, b7]): Expr => ({ kind: "dot", type: acc.type, a, b, acc, group, b7 })),
  ),
})).e;

const body: fc.Arbitrary<readonly Stmt[]> = fc.letrec<{ s: Stmt; body: Stmt[] }>((tie) => ({
  body: fc.array(tie("s"), { maxLength: 4 }),
  s: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Stmt>({ kind: "barrier" }, { kind: "comment", text: "" }, { kind: "comment", text: " why * //" }),
    fc.record({ kind: fc.constant("let"), name: fc.constant("a1"), value: expr }),
    fc.record({ kind: fc.constant("reg"), name: fc.constant("r1"), type, size: whole }),
    fc.record({ kind: fc.constant("store"), to: fc.constantFrom("y", "acc"), index: expr, value: expr }),
    fc.record({
      kind: fc.constant("loop"),
      mode: fc.constantFrom("serial", "unrolled"),
      name: fc.constant("k"),
      from: expr,
      to: expr,
      step: whole,
      body: tie("body"),
    }),
    fc.record({ kind: fc.constant("if"), cond: expr, body: tie("body") }),
    fc.record({
      kind: fc.constant("reduce"),
      name: fc.constant("m1"),
      monoid,
      value: expr,
      width: whole,
      how: fc.constantFrom(...reduceWays),
    }),
    fc.record({
      kind: fc.constant("frag"),
      name: fc.constant("fa"),
      role: fc.constantFrom("a", "b", "d"),
      elem,
      count: whole,
      rows: whole,
      columns: whole,
    }),
    fc.record({
      kind: fc.constantFrom("frag_load", "frag_store"),
      frag: fc.constant("fa"),
      at: expr,
      memory: fc.constant("x"),
      index: expr,
      stride: expr,
    }),
    fc
      .tuple(expr, expr, expr)
      .map(([dAt, aAt, bAt]): Stmt => ({ kind: "mma", d: "fd", dAt, a: "fa", aAt, b: "fb", bAt })),
  ),
})).body;

const extent = fc.constantFrom<Expr>(
  { kind: "const", type: typeOf("i32"), value: 64 },
  { kind: "name", type: typeOf("i32"), name: "N" },
);
export const anyKernel: fc.Arbitrary<Kernel> = fc
  .record({
    expr: extent,
    body,
    source: fc.string(),
    lanes: whole,
    multiple: fc.integer({ min: 1, max: 64 }),
    minimum: whole,
    pieces: fc.option(extent),
  })
  .map((r) => ({
    name: "k",
    source: r.source,
    sizes: [{ name: "N", multiple: r.multiple, minimum: r.minimum }],
    buffers: [
      {
        name: "x",
        elem: "f32",
        extent: r.expr,
        ...(r.pieces === null ? {} : { pieces: r.pieces }),
        access: "read",
        layout: "rows",
      },
      { name: "w", elem: "i8", extent: r.expr, access: "write", layout: "panel4x2" },
      { name: "u", elem: "f16", extent: r.expr, access: "both", layout: "rows" },
    ],
    grid: [{ name: "g", extent: r.expr }],
    lanes: r.lanes,
    shared: [{ name: "p", elem: "bf16", size: 7 }],
    body: [{ kind: "reg", name: "acc", type: typeOf("f32", 4), size: 2 }, ...r.body],
  }));
