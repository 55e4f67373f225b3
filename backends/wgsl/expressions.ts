/** Expressions of the IR as WGSL. */
import { type Type, typeName } from "../../compiler/kernel/elem.ts";
import { name } from "../../compiler/kernel/expr.ts";
import type { Expr } from "../../compiler/kernel/kernel.ts";
import { writtenOut } from "../../compiler/kernel/lower/transcendentals.ts";
import { isTranscendental, type Monoid, monoids, type Transcendental } from "../../compiler/kernel/ops.ts";
import { argument, infix, operand, type Spelling } from "../c-like/infix.ts";
import { fn } from "./codes.ts";
import { converted } from "./conversions.ts";
import { bitsLiteral, floatLiteral } from "./literals.ts";
import { divided, type WgslMemory } from "./memory.ts";
import { loadsMerged, split } from "./merged.ts";
import { calledAs, signOf } from "./ops.ts";
import type { Prelude } from "./prelude.ts";
import { valueType, vector } from "./types.ts";
import type { WgslVariant } from "./variant.ts";
import { dotProducts, folded, lanesOntoSum, picked, repeated } from "./vectors.ts";
import { wideOp } from "./wide.ts";

type Of<K extends Expr["kind"]> = Extract<Expr, { kind: K }>;

export interface Scope {
  readonly prelude: Prelude;
  readonly variant: WgslVariant;
  readonly refuse: (why: string) => never;
  /** What a name of the IR is called. */
  readonly named: (name: string) => string;
  /** Null of registers. */
  readonly memory: (name: string) => WgslMemory | null;
  /** Where element `index` of a memory is in what it is declared as, with its piece. */
  readonly place: (memory: string, index: Expr, piece: Expr | undefined) => Expr;
  readonly register: (name: string, index: Expr) => string;
  /** An i32 that is 0, which no compiler knows. */
  readonly zero: () => string;
}

