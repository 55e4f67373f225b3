/** Calls: scalar functions, `top`, reductions, library functions, and parts. */

import type { Arg, CallExpr } from "../ast/nodes.ts";
import { applyBlock } from "./block-values.ts";
import { isReduction, scalarFunctions } from "./builtins.ts";
import { fail } from "./conditions.ts";
import { type EquationContext, lookup, type Value } from "./context.ts";
import { afterError, reduce, scalarCall, top } from "./core-calls.ts";
import { applyHeader } from "./header-calls.ts";
import { entityValue, unknownName } from "./infer.ts";
import { ungroup } from "./keys.ts";
import { callPart } from "./part-calls.ts";
import { addReference } from "./recorder.ts";
import { useDeclaration } from "./use.ts";
import { unknownValue } from "./values.ts";

const argText = (args: readonly Arg[]): string =>
  args.map((a) => (a.kind === "spread" ? ".." : a.span.source.text.slice(a.span.start, a.span.end))).join(", ");

export function call(expr: CallExpr, eq: EquationContext): Value {
  const callee = ungroup(expr.callee);
  if (callee.kind === "index") {
    const base = ungroup(callee.base);
    if (base.kind === "name") {
      const entity = lookup(eq.body.scope, base.text);
      if (entity === null && isReduction(base.text)) return reduce(base.text, callee, expr, eq);
      if (entity?.source.kind === "part") return callPart(entity, base, callee, expr, eq);
      if (entity === null) {
        unknownName(base, eq);
        return afterError(expr, eq);
      }
    }
    eq.body.shared.rules.infer(callee, eq);
    return notCallable(expr, eq);
  }
  if (callee.kind !== "name") {
    eq.body.shared.rules.infer(callee, eq);
    return notCallable(expr, eq);
  }
  const entity = lookup(eq.body.scope, callee.text);
  if (entity === null) {
    if (callee.text === "top") return top(expr, eq);
    if (scalarFunctions.has(callee.text)) return scalarCall(callee.text, expr, eq);
    if (isReduction(callee.text)) {
      fail(eq.body, "DS0212", {
        title: `\`${callee.text}\` does not say over which index`,
        at: callee.span,
        label: "a reduction names its indices in brackets",
        help: `\`${callee.text}[i](…)\``,
      });
      return afterError(expr, eq);
    }
    unknownName(callee, eq);
    return afterError(expr, eq);
  }
  switch (entity.source.kind) {
    case "fn": {
      entity.uses += 1;
      addReference(eq.body.shared.recorder, callee.span, entity.symbol);
      const { decl } = entity.source;
      const info = eq.body.shared.rules.declared(decl);
      if (info.header === null) return afterError(expr, eq);
      return applyHeader(info.header, new Map(), expr, eq, (bindings, args) =>
        useDeclaration(info, bindings, (name) => args.get(name) ?? null, expr.span, eq),
      );
    }
    case "block": {
      entity.uses += 1;
      addReference(eq.body.shared.recorder, callee.span, entity.symbol);
      if (eq.fillsBlocks) return applyBlock(entity.source.decl, expr, eq);
      for (const arg of expr.args) if (arg.kind === "argument") eq.body.shared.rules.infer(arg.value, eq);
      fail(eq.body, "DS0240", {
        title: `block \`${callee.text}\` is called without a part`,
        at: expr.span,
        label: "a block has weights or state of its own: it must be a part first",
        secondary: [{ span: entity.span, text: "declared as a block here" }],
        help: `\`part name : ${callee.text}(..) at "…"\`, then \`name(${argText(expr.args)})\``,
      });
      return unknownValue(expr.span);
    }
    case "part":
      return callPart(entity, callee, null, expr, eq);
    case "broken":
      entity.uses += 1;
      return afterError(expr, eq);
    default: {
      const value = entityValue(entity, callee, eq);
      if (value.block !== null) {
        for (const arg of expr.args) if (arg.kind === "argument") eq.body.shared.rules.infer(arg.value, eq);
        fail(eq.body, "DS0240", {
          title: `block \`${callee.text}\` is called without a part`,
          at: expr.span,
          label: "this names a block; its weights belong to a part",
          secondary: [{ span: entity.span, text: "declared here" }],
          help: `\`part name : ${callee.text} at "…"\`, then \`name(${argText(expr.args)})\``,
        });
        return unknownValue(expr.span);
      }
      return notCallable(expr, eq);
    }
  }
}

function notCallable(expr: CallExpr, eq: EquationContext): Value {
  fail(eq.body, "DS0227", {
    title: "this cannot be called",
    at: expr.callee.span,
    label: "only functions, parts and reductions take arguments",
    help: "to read an element write brackets: `x[t]`",
  });
  return afterError(expr, eq);
}
