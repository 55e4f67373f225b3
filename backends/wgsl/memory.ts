/**
 * A buffer or shared array: how it is declared, loaded from and stored to. No two items or lanes ever write the same word without an
 * atomic operation, whatever they write:
 * - Memory is declared as vectors as wide as its narrowest store (or its widest load, where nothing is stored), since storing one
 *   component of a vector may touch the others.
 * - A store of less than a word changes its own bits of an atomic word: nobody else changes these, so flipping those that differ is
 *   one operation that leaves the neighbours alone.
 */
import { elems, type Type, typeName } from "../../compiler/kernel/elem.ts";
import type { FreshNames } from "../../compiler/kernel/lower/fresh-names.ts";
import { type Accesses, bytesOf } from "./accesses.ts";
import { fn } from "./codes.ts";
import type { Prelude } from "./prelude.ts";
import { nativeIn, valueType, vector } from "./types.ts";
import type { WgslVariant } from "./variant.ts";

interface Declared {
  readonly name: string;
  readonly elem: Type["elem"];
}
/** A place in elements that are so many elems each, a power of two. */
type Over = (by: number) => string;
interface Surroundings {
  readonly prelude: Prelude;
  readonly names: FreshNames;
  readonly variant: WgslVariant;
  readonly refuse: (why: string) => never;
}

export class WgslMemory {
  readonly name: string;
  /** Of the array that it is. */
  readonly element: string;
  /** Elems in one element of the array. */
  readonly perElement: number;
  readonly #elem: Type["elem"];
  /** What WGSL calls the elem in memory; null: it is packed into words. */
  readonly #native: string | null;
  /** Of the vectors that the array consists of: native elems, or words. */
  readonly #lanes: number;
  readonly #atomic: boolean;
  readonly #s: Surroundings;

