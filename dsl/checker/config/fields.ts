/** Fields and options of a model, and what of the config they read. */
import type { ConfigField, Expr, ParamDecl, TypeNode } from "../../ast/nodes.ts";
import type { Span } from "../../diagnostics/source.ts";
import { configPath, type TaggedItem } from "../inherit.ts";
import type { CheckedModel } from "../model.ts";
import { childrenOf } from "../sums.ts";

export interface Field {
  readonly name: string;
  readonly span: Span;
  readonly type: TypeNode;
  readonly node: ConfigField | ParamDecl;
  readonly tagged: TaggedItem;
}

export function collectFields(checked: CheckedModel): ReadonlyMap<string, Field> {
  const fields = new Map<string, Field>();
  for (const path of checked.paths) {
    for (const tagged of path.items) {
      const { item } = tagged;
      const nodes =
        item.kind === "config"
          ? item.entries.flatMap((e) => (e.kind === "field" ? [e] : []))
          : item.kind === "param"
            ? [item]
            : [];
      for (const node of nodes) {
        for (const name of node.names)
          fields.set(name.text, { name: name.text, span: name.span, type: node.type, node, tagged });
      }
    }
  }
  return fields;
}

/** All `$.a.b` below an expression. */
export function pathsIn(expr: Expr): readonly { readonly path: readonly string[]; readonly span: Span }[] {
  const path = configPath(expr);
  if (path !== null && path.length > 0) return [{ path, span: expr.span }];
  return childrenOf(expr).flatMap(pathsIn);
}

export const namesIn = (expr: Expr): readonly string[] =>
  expr.kind === "name" ? [expr.text] : childrenOf(expr).flatMap(namesIn);

/** The paths that a field's value reads, from the root of the config on. */
export const pathsOf = ({
  node,
  tagged,
}: Field): readonly { readonly path: readonly string[]; readonly span: Span }[] => {
  const expr = node.kind === "field" ? node.value : node.default;
  return expr === null ? [] : pathsIn(expr).map((p) => ({ ...p, path: [...tagged.ancestor.root, ...p.path] }));
};
