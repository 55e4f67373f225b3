/** Starting an equation: which names on it are indices. */
import type { Expr } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import { isReduction } from "./builtins.ts";
import type { IndexRole } from "./context.ts";
import { type Body, type EquationContext, lookup } from "./context.ts";
import { bindIndex } from "./indices.ts";
import { ungroup } from "./keys.ts";
import { childrenOf } from "./sums.ts";

export function newEquation(body: Body, scopeSpan: Span, fillsBlocks = false): EquationContext {
  return {
    body,
    scopeSpan,
    indices: new Map(),
    all: [],
    bound: new Map(),
    uses: new Map(),
    binders: new Map(),
    obligations: [],
    fillsBlocks,
    facts: [],
    token: null,
    mixing: [],
    taints: [],
    mismatched: [],
    doubtful: false,
  };
}

/**
 * Binds every lower-case name that stands in a bracket below `expr`, is no visible value and is not bound by a reduction
 * around it.
 */
export function bindFreeIndices(expr: Expr, role: IndexRole, eq: EquationContext): void {
  const visit = (e: Expr, bound: ReadonlySet<string>, inBracket: boolean): void => {
    switch (e.kind) {
      case "name":
        if (inBracket && !bound.has(e.text) && isIndexName(e.text) && lookup(eq.body.scope, e.text) === null) {
          if (eq.indices.get(e.text) === undefined) bindIndex(e, role, eq);
        }
        return;
      case "index":
        visit(e.base, bound, inBracket);
        for (const item of e.subscript.items) visit(item, bound, true);
        if (e.subscript.where !== null) visit(e.subscript.where, bound, true);
        return;
      case "call": {
        const callee = ungroup(e.callee);
        const base = callee.kind === "index" ? ungroup(callee.base) : null;
        const reduces = base?.kind === "name" && isReduction(base.text) && lookup(eq.body.scope, base.text) === null;
        if (callee.kind === "index" && reduces) {
          const names = new Set(bound);
          for (const item of callee.subscript.items) {
            const { name, range } = binderOf(item);
            if (range !== null) visit(range, bound, false);
            if (name !== null) names.add(name);
          }
          if (callee.subscript.where !== null) visit(callee.subscript.where, names, inBracket);
          for (const arg of e.args) if (arg.kind === "argument") visit(arg.value, names, inBracket);
          return;
        }
        // A family's subscript is a bracket; arguments are not, even inside one.
        if (callee.kind === "index") for (const item of callee.subscript.items) visit(item, bound, true);
        for (const arg of e.args) if (arg.kind === "argument") visit(arg.value, bound, false);
        return;
      }
      case "set": {
        const names = new Set(bound);
        const binders = e.binder === null ? e.items : [e.binder];
        for (const item of binders) {
          const { name, range } = binderOf(item);
          if (range === null) continue;
          visit(range, bound, false);
          if (name !== null) names.add(name);
        }
        if (e.binder !== null) for (const item of e.items) visit(item, names, false);
        if (e.where !== null) visit(e.where, names, false);
        return;
      }
      default:
        for (const child of childrenOf(e)) visit(child, bound, inBracket);
    }
  };
  visit(expr, new Set(), false);
}

export const isIndexName = (name: string): boolean => /^[a-z_]/.test(name) && name !== "_";

function binderOf(item: Expr): { readonly name: string | null; readonly range: Expr | null } {
  const inner = ungroup(item);
  const ranged = inner.kind === "binary" && inner.op === "in";
  const name = ranged ? ungroup(inner.left) : inner;
  return { name: name.kind === "name" ? name.text : null, range: ranged ? inner.right : null };
}
