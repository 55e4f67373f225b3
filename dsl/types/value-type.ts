/** Types of values: axes and an element type. */
import type { Param, Result } from "../ast/nodes.ts";
import { type Axis, mapAxis, plainText, printAxes, printAxis } from "./axis.ts";
import type { Poly } from "./poly.ts";

export const floatWords = ["real", "f32", "f64", "bf16", "f16", "e4m3", "e5m2", "e2m1", "e8m0"] as const;
export const integerWords = ["i32", "i64", "i8", "u8", "int", "dim"] as const;
export type FloatWord = (typeof floatWords)[number];
export type IntegerWord = (typeof integerWords)[number];

export const isFloatWord = (word: string): word is FloatWord => (floatWords as readonly string[]).includes(word);
export const isIntegerWord = (word: string): word is IntegerWord => (integerWords as readonly string[]).includes(word);

export type Element =
  | { readonly kind: "float"; readonly word: FloatWord }
  | { readonly kind: "integer"; readonly word: IntegerWord }
  | { readonly kind: "bool" }
  /** `choices` null: any text; a literal is a choice of one. */
  | { readonly kind: "text"; readonly choices: readonly string[] | null }
  /** An index of an axis: 0 <= value < size. */
  | { readonly kind: "index"; readonly of: Axis }
  | SetElement
  | { readonly kind: "block"; readonly signature: Signature; readonly nullable: boolean }
  | { readonly kind: "null" }
  | { readonly kind: "unknown" };

/** Members `‹*›` of axis `of`; facts hold for each member; `key` names the set where it can be named. */
export interface SetElement {
  readonly kind: "set";
  readonly of: Axis;
  readonly facts: readonly Poly[];
  readonly atMost: Poly | null;
}

/** What a block-valued parameter asks for, as written. */
export interface Signature {
  readonly params: readonly Param[];
  readonly results: readonly Result[];
}

export interface ValueType {
  readonly axes: readonly Axis[];
  readonly element: Element;
}

export const realElement: Element = { kind: "float", word: "real" };
export const intElement: Element = { kind: "integer", word: "int" };
export const boolElement: Element = { kind: "bool" };
export const unknownElement: Element = { kind: "unknown" };

export const isInteger = (e: Element): boolean => e.kind === "integer" || e.kind === "index";
export const isNumber = (e: Element): boolean => e.kind === "float" || isInteger(e);

export function printElement(element: Element): string {
  switch (element.kind) {
    case "float":
    case "integer":
      return element.word;
    case "text":
      return element.choices === null ? "text" : element.choices.map((text) => JSON.stringify(text)).join(" | ");
    case "bool":
    case "null":
      return element.kind;
    case "index":
      return `in ${printAxis(element.of)}`;
    case "set":
      return `set of ${printAxis(element.of)}`;
    case "block":
      return "block";
    case "unknown":
      return "?";
  }
}

export function printValueType(type: ValueType): string {
  const element = printElement(type.element);
  if (type.axes.length === 0) return plainText(element);
  return plainText(element === "real" ? printAxes(type.axes) : `${printAxes(type.axes)} ${element}`);
}

export function mapElement(element: Element, map: (p: Poly) => Poly, text: (t: string) => string): Element {
  switch (element.kind) {
    case "index":
      return { kind: "index", of: mapAxis(element.of, map, text) };
    case "set":
      return {
        kind: "set",
        of: mapAxis(element.of, map, text),
        facts: element.facts.map(map),
        atMost: element.atMost === null ? null : map(element.atMost),
      };
    default:
      return element;
  }
}
