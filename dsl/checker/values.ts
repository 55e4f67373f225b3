/** Small constructors and questions about values. */
import type { Span } from "../diagnostics/source.ts";
import { type Axis, type IndexMap, indexAtom, mapAxis, renameIndices, renameText, sizeOf } from "../types/axis.ts";
import { type Bounds, withBounds } from "../types/facts.ts";
import { asConstant, constant, one, type Poly, sub, value as valueAtom, valueKey, zero } from "../types/poly.ts";
import { type Element, intElement, mapElement, unknownElement, type ValueType } from "../types/value-type.ts";
import type { Body, Static, Value } from "./context.ts";

export interface ValueOptions {
  readonly poly?: Poly | null;
  readonly constant?: Static | undefined;
  readonly isStatic?: boolean;
  readonly tainted?: boolean;
}

export const makeValue = (type: ValueType, span: Span, options: ValueOptions = {}): Value => ({
  axes: type.axes,
  element: type.element,
  poly: options.poly ?? null,
  constant: options.constant,
  isStatic: options.isStatic ?? false,
  block: null,
  tuple: null,
  tainted: options.tainted ?? false,
  span,
});

/** Stands for a value whose error has been reported; fits everywhere. */
export const unknownValue = (span: Span): Value =>
  makeValue({ axes: [], element: unknownElement }, span, { isStatic: true });

export const isUnknown = (value: Value): boolean => value.element.kind === "unknown";

export const integerValue = (poly: Poly, span: Span, isStatic: boolean, element: Element = intElement): Value => {
  const known = asConstant(poly);
  return makeValue({ axes: [], element }, span, { poly, isStatic, constant: known ?? undefined });
};

export const constantValue = (value: Static, element: Element, span: Span): Value =>
  makeValue({ axes: [], element }, span, {
    constant: value,
    isStatic: true,
    poly: typeof value === "bigint" ? constant(value) : null,
  });

/** Notes what is known of a run-time integer named by its text, `pos[‹t›]`: an index of an axis lies inside it. */
export function namedInteger(body: Body, name: string, element: Element): Poly {
  if (element.kind === "index") {
    const size = sizeOf(element.of);
    if (size !== null) {
      const bounds: Bounds = { lower: zero, upper: sub(size, one) };
      body.facts = withBounds(body.facts, valueKey(name), bounds);
      body.pathFacts = withBounds(body.pathFacts, valueKey(name), bounds);
    }
  }
  return valueAtom(name);
}

/** Replaces indices in a polynomial; bounds of values follow to their new names. */
export function renameWithBounds(body: Body, p: Poly, by: IndexMap): Poly {
  return renameIndices(p, by, (from, to) => {
    const bounds = body.facts.bounds.get(valueKey(from));
    if (bounds !== undefined) body.facts = withBounds(body.facts, valueKey(to), bounds);
  });
}

export const renameAxis = (body: Body, axis: Axis, by: IndexMap): Axis =>
  by.size === 0
    ? axis
    : mapAxis(
        axis,
        (p) => renameWithBounds(body, p, by),
        (text) => renameText(text, by),
      );

export const renameElement = (body: Body, element: Element, by: IndexMap): Element =>
  by.size === 0
    ? element
    : mapElement(
        element,
        (p) => renameWithBounds(body, p, by),
        (text) => renameText(text, by),
      );

/** `‹#3›`: the index along place 3 of a tensor, in conditions that belong to its type. */
export const placeName = (place: number): string => `#${place}`;
export const placeAtom = (place: number): Poly => indexAtom(placeName(place));
/** `‹*›`: the member itself, in facts of sets and restrictions. No index has this name. */
export const selfName = "*";
