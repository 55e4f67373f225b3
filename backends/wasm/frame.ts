/** Locals of one function, and the statements written so far. */
import { type Elem, elems, type Type } from "../../compiler/kernel/elem.ts";
import type { Binaryen, Module, Ref, WasmType } from "./binaryen.ts";
import { WasmError } from "./wasm-error.ts";

/**
 * A value is one scalar, or registers of 16 bytes with its lanes in order; lanes past its width hold anything. f32, i32 and u32
 * take 4 bytes a lane, a bool is a mask of 32 bits; i8, i16 and the codes of f16 and bf16 stay packed as in memory. As
 * scalars these four are an i32, with sign but for codes. An i64 is a scalar.
 */
export type Parts = readonly Ref[];
export const lanesPerPart = (elem: Elem): number => 16 / elems[elem].bytes;
export const partCount = (t: Type): number => Math.ceil(t.width / lanesPerPart(t.elem));

/** Where an access is: a pointer, fresh at each call, and a constant number of bytes after it. */
export interface Address {
  readonly pointer: () => Ref;
  readonly offset: number;
}

interface Local {
  readonly index: number;
  readonly type: WasmType;
}

/**
 * Names of our own hold a dot, those of registers a colon; names of the IR can hold neither. So no `let end` of a kernel
 * becomes the end of its loop.
 */
export class Frame {
  readonly wasm: Binaryen;
  readonly m: Module;
  readonly kernel: string;
  /** Whether relaxed SIMD may be used. */
  readonly relaxed: boolean;
  readonly #locals = new Map<string, Local>();
  readonly #params: number;
  #out: Ref[] = [];
  #made = 0;
  constructor(
    wasm: Binaryen,
    m: Module,
    {
      kernel,
      params,
      relaxed,
    }: { readonly kernel: string; readonly params: readonly string[]; readonly relaxed: boolean },
  ) {
    this.wasm = wasm;
    this.m = m;
    this.kernel = kernel;
    this.relaxed = relaxed;
    this.#params = params.length;
    for (const p of params) this.#local(p, wasm.i32);
  }
  #local(name: string, type: WasmType): Local {
    const known = this.#locals.get(name);
    if (known !== undefined) return known;
    const made = { index: this.#locals.size, type };
    this.#locals.set(name, made);
    return made;
  }
  get names(): readonly string[] {
    return [...this.#locals.keys()];
  }
  /** Types of the locals that are no parameters. */
  get variables(): readonly WasmType[] {
    return [...this.#locals.values()].slice(this.#params).map((l) => l.type);
  }
  refuse(why: string): never {
    throw new WasmError("not-spelled", this.kernel, why);
  }

  emit(statement: Ref): void {
    this.#out.push(statement);
  }
  /** The statements that `fill` writes, apart from those before. */
  inside(fill: () => void): Ref[] {
    const outer = this.#out;
    this.#out = [];
    fill();
    const inner = this.#out;
    this.#out = outer;
    return inner;
  }
  /** Writes to the end of `list`. */
  into(list: Ref[], fill: () => void): void {
    list.push(...this.inside(fill));
  }

  setI32(name: string, value: Ref): void {
    this.emit(this.m.local.set(this.#local(name, this.wasm.i32).index, value));
  }
  get(name: string): Ref {
    const local = this.#locals.get(name);
    if (local === undefined) return this.refuse(`no local ${name}`);
    return this.m.local.get(local.index, local.type);
  }
  fresh(what: string): string {
    this.#made += 1;
    return `${what}.${this.#made}`;
  }

  #typeOf(t: Type): WasmType {
    if (t.width > 1) return this.wasm.v128;
    return t.elem === "f32" ? this.wasm.f32 : t.elem === "i64" ? this.wasm.i64 : this.wasm.i32;
  }
  #partNames(name: string, t: Type): readonly string[] {
    const count = partCount(t);
    return count === 1 ? [name] : Array.from({ length: count }, (_, i) => `${name}:${i}`);
  }
  set(name: string, t: Type, parts: Parts): void {
    const names = this.#partNames(name, t);
    const type = this.#typeOf(t);
    // All are computed before the first is written: they may read what is written.
    const values = parts.length === 1 ? parts : parts.map((p) => this.once(p, type)());
    for (const [i, n] of names.entries()) {
      const value = values[i];
      if (value !== undefined) this.emit(this.m.local.set(this.#local(n, type).index, value));
    }
  }
  /** A register that a branch may leave unset is zero, which verified kernels do not see. */
  value(name: string, t: Type): Parts {
    const type = this.#typeOf(t);
    return this.#partNames(name, t).map((n) => this.m.local.get(this.#local(n, type).index, type));
  }

  /** A value for several uses: computed once, before the statement that is being spelled. */
  once(value: Ref, type: WasmType): () => Ref {
    const id = this.wasm.getExpressionId(value);
    if (id === this.wasm.LocalGetId || id === this.wasm.ConstId) return () => this.m.copyExpression(value);
    const { index } = this.#local(this.fresh("temp"), type);
    this.emit(this.m.local.set(index, value));
    return () => this.m.local.get(index, type);
  }
  onceVector(value: Ref): () => Ref {
    return this.once(value, this.wasm.v128);
  }
  onceI32(value: Ref): () => Ref {
    return this.once(value, this.wasm.i32);
  }
  onceI64(value: Ref): () => Ref {
    return this.once(value, this.wasm.i64);
  }
}