  constructor({ name, elem }: Declared, { loads, stores }: Accesses, s: Surroundings) {
    const { variant } = s;
    this.name = name;
    this.#elem = elem;
    this.#s = s;
    this.#native = nativeIn(elem, variant);
    const whole = variant.wholeVectors;
    const [bytes, unit] = [elems[elem].bytes, this.#native === null ? 4 : elems[elem].bytes];
    this.#atomic = this.#native === null && stores.some((t) => !whole || bytesOf(t) < 4);
    const narrowest = Math.min(...(stores.length > 0 ? stores : loads).map((t) => bytesOf(t) / unit));
    const widest = Math.max(...loads.map((t) => bytesOf(t) / unit));
    const lanes = stores.length > 0 ? narrowest : widest;
    this.#lanes =
      whole && !this.#atomic && elem !== "i64" ? Math.min(4, Math.max(1, Number.isFinite(lanes) ? lanes : 1)) : 1;
    const scalar = this.#native ?? "u32";
    this.element = this.#atomic ? "atomic<u32>" : vector(scalar, this.#lanes);
    this.perElement = (this.#lanes * unit) / bytes;
  }

  /** Elems in one element of the array, where that is all of such a value. */
  perValue(t: Type): number | null {
    if (this.#atomic) return null;
    if (this.#native !== null) return this.#lanes === t.width ? this.#lanes : null;
    return bytesOf(t) / 4 === this.#lanes && this.#s.variant.wholeVectors ? this.perElement : null;
  }

  /** A value of elements from `at` on; `over` says which element of the array that is, of so many elems each. */
  load(t: Type, at: string, over: Over = (by) => divided(at, by)): string {
    const direct = this.#direct(t, over);
    if (direct !== null) return this.#read(t, direct);
    const { prelude, variant, refuse } = this.#s;
    const type = valueType(t, variant) ?? refuse(`a load of ${typeName(t)}`);
    const name = prelude.fn(`${this.name}_${typeName(t)}`, (n) =>
      fn(`${n}(at: i32) -> ${type}`, [`return ${this.#gathered(t)};`]),
    );
    return `${name}(${at})`;
  }

  /** What may stand on both sides of an assignment of such a value at `at`; null where no single thing may. */
  variable(t: Type, over: Over): string | null {
    return this.#elem === "bool" ? null : this.#direct(t, over);
  }

  /** A statement. */
  store(t: Type, { at, over }: { readonly at: string; readonly over: Over }, value: string): string {
    const given = this.#elem === "bool" ? `${vector("u32", t.width)}(${value})` : value;
    const direct = this.#direct(t, over);
    if (direct !== null) return `${direct} = ${given};`;
    const { prelude, variant, refuse } = this.#s;
    const type =
      (this.#elem === "bool" ? vector("u32", t.width) : valueType(t, variant)) ?? refuse(`a store of ${typeName(t)}`);
    const name = prelude.fn(`put_${this.name}_${typeName(t)}`, (n) =>
      fn(`${n}(at: i32, value: ${type})`, this.#scattered(t)),
    );
    return `${name}(${at}, ${given});`;
  }

  /** One element of the array, where that is all of the value. */
  #direct(t: Type, over: Over): string | null {
    const per = this.perValue(t);
    return per === null ? null : `${this.name}[${over(per)}]`;
  }

  #read(t: Type, place: string): string {
    if (this.#elem !== "bool") return place;
    return t.width === 1 ? `(${place} != 0u)` : `${vector("bool", t.width)}(${place})`;
  }

  /** Native elem or word `at`. */
  #one(at: string): string {
    const { name } = this;
    if (this.#atomic) return `atomicLoad(&${name}[${at}])`;
    if (this.#lanes === 1) return `${name}[${at}]`;
    return `${name}[${divided(at, this.#lanes)}][${rest(at, this.#lanes)}]`;
  }

  #gathered(t: Type): string {
    if (this.#native !== null) {
      const parts = Array.from({ length: t.width }, (_, i) => this.#one(plus("at", i)));
      return this.#read(t, listed(vector(this.#native, t.width), parts));
    }
    return t.width === 1 ? this.#single() : this.#words(t);
  }
  /** A packed elem by itself. */
  #single(): string {
    const { bits, word, shift } = this.#place("at");
    const signed = !elems[this.#elem].float;
    const bitsOfWord = this.#one(word);
    return `extractBits(${signed ? `bitcast<i32>(${bitsOfWord})` : bitsOfWord}, ${shift}, ${bits}u)`;
  }
  #words(t: Type): string {
    const { bits } = this.#place("at");
    const perWord = 32 / bits;
    const count = Math.max(1, t.width / perWord);
    const whole = this.#s.variant.wholeVectors;
    const part = (word: number): string => {
      if (whole && t.width >= perWord) return this.#one(plus(divided("at", perWord), word));
      const lanes = Array.from({ length: Math.min(perWord, t.width) }, (_, i) => {
        const { word: from, shift } = this.#place(plus("at", word * perWord + i));
        const lane = `extractBits(${this.#one(from)}, ${shift}, ${bits}u)`;
        return i === 0 ? lane : `(${lane} << ${i * bits}u)`;
      });
      return lanes.join(" | ");
    };
    return listed(
      vector("u32", count),
      Array.from({ length: count }, (_, i) => part(i)),
    );
  }

  #scattered(t: Type): readonly string[] {
    const { name } = this;
    if (this.#native !== null)
      return Array.from({ length: t.width }, (_, i) => `${name}[${plus("at", i)}] = ${lane("value", i, t.width)};`);
    const { bits } = this.#place("at");
    const perWord = 32 / bits;
    const count = Math.max(1, t.width / perWord);
    const words = Array.from({ length: count }, (_, i) => lane("value", i, count));
    if (this.#s.variant.wholeVectors && t.width >= perWord)
      return words.map((word, i) => {
        const place = `${name}[${plus(divided("at", perWord), i)}]`;
        return this.#atomic ? `atomicStore(&${place}, ${word});` : `${place} = ${word};`;
      });
    const put = this.#s.prelude.fn(`flip_${name}`, (n) =>
      fn(`${n}(at: i32, code: u32)`, [
        `let shift = ${this.#place("at").shift};`,
        `let word = ${this.#place("at").word};`,
        `atomicXor(&${name}[word], (atomicLoad(&${name}[word]) ^ (code << shift)) & (${2 ** bits - 1}u << shift));`,
      ]),
    );
    if (t.width === 1) return [`${put}(at, ${elems[t.elem].float ? "value" : "bitcast<u32>(value)"});`];
    return Array.from({ length: t.width }, (_, i) => {
      const word = words[Math.floor(i / perWord)] ?? "";
      const shift = (i % perWord) * bits;
      return `${put}(${plus("at", i)}, ${shift === 0 ? word : `${word} >> ${shift}u`});`;
    });
  }

  /** Where a packed elem is: its word, and its first bit in it. */
  #place(at: string): { readonly bits: number; readonly word: string; readonly shift: string } {
    const bits = 8 * elems[this.#elem].bytes;
    const perWord = 32 / bits;
    return { bits, word: divided(at, perWord), shift: `u32(${rest(at, perWord)}) * ${bits}u` };
  }
}

const isPlain = (text: string): boolean => /^\w+$/.test(text);
/** By a power of two. */
export const divided = (at: string, by: number): string => {
  if (by === 1) return at;
  if (/^\d+$/.test(at)) return String(Math.floor(Number(at) / by));
  return `${isPlain(at) ? at : `(${at})`} >> ${Math.log2(by)}u`;
};
const rest = (at: string, by: number): string => `${isPlain(at) ? at : `(${at})`} & ${by - 1}`;
const plus = (at: string, i: number): string => (i === 0 ? at : `${isPlain(at) ? at : `(${at})`} + ${i}`);
const listed = (type: string, parts: readonly string[]): string =>
  parts.length === 1 ? (parts[0] ?? "") : `${type}(${parts.join(", ")})`;
const lane = (value: string, i: number, of: number): string => (of === 1 ? value : `${value}[${i}]`);
