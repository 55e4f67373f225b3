/** Expressions of the IR as values of WebAssembly. */
import { elems, type Type, typeName } from "../../compiler/kernel/elem.ts";
import { constant } from "../../compiler/kernel/expr.ts";
import type { Expr } from "../../compiler/kernel/kernel.ts";
import { loaded, loadedRepeated } from "./access.ts";
import type { Ref } from "./binaryen.ts";
import { convertedFrom, convertedLoad } from "./conversions.ts";
import { type Frame, lanesPerPart, type Parts, partCount } from "./frame.ts";
import type { Pointers } from "./pointers.ts";
import { scalarOps } from "./scalars.ts";
import { dotProducts, extractLane, foldLanes, repeated, shifted, splatScalar, vectorOp } from "./simd.ts";

type Of<K extends Expr["kind"]> = Extract<Expr, { kind: K }>;

export class Expressions {
  readonly #f: Frame;
  readonly #pointers: Pointers;
  constructor(f: Frame, pointers: Pointers) {
    this.#f = f;
    this.#pointers = pointers;
  }

  /** Of a scalar. */
  scalar = (e: Expr): Ref => this.parts(e)[0] ?? 0;

  parts(e: Expr): Parts {
    switch (e.kind) {
      case "const":
        return this.#constant(e);
      case "wide":
        return [this.#f.m.i64.const(e.value)];
      case "name":
        if (e.name === "lane") return [this.#f.m.i32.const(0)];
        return e.type.width === 1 ? [this.#f.get(e.name)] : this.#f.value(e.name, e.type);
      case "op":
        return e.type.width === 1 ? [this.#scalarOp(e)] : this.#vectorOp(e);
      case "convert":
        return this.#convert(e);
      case "bitcast":
        return this.#bitcast(e);
      case "splat":
        return this.#splat(e);
      case "extract":
        return [extractLane(this.#f, e.type.elem, this.parts(e.arg), e.lane)];
      case "fold":
        return [foldLanes(this.#f, e.monoid, e.arg.type, this.parts(e.arg))];
      case "load": {
        if (!this.#pointers.isMemory(e.from)) return this.#f.value(this.register(e.from, e.index), e.type);
        return loaded(this.#f, e.type, this.#pointers.address(e, this.scalar));
      }
      case "dot":
        return this.#dot(e);
      default:
        return e satisfies never;
    }
  }

  register(name: string, index: Expr): string {
    if (index.kind !== "const")
      return this.#f.refuse(`${name} at an index that is no constant: unrolled loops come first`);
    return `${name}:${index.value}`;
  }

  #constant({ type, value, step = 0 }: Of<"const">): Parts {
    const { m } = this.#f;
    const { elem, width } = type;
    // The only way to a code is the rounding of a number.
    if (elem === "f16" || elem === "bf16")
      return convertedFrom(this.#f, { elem: "f32", width }, type, this.parts(constant(value, { elem: "f32", width })));
    if (width === 1) return [elem === "f32" ? m.f32.const(value) : m.i32.const(value | 0)];
    return Array.from({ length: partCount(type) }, (_, part) => {
      const perPart = lanesPerPart(elem);
      const lanes = Array.from({ length: perPart }, (_, i) => value + (part * perPart + i) * step);
      return m.v128.const(bytesOf(elem, lanes));
    });
  }

  #scalarOp(e: Of<"op">): Ref {
    const [a, b, c] = e.args.map(this.scalar);
    const of = e.args.at(-1)?.type ?? e.type;
    const spell = scalarOps[of.elem][e.op];
    return spell === null ? this.#f.refuse(`${e.op} of ${typeName(of)}`) : spell(this.#f, a ?? 0, b ?? 0, c ?? 0);
  }

  #vectorOp(e: Of<"op">): Parts {
    const f = this.#f;
    const of = e.args.at(-1)?.type ?? e.type;
    const by = uniform(e.args[1]);
    const [first] = e.args;
    if ((e.op === "shl" || e.op === "shr") && by !== null && first !== undefined) {
      const { op } = e;
      const count = f.onceI32(this.scalar(by));
      return this.parts(first).map((part) => shifted(f, op, of.elem, part, count()));
    }
    const args = e.args.map((a) => this.parts(a));
    return Array.from({ length: partCount(e.type) }, (_, i) => {
      const part = args.map((a) => a[i] ?? 0);
      return vectorOp(f, e.op, of, part) ?? f.refuse(`${e.op} of ${typeName(of)}`);
    });
  }

  #convert(e: Of<"convert">): Parts {
    const { arg } = e;
    if (arg.kind === "load" && this.#pointers.isMemory(arg.from) && arg.type.width > 1) {
      const at = this.#pointers.address(arg, this.scalar);
      return (
        convertedLoad(this.#f, arg.type, e.type, at) ??
        convertedFrom(this.#f, arg.type, e.type, loaded(this.#f, arg.type, at))
      );
    }
    return convertedFrom(this.#f, arg.type, e.type, this.parts(arg));
  }

  #bitcast({ type, arg }: Of<"bitcast">): Parts {
    const { m } = this.#f;
    const parts = this.parts(arg);
    const [from, to] = [arg.type.elem === "f32", type.elem === "f32"];
    if (type.width > 1 || from === to) return parts;
    return parts.map((p) => (to ? m.f32.reinterpret(p) : m.i32.reinterpret(p)));
  }

  #splat({ type, arg }: Of<"splat">): Parts {
    const f = this.#f;
    const count = partCount(type);
    if (arg.kind === "load" && this.#pointers.isMemory(arg.from)) {
      const load = loadedRepeated(f, arg.type, this.#pointers.address(arg, this.scalar));
      if (load !== null) return several(f, count, load());
    }
    const parts = this.parts(arg);
    const [first = 0] = parts;
    if (arg.type.width === 1) return several(f, count, splatScalar(f, type.elem, first));
    if (parts.length === 1) return several(f, count, repeated(f, first, Math.min(16, bytesIn(arg.type))));
    const held = parts.map((p) => f.onceVector(p));
    return Array.from({ length: count }, (_, i) => held[i % held.length]?.() ?? 0);
  }

  #dot(e: Of<"dot">): Parts {
    const f = this.#f;
    const [a, b, acc] = [this.parts(e.a), this.parts(e.b), this.parts(e.acc)];
    const sums = a.map((part, i) => dotProducts(f, e.group, part, b[i] ?? 0));
    if (e.type.width === 1) return [f.m.i32.add(f.m.i32x4.extract_lane(sums[0] ?? 0, 0), acc[0] ?? 0)];
    return acc.map((part, i) => f.m.i32x4.add(sums[i] ?? 0, part));
  }
}

const bytesIn = (t: Type): number => elems[t.elem].bytes * t.width;

/** The scalar that all lanes are. */
function uniform(e: Expr | undefined): Expr | null {
  if (e?.kind === "const" && e.step === undefined) return constant(e.value, { ...e.type, width: 1 });
  return e?.kind === "splat" && e.arg.type.width === 1 ? e.arg : null;
}

function several(f: Frame, count: number, part: Ref): Parts {
  if (count === 1) return [part];
  const held = f.onceVector(part);
  return Array.from({ length: count }, held);
}

function bytesOf(elem: Exclude<Type["elem"], "f16" | "bf16">, lanes: readonly number[]): readonly number[] {
  const view = new DataView(new ArrayBuffer(16));
  for (const [i, x] of lanes.entries()) {
    if (elem === "f32") view.setFloat32(4 * i, x, true);
    else if (elem === "i8") view.setInt8(i, x);
    else if (elem === "i16") view.setInt16(2 * i, x, true);
    else view.setInt32(4 * i, elem === "bool" ? -x : x, true);
  }
  return [...new Uint8Array(view.buffer)];
}
