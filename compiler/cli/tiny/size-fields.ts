/** Which values of config.json are sizes, by what the model's text does with them. */
import type { Expr, ModelItem } from "../../../dsl/ast/nodes.ts";
import type { BoundModel } from "../../../dsl/checker/check-project.ts";
import { pathsIn } from "../../../dsl/checker/config/fields.ts";
import { expressionsOf } from "../../../dsl/graph-view/walk-equations.ts";
import type { JsonPath } from "./json-text.ts";

/**
 * `size`: read by a field of type `dim`, `int` or `in A`. `list`: of a field with axes, one item for each index of them.
 * `indices`: of a field of type `set of A`.
 */
export type SizeField =
  | { readonly kind: "size"; readonly path: JsonPath }
  | { readonly kind: "list"; readonly path: JsonPath; readonly axes: readonly Expr[] }
  | { readonly kind: "indices"; readonly path: JsonPath; readonly of: Expr };

export function sizeFields(model: BoundModel): readonly SizeField[] {
  return model.path.items.flatMap(({ item, ancestor }) =>
    item.kind === "config"
      ? item.entries.flatMap((entry): readonly SizeField[] => {
          if (entry.kind !== "field") return [];
          const paths = pathsIn(entry.value).map(({ path }) => [...ancestor.root, ...path]);
          const { axes, scalar } = entry.type;
          if (axes !== null && axes.length > 0)
            return paths.map((path) => ({ kind: "list", path, axes: axes.map(({ size }) => size) }));
          if (scalar?.kind === "set-type") return paths.map((path) => ({ kind: "indices", path, of: scalar.axis }));
          const isSize =
            scalar?.kind === "index-type" ||
            (scalar?.kind === "word" && (scalar.word.text === "dim" || scalar.word.text === "int"));
          return isSize ? paths.map((path) => ({ kind: "size", path })) : [];
        })
      : [],
  );
}

/** Every path of config.json that the text reads, whatever for. */
export function readPaths(model: BoundModel): readonly JsonPath[] {
  return model.path.items.flatMap(({ item, ancestor }) =>
    expressionsIn(item).flatMap((expr) => pathsIn(expr).map(({ path }) => [...ancestor.root, ...path])),
  );
}

function expressionsIn(item: ModelItem): readonly Expr[] {
  switch (item.kind) {
    case "config":
      return item.entries.flatMap((entry) =>
        entry.kind === "require" ? [entry.condition] : [entry.value, ...(entry.where === null ? [] : [entry.where])],
      );
    case "param":
      return [item.default, item.where].flatMap((expr) => expr ?? []);
    case "require":
      return [item.condition];
    case "part":
      return [item.block];
    case "slot":
      return [item.value];
    case "equation":
      return expressionsOf(item);
    default:
      return [];
  }
}
