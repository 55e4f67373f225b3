/** Where a lane keeps its names and registers: an array of numbers, and one of those of i64; places settled before the run. */
import { InternalError } from "../../graph/internal-error.ts";
import { i32, type Type } from "../elem.ts";
import type { Kernel } from "../kernel.ts";
import { builtins } from "../kernel.ts";
import { walkStmts } from "../walk.ts";

export interface Frame {
  readonly lane: number;
  readonly values: Float64Array;
  readonly wide: BigInt64Array;
  /** By register: whether it was written since its declaration. */
  readonly written: Uint8Array;
}
export interface Registers {
  readonly type: Type;
  readonly size: number;
  /** In `values`, or in `wide`; register i stands at offset + i * width. */
  readonly offset: number;
  /** In `written`. */
  readonly flag: number;
}

export class FrameLayout {
  readonly #names = new Map<string, number>();
  readonly #registers = new Map<string, Registers>();
  #values = 0;
  #wide = 0;
  #flags = 0;
  constructor(k: Kernel) {
    for (const n of [...builtins, ...k.sizes.map((s) => s.name), ...k.grid.map((g) => g.name)]) this.#name(n, i32);
    walkStmts(k.body, (s) => {
      if (s.kind === "let" || s.kind === "reduce") this.#name(s.name, s.value.type);
      if (s.kind === "loop") this.#name(s.name, i32);
      if (s.kind !== "reg") return;
      const offset = this.#room(s.type, s.size * s.type.width);
      this.#registers.set(s.name, { type: s.type, size: s.size, offset, flag: this.#flags });
      this.#flags += s.size;
    });
  }
  #name(n: string, type: Type): void {
    this.#names.set(n, this.#room(type, type.width));
  }
  #room({ elem }: Type, count: number): number {
    const isWide = elem === "i64";
    const offset = isWide ? this.#wide : this.#values;
    if (isWide) this.#wide += count;
    else this.#values += count;
    return offset;
  }
  offset(name: string): number {
    const found = this.#names.get(name);
    if (found === undefined) throw new InternalError(`${name} has no place: the kernel is not verified`);
    return found;
  }
  registers(name: string): Registers | null {
    return this.#registers.get(name) ?? null;
  }
  frame(lane: number): Frame {
    return {
      lane,
      values: new Float64Array(this.#values),
      wide: new BigInt64Array(this.#wide),
      written: new Uint8Array(this.#flags),
    };
  }
}
