/**
 * Axes of tensors. A layout is part of the type: `(J, 2)` and `(2, J)` have as many elements and are different axes.
 *
 * Text that stands for an index carries its name in angle quotes (`pos[‹t›]`), so that a condition can be moved from the
 * indices of the equation that made a tensor (`‹t›`) to the places of its axes (`‹#0›`) and on to the subscripts of a read.
 */

import type { Facts } from "./facts.ts";
import { add, atomsOf, index, indexKey, mul, one, type Poly, printPoly, substitute, value, zero } from "./poly.ts";
import { compare } from "./prove.ts";

/** An axis exists only for some of its indices. Facts are polynomials that are >= 0 for every member `‹*›`. */
export interface Restriction {
  /** Equal keys are equal sets of indices. */
  readonly key: string;
  readonly facts: readonly Poly[];
  /** A bound on the number of members, when one is known. */
  readonly atMost: Poly | null;
}

interface Restrictable {
  readonly restriction: Restriction | null;
}
export interface PlainAxis extends Restrictable {
  readonly kind: "plain";
  readonly size: Poly;
}
/** `(A, B)`, row-major. */
export interface MergedAxis extends Restrictable {
  readonly kind: "merged";
  readonly parts: readonly Axis[];
}
/** `(A | B)`, side by side. */
export interface JoinedAxis extends Restrictable {
  readonly kind: "joined";
  readonly parts: readonly Axis[];
}
/** Not known, because of an error reported elsewhere or because a result says `_`; equal to any axis. */
export interface UnknownAxis extends Restrictable {
  readonly kind: "unknown";
}
export type Axis = PlainAxis | MergedAxis | JoinedAxis | UnknownAxis;

export const plainAxis = (size: Poly): Axis => ({ kind: "plain", size, restriction: null });
export const unknownAxis: Axis = { kind: "unknown", restriction: null };
export const mergedAxis = (parts: readonly Axis[]): Axis =>
  parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "merged", parts, restriction: null };
export const joinedAxis = (parts: readonly Axis[]): Axis => ({ kind: "joined", parts, restriction: null });
export const restrictAxis = (axis: Axis, restriction: Restriction | null): Axis => ({ ...axis, restriction });
export const wholeAxis = (axis: Axis): Axis => (axis.restriction === null ? axis : { ...axis, restriction: null });

/** Number of indices, restrictions aside; null when unknown. */
export function sizeOf(axis: Axis): Poly | null {
  switch (axis.kind) {
    case "plain":
      return axis.size;
    case "unknown":
      return null;
    case "merged":
    case "joined": {
      let total = axis.kind === "merged" ? one : zero;
      for (const part of axis.parts) {
        const size = sizeOf(part);
        if (size === null) return null;
        total = axis.kind === "merged" ? mul(total, size) : add(total, size);
      }
      return total;
    }
  }
}

export type AxisMatch = "equal" | "size" | "layout" | "restriction";

/** Whether one index may stand on both axes. Sizes must be provably equal: a block has to work for all sizes. */
export function matchAxes(a: Axis, b: Axis, facts: Facts): AxisMatch {
  if (a.kind === "unknown" || b.kind === "unknown") return "equal";
  const layout = matchLayouts(a, b, facts);
  if (layout !== "equal") return layout;
  if (a.restriction !== null && b.restriction !== null && a.restriction.key !== b.restriction.key) return "restriction";
  return "equal";
}

function matchLayouts(a: Axis, b: Axis, facts: Facts): AxisMatch {
  if (a.kind === "unknown" || b.kind === "unknown") return "equal";
  if (a.kind === "plain" && b.kind === "plain") return compare(a.size, b.size, facts) === "equal" ? "equal" : "size";
  if (a.kind !== "plain" && b.kind !== "plain" && a.kind === b.kind && a.parts.length === b.parts.length) {
    let worst: AxisMatch = "equal";
    for (const [i, part] of a.parts.entries()) {
      const other = b.parts[i];
      const match = other === undefined ? "layout" : matchLayouts(part, other, facts);
      if (match !== "equal") worst = match;
    }
    if (worst === "equal") return "equal";
  }
  const sizeA = sizeOf(a);
  const sizeB = sizeOf(b);
  return sizeA !== null && sizeB !== null && compare(sizeA, sizeB, facts) !== "equal" ? "size" : "layout";
}

export function printAxis(axis: Axis): string {
  const text = printLayout(axis);
  if (axis.restriction === null) return text;
  const most = axis.restriction.atMost;
  return `${most === null ? "_" : printPoly(most)} of ${text}`;
}

function printLayout(axis: Axis): string {
  switch (axis.kind) {
    case "plain":
      return printPoly(axis.size);
    case "unknown":
      return "_";
    case "merged":
      return `(${axis.parts.map(printLayout).join(", ")})`;
    case "joined":
      return `(${axis.parts.map(printLayout).join(" | ")})`;
  }
}

export const printAxes = (axes: readonly Axis[]): string => `[${axes.map(printAxis).join(", ")}]`;

/** The name of an index as it stands in keys. */
export const indexToken = (name: string): string => `‹${name}›`;
export const indexAtom = (name: string): Poly => index(indexToken(name));
/** Removes the angle quotes, for messages. */
export const plainText = (text: string): string =>
  text
    .replace(/‹\*(\.\d+)?›/g, "s")
    .replace(/[‹›]/g, "")
    .replace(/′\d+/g, "");

/** Replaces indices by name, in polynomials and in the names of values. */
export type IndexMap = ReadonlyMap<string, Poly>;

export function renameText(text: string, by: IndexMap): string {
  if (!text.includes("‹")) return text;
  return text.replace(/‹([^›]*)›/g, (token, name: string) => {
    const replacement = by.get(name);
    return replacement === undefined ? token : printPoly(replacement);
  });
}

/** `renamed` is told of each value whose name changed, so that what is known of it can follow. */
export function renameIndices(p: Poly, by: IndexMap, renamed: (from: string, to: string) => void = () => {}): Poly {
  const replacements = new Map<string, Poly>();
  for (const atom of atomsOf(p).values()) {
    if (atom.kind === "index") {
      const target = by.get(atom.name.slice(1, -1));
      if (target !== undefined) replacements.set(indexKey(atom.name), target);
    } else if (atom.kind === "value") {
      const name = renameText(atom.name, by);
      if (name !== atom.name) {
        renamed(atom.name, name);
        replacements.set(atom.key, value(name));
      }
    }
  }
  return replacements.size === 0 ? p : substitute(p, replacements);
}

/** Applies `map` to every size and fact of an axis. */
export function mapAxis(axis: Axis, map: (p: Poly) => Poly, text: (t: string) => string = (t) => t): Axis {
  const restriction =
    axis.restriction === null
      ? null
      : {
          key: text(axis.restriction.key),
          facts: axis.restriction.facts.map(map),
          atMost: axis.restriction.atMost === null ? null : map(axis.restriction.atMost),
        };
  switch (axis.kind) {
    case "plain":
      return { kind: "plain", size: map(axis.size), restriction };
    case "unknown":
      return { kind: "unknown", restriction };
    case "merged":
    case "joined":
      return { kind: axis.kind, parts: axis.parts.map((p) => mapAxis(p, map, text)), restriction };
  }
}
