/** How a text reads a weight: as a whole, or a row of it for each token. */
import type { Block, Equation, Expr, ModelItem, Subscript } from "../ast/nodes.ts";
import { childrenOf } from "../checker/sums.ts";
import { equationsOf, expressionsOf, flatItems, ungrouped, withParts } from "./walk-equations.ts";

/**
 * `computed`: somewhere it is read along an index of an equation, so all of it takes part.
 * `embedding`: only ever a row that an input names, `embed[ids[t]]`.
 * `table`: only ever rows, and some at a place that is itself computed: `table[row[t,o,j],w]`.
 */
export type WeightReading = "computed" | "embedding" | "table";

/** A block, an entry, or the equations of a model outside of entries. */
interface ReadingBody {
  readonly inputs: ReadonlySet<string>;
  /** Definitions and states. */
  readonly made: ReadonlySet<string>;
  readonly equations: readonly Equation[];
}

export type ReadingOf = (weight: string) => WeightReading;
/** Every way in which it is read: a head that is the embedding is `computed` and `embedding`. */
export type ReadingsOf = (weight: string) => ReadonlySet<WeightReading>;

export const readingOfBlock = (block: Block): ReadingOf => together(readingsOfBlock(block));
export const readingsOfBlock = (block: Block): ReadingsOf => readingsIn([bodyOf(block, [])]);

/** `items` are those of a model on the path that its config chooses. */
export const readingOfModel = (items: readonly ModelItem[]): ReadingOf => together(readingsOfModel(items));
export function readingsOfModel(items: readonly ModelItem[]): ReadingsOf {
  const entries = items.flatMap((item) => (item.kind === "entry" ? [bodyOf(item, items)] : []));
  return readingsIn([bodyOf({ params: [], items }, []), ...entries]);
}

function bodyOf(
  { params, items }: Pick<Block, "params"> & { readonly items: readonly ModelItem[] },
  around: readonly ModelItem[],
): ReadingBody {
  const equations = equationsOf(items);
  const left = [...equations, ...equationsOf(around)].flatMap(({ targets }) => targets.map(({ name }) => name.text));
  const states = flatItems([...items, ...around]).flatMap((item) => (item.kind === "state" ? [item.name.text] : []));
  return {
    inputs: new Set(params.flatMap(({ names }) => names.map(({ text }) => text))),
    made: new Set([...left, ...states]),
    equations,
  };
}

const readingsIn =
  (bodies: readonly ReadingBody[]): ReadingsOf =>
  (weight) =>
    new Set(
      bodies.flatMap((body) =>
        body.equations.flatMap((equation) => expressionsOf(equation).flatMap((expr) => readings(expr, weight, body))),
      ),
    );

const together =
  (readingsOf: ReadingsOf): ReadingOf =>
  (weight) => {
    const found = readingsOf(weight);
    if (found.size === 0 || found.has("computed")) return "computed";
    return found.has("table") ? "table" : "embedding";
  };

function readings(expr: Expr, weight: string, body: ReadingBody): readonly WeightReading[] {
  if (expr.kind === "name") return expr.text === weight ? ["computed"] : [];
  if (expr.kind === "index" && isOf(expr.base, weight)) {
    return [placeOf(expr.subscript, body), ...expr.subscript.items.flatMap((item) => readings(item, weight, body))];
  }
  return childrenOf(expr).flatMap((child) => readings(child, weight, body));
}

/** `w[…]`, or `(w | x)[…]`. */
function isOf(base: Expr, weight: string): boolean {
  const inner = ungrouped(base);
  if (inner.kind === "name") return inner.text === weight;
  return inner.kind === "join" && inner.items.some((item) => isOf(item, weight));
}

function placeOf(subscript: Subscript, body: ReadingBody): WeightReading {
  const names = subscript.items.flatMap(withParts).flatMap((expr) => (expr.kind === "name" ? [expr.text] : []));
  if (names.some((name) => body.made.has(name))) return "table";
  return names.some((name) => body.inputs.has(name)) ? "embedding" : "computed";
}