export class Expressions {
  readonly #s: Scope;
  readonly #spelling: Spelling;
  constructor(s: Scope) {
    this.#s = s;
    this.#spelling = {
      expr: (e) => this.expr(e),
      // A shift counts in u32, and an i64 has functions for all.
      sign: (e) => (e.args.at(-1)?.type.elem === "i64" ? null : signOf(e.op)),
    };
  }

  type(t: Type): string {
    return valueType(t, this.#s.variant) ?? this.#s.refuse(`a value of ${typeName(t)}`);
  }
  #argument = (e: Expr): string => argument(e, this.#spelling);
  #operand = (e: Expr): string => operand(e, this.#spelling);

  expr(e: Expr): string {
    const { prelude, variant, refuse } = this.#s;
    this.type(e.type); // whatever it is made of, there is such a value
    switch (e.kind) {
      case "const":
        return this.#constant(e);
      case "wide": {
        const bits = BigInt.asUintN(64, e.value);
        return `vec2u(${bits & 0xffffffffn}u, ${bits >> 32n}u)`;
      }
      case "name":
        return this.#s.named(e.name);
      case "op":
        return this.#op(e);
      case "convert":
        return converted({ prelude, variant, refuse }, e.arg.type, e.type.elem, this.#operand(e.arg));
      case "bitcast":
        return `bitcast<${this.type(e.type)}>(${this.expr(e.arg)})`;
      case "splat":
        return repeated(prelude, e.arg.type, e.type.width, this.#operand(e.arg), variant);
      case "extract":
        return picked(e.arg.type, e.lane, this.#operand(e.arg), variant);
      case "fold":
        return folded(prelude, e.monoid, e.arg.type, this.expr(e.arg));
      case "load": {
        const memory = this.#s.memory(e.from);
        if (memory === null) return this.#s.register(e.from, e.index);
        return memory.load(e.type, ...this.#places(e.from, e.index, e.piece));
      }
      case "dot": {
        const products = dotProducts(prelude, e.group, e.type.width, [this.expr(e.a), this.expr(e.b)], variant);
        return e.acc.kind === "const" && e.acc.value === 0 ? products : `(${products} + ${this.#operand(e.acc)})`;
      }
      default:
        return e satisfies never;
    }
  }

  /** A statement. */
  store(to: string, index: Expr, value: Expr): string {
    const memory = this.#s.memory(to) ?? this.#s.refuse(`there is no memory ${to}`);
    const [at, over] = this.#places(to, index, undefined);
    const variable = memory.variable(value.type, over);
    if (variable !== null) return this.assigned(variable, value);
    return memory.store(value.type, { at, over }, this.expr(value));
  }

  /** Where an element is in what its memory is declared as: in elems, and in elements of so many. Numbers stay behind a division. */
  #places(memory: string, index: Expr, piece: Expr | undefined): readonly [string, (by: number) => string] {
    const at = this.expr(this.#s.place(memory, index, piece));
    const { base, constant } = split(index);
    const over = (by: number): string => {
      if (by === 1 || base === null || constant % by !== 0) return divided(at, by);
      const rest = this.#s.place(memory, base, piece);
      const text = isTimes(rest, by) ? this.expr(rest.args[0]) : divided(this.expr(rest), by);
      return constant === 0 ? text : `${/^\w+$/.test(text) ? text : `(${text})`} + ${constant / by}`;
    };
    return [at, over];
  }

  /** A statement. `variable`: a register or an element of memory. */
  assigned(variable: string, value: Expr): string {
    const [own, more]: readonly (Expr | undefined)[] = value.kind === "op" && value.op === "add" ? value.args : [];
    const adds = own?.kind === "load" && more !== undefined && value.type.elem !== "i64" && this.expr(own) === variable;
    return adds ? `${variable} += ${this.expr(more)};` : `${variable} = ${this.expr(value)};`;
  }

  /** Of as many lanes of a subgroup that are side by side, in each of them. */
  overLanes(monoid: Monoid, lanes: number, value: Expr): string {
    const type = this.type(value.type);
    const { op } = monoids[monoid];
    const merged = (other: string): string => (op === "add" ? `merged + ${other}` : `${op}(merged, ${other})`);
    const name = this.#s.prelude.fn(`${monoid}_of_${lanes}_lanes_${typeName(value.type)}`, (n) => {
      const lines = ["var merged = x;"];
      for (let apart = lanes / 2; apart >= 1; apart /= 2)
        lines.push(`merged = ${merged(`subgroupShuffleXor(merged, ${apart}u)`)};`);
      return fn(`${n}(x: ${type}) -> ${type}`, [...lines, "return merged;"]);
    });
    return `${name}(${this.expr(value)})`;
  }

  #op(e: Of<"op">): string {
    const { prelude, refuse } = this.#s;
    const [a, b, c] = e.args;
    const of = e.args.at(-1)?.type;
    if (a === undefined || of === undefined) return refuse(`${e.op} of nothing`);
    if (of.elem === "i64") {
      const args = e.args.map((x) => this.expr(x));
      const order = e.op === "select" ? [args[1] ?? "", args[2] ?? "", args[0] ?? ""] : args;
      return wideOp(prelude, e.op, order) ?? refuse(`${e.op} of i64`);
    }
    if ((e.op === "shl" || e.op === "shr") && b !== undefined) return this.#shift(e, a, b);
    const several = this.#several(e);
    if (several !== null) return several;
    if (signOf(e.op) !== null) return infix(e, this.#spelling);
    if (e.op === "neg") return `(-${this.#operand(a)})`;
    if (e.op === "not") return `!${this.#operand(a)}`;
    if (e.op === "rounded") return this.#rounded(a);
    if (e.op === "fma") {
      const lanes = lanesOntoSum(e);
      if (lanes !== null) return this.#ontoSum(lanes.a, lanes.b, lanes.c);
    }
    if (e.op === "select" && b !== undefined && c !== undefined)
      return `select(${[c, b, a].map(this.#argument).join(", ")})`;
    const name = isTranscendental(e.op) ? this.#function(e.op, e.args) : calledAs(e.op);
    return `${name}(${e.args.map(this.#argument).join(", ")})`;
  }

  #shift(e: Of<"op">, a: Expr, b: Expr): string {
    const sign = signOf(e.op) ?? "";
    if (b.kind === "const" && b.step === undefined) {
      const by = `${b.value}u`;
      return `${this.#operand(a)} ${sign} ${b.type.width === 1 ? by : `${vector("u32", b.type.width)}(${by})`}`;
    }
    const by = b.type.elem === "u32" ? this.#operand(b) : `${vector("u32", b.type.width)}(${this.expr(b)})`;
    return `${this.#operand(a)} ${sign} ${by}`;
  }

  /** Elements of one memory at equal distances, merged one after the other; null of anything else, and of few. */
  #several(e: Of<"op">): string | null {
    const chain = loadsMerged(e);
    const memory = chain === null ? null : this.#s.memory(chain.from);
    if (chain === null || memory === null || memory.perValue(e.type) === null) return null;
    const { from, index, step, count } = chain;
    const of = (i: number): string => memory.load(e.type, i === 0 ? "at" : `at + ${i === 1 ? "" : `${i} * `}apart`);
    const name = this.#s.prelude.fn(`${e.op}_${count}_of_${from}`, (n) => {
      const others = Array.from({ length: count - 1 }, (_, i) => of(i + 1));
      const merged = others.reduce((a, b) => (e.op === "add" ? `${a} + ${b}` : `${e.op}(${a}, ${b})`), of(0));
      return fn(`${n}(at: i32, apart: i32) -> ${this.type(e.type)}`, [`return ${merged};`]);
    });
    return `${name}(${this.expr(this.#s.place(from, index, undefined))}, ${step})`;
  }

  /** Lane after lane, so that it rounds as the kernel says. */
  #ontoSum(a: Expr, b: Expr, c: Expr): string {
    const { width } = a.type;
    const type = vector("f32", width);
    const name = this.#s.prelude.fn(`fma_f32x${width}`, (n) => {
      const sum = Array.from("xyzw".slice(0, width)).reduce((s, lane) => `fma(a.${lane}, b.${lane}, ${s})`, "c");
      return fn(`${n}(a: ${type}, b: ${type}, c: f32) -> f32`, [`return ${sum};`]);
    });
    return `${name}(${[a, b, c].map(this.#argument).join(", ")})`;
  }

  /** One that WGSL promises less of than the IR, written out. */
  #function(f: Transcendental, args: readonly Expr[]): string {
    const type: Type = { elem: "f32", width: args[0]?.type.width ?? 1 };
    const params = ["x", "y"].slice(0, args.length);
    return this.#s.prelude.fn(`${f}_f32${type.width === 1 ? "" : `x${type.width}`}`, (n) => {
      const { lets, value } = writtenOut(
        f,
        params.map((p) => name(p, type)),
      );
      const inside = new Expressions({ ...this.#s, named: (x) => x });
      const floats = this.type(type);
      return fn(`${n}(${params.map((p) => `${p}: ${floats}`).join(", ")}) -> ${floats}`, [
        ...lets.map((s) => `let ${s.name} = ${inside.expr(s.value)};`),
        `return ${inside.expr(value)};`,
      ]);
    });
  }

  /** Through bits that no compiler knows: it may take arithmetic of f32 apart, as long as that is the same on paper. */
  #rounded(x: Expr): string {
    const [floats, bits] = [vector("f32", x.type.width), vector("i32", x.type.width)];
    const name = this.#s.prelude.fn(`rounded${x.type.width === 1 ? "" : `_x${x.type.width}`}`, (n) =>
      fn(`${n}(x: ${floats}) -> ${floats}`, [
        `return bitcast<${floats}>(bitcast<${bits}>(x) | ${bits}(${this.#s.zero()}));`,
      ]),
    );
    return `${name}(${this.expr(x)})`;
  }

  #constant({ type, value, step }: Of<"const">): string {
    const { elem, width } = type;
    if (step !== undefined) {
      const lanes = Array.from({ length: width }, (_, i) => this.#number("i32", value + i * step));
      return `${this.type(type)}(${lanes.join(", ")})`;
    }
    if (elem === "f16" || elem === "bf16" || elem === "i8" || elem === "i16") {
      // What the conversion of the number gives, again and again: more lanes fit a value than the number itself has.
      const wide = elem === "i8" || elem === "i16" ? "i32" : "f32";
      const { prelude, variant, refuse } = this.#s;
      const one = converted({ prelude, variant, refuse }, { elem: wide, width: 1 }, elem, this.#number(wide, value));
      return width === 1 ? one : repeated(prelude, { elem, width: 1 }, width, one, variant);
    }
    const one = this.#number(elem, value);
    return width === 1 ? one : `${this.type(type)}(${one})`;
  }

  #number(elem: Type["elem"], value: number): string {
    if (elem === "bool") return value === 0 ? "false" : "true";
    if (elem === "u32") return `${value}u`;
    if (elem !== "f32") return value === -0x80000000 ? "i32(-2147483648)" : String(value);
    if (Number.isFinite(value)) return floatLiteral(value);
    // Only a value that is not known beforehand may have these bits.
    const name = this.#s.prelude.fn("f32_of_bits", (n) =>
      fn(`${n}(bits: u32) -> f32`, ["var given = bits;", "return bitcast<f32>(given);"]),
    );
    return `${name}(${bitsLiteral(value)})`;
  }
}

/** What `places.ts` says of a place that it named. */
const isTimes = (e: Expr, by: number): e is Of<"op"> & { readonly args: readonly [Expr, Expr] } =>
  e.kind === "op" && e.op === "shl" && e.args[1]?.kind === "const" && 2 ** e.args[1].value === by;
