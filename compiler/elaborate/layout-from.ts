/** Axes as the checker has them, in the names of a declaration, as layouts of the graph. */
import type { Axis as CheckerAxis } from "../../dsl/types/axis.ts";
import { asSymbol, atomsOf, type Poly, substitute, symbolKey } from "../../dsl/types/poly.ts";
import type { Dim } from "../graph/dim.ts";
import { type Axis, type Layout, layoutSize, plain } from "./axis.ts";
import type { Frame } from "./context.ts";

/** A size in a declaration's names with what these are. */
export function sizeWith(p: Poly, sizes: (name: string) => Axis | undefined): Dim {
  const by = new Map<string, Poly>();
  for (const atom of atomsOf(p).values()) {
    const bound = atom.kind === "symbol" ? sizes(atom.name) : undefined;
    if (atom.kind === "symbol" && bound !== undefined) by.set(symbolKey(atom.name), layoutSize(bound.layout));
  }
  return by.size === 0 ? p : substitute(p, by);
}

/** The layout of an axis; null where the text says `_`. A size that is a name stands for the whole axis. */
export function layoutWith(axis: CheckerAxis, sizes: (name: string) => Axis | undefined): Layout | null {
  switch (axis.kind) {
    case "unknown":
      return null;
    case "plain": {
      const name = asSymbol(axis.size);
      const bound = name === null ? undefined : sizes(name);
      return bound?.layout ?? plain(sizeWith(axis.size, sizes));
    }
    case "merged":
    case "joined": {
      const parts: Layout[] = [];
      for (const part of axis.parts) {
        const layout = layoutWith(part, sizes);
        if (layout === null) return null;
        parts.push(layout);
      }
      return { kind: axis.kind, parts };
    }
    default:
      return axis satisfies never;
  }
}

export function layoutFromChecker(axis: CheckerAxis, frame: Frame): Layout | null {
  return layoutWith(axis, (name) => {
    for (let at: Frame | null = frame; at !== null; at = at.outer) {
      const bound = at.sizes.get(name);
      if (bound !== undefined) return bound;
    }
    return undefined;
  });
}

export function sizeIn(layout: Layout | null): Dim {
  if (layout === null) throw new Error("a size that is not known");
  return layoutSize(layout);
}
