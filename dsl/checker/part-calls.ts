/** Calls of parts and members of families. */

import type { CallExpr, Expr } from "../ast/nodes.ts";
import { matchAxes, plainAxis, plainText, printAxis, sizeOf, wholeAxis } from "../types/axis.ts";
import { fail } from "./conditions.ts";
import type { BlockValue, Entity, EquationContext, Header, PartInfo, Value } from "./context.ts";
import { afterError } from "./core-calls.ts";
import { applyHeader } from "./header-calls.ts";
import { type Bindings, substitutePoly } from "./headers.ts";
import { addRange } from "./indices.ts";
import { proveIndex } from "./inside.ts";
import { expressionKey, ungroup } from "./keys.ts";
import { addReference } from "./recorder.ts";
import { alternatives, blockHeader } from "./signatures.ts";
import { useDeclaration } from "./use.ts";
import { isUnknown } from "./values.ts";

/** A part, or a member of a family: `norm(x[t])`, `expert[e](x)`, `layer[l](h[l], pos)`. */
export function callPart(
  entity: Entity,
  name: Expr & { kind: "name" },
  subscripted: (Expr & { kind: "index" }) | null,
  expr: CallExpr,
  eq: EquationContext,
): Value {
  entity.uses += 1;
  addReference(eq.body.shared.recorder, name.span, entity.symbol);
  eq.body.shared.rules.define(entity, eq.body);
  const part = eq.body.parts.get(entity.name);
  if (part === undefined) return afterError(expr, eq);
  familySubscript(part, entity, subscripted, expr, eq);
  let result: Value | null = null;
  for (const block of alternatives(part.block)) {
    if (block.kind === "none") continue;
    const found = blockHeader(block, eq);
    if (found === null) continue;
    const value = applyHeader({ ...found.header, name: entity.name }, found.bindings, expr, eq, (bindings, args) => {
      fillDefaults(found.header, bindings);
      if (part.args.size === 0)
        for (const [name, arg] of args) part.args.set(name, { axes: arg.axes, element: arg.element });
      noteSizes(part, block, bindings, found.header, expr, eq);
      if (block.kind !== "block") return null;
      const info = eq.body.shared.rules.declared(block.decl);
      return useDeclaration(
        info,
        bindings,
        (p) => block.args.get(p)?.value ?? args.get(p) ?? null,
        expr.span,
        eq,
        block,
      );
    });
    result ??= value;
  }
  return result ?? afterError(expr, eq);
}

/** Sizes left to their defaults, which may depend on sizes just solved. */
export function fillDefaults(header: Header, bindings: Bindings): void {
  for (const setting of header.settings) {
    if (bindings.has(setting.name) || setting.defaultSize === null) continue;
    bindings.set(setting.name, plainAxis(substitutePoly(setting.defaultSize, bindings)));
  }
}

function familySubscript(
  part: PartInfo,
  entity: Entity,
  subscripted: (Expr & { kind: "index" }) | null,
  expr: CallExpr,
  eq: EquationContext,
): void {
  const items = subscripted?.subscript.items ?? [];
  if (part.family === null || items.length !== 1) {
    const wanted = part.family === null ? 0 : 1;
    if (items.length === wanted) return;
    for (const item of items) eq.body.shared.rules.infer(item, eq);
    fail(eq.body, "DS0203", {
      title: "wrong number of subscripts",
      at: subscripted?.span ?? expr.callee.span,
      label:
        part.family === null
          ? `\`${entity.name}\` is one part, not a family`
          : `\`${entity.name}\` is a family: say which member`,
      secondary: [{ span: entity.span, text: "declared here" }],
    });
    return;
  }
  const [item] = items;
  if (item === undefined) return;
  const value = eq.body.shared.rules.infer(item, eq);
  const inner = ungroup(item);
  const index = inner.kind === "name" ? eq.uses.get(inner) : undefined;
  const axis = part.family.axis;
  if (index !== undefined) {
    index.reads += 1;
    addRange(index, axis, item.span, false);
  } else if (!isUnknown(value)) {
    const size = sizeOf(axis);
    const inside =
      value.element.kind === "index" && matchAxes(wholeAxis(value.element.of), axis, eq.body.facts) === "equal";
    if (size !== null && !inside) proveIndex(value.poly, size, item, eq, "DS0213", expressionKey(item, eq));
  }
  const uniform = !mentions(part.decl.block, part.family.index);
  if (uniform || value.isStatic) return;
  eq.obligations.push(() => {
    if (index?.isStatic === true) return;
    fail(eq.body, "DS0242", {
      title: `family \`${entity.name}\` is not uniform`,
      at: item.span,
      label: "this index is known only when the model runs, so all members must be alike",
      secondary: [{ span: part.decl.block.span, text: `the block depends on \`${part.family?.index ?? ""}\` here` }],
    });
  });
}

export function mentions(expr: Expr, name: string): boolean {
  let found = false;
  const visit = (value: unknown): void => {
    if (found || typeof value !== "object" || value === null) return;
    if ("kind" in value && value.kind === "name" && "text" in value && value.text === name) {
      found = true;
      return;
    }
    for (const [key, inner] of Object.entries(value)) if (key !== "span") visit(inner);
  };
  visit(expr);
  return found;
}

/** The first call of a part fixes the sizes of its weights; later calls must agree. */
function noteSizes(
  part: PartInfo,
  block: BlockValue,
  bindings: Bindings,
  header: Header,
  expr: CallExpr,
  eq: EquationContext,
): void {
  const known = part.dims.get(block);
  if (known === undefined) {
    part.dims.set(block, new Map(bindings));
    return;
  }
  for (const name of header.sizes) {
    const [a, b] = [known.get(name), bindings.get(name)];
    if (a === undefined || b === undefined || !part.fixed.has(name)) continue;
    const match = matchAxes(wholeAxis(a), wholeAxis(b), eq.body.facts);
    if (match === "equal") continue;
    fail(eq.body, "DS0201", {
      title: `part \`${part.decl.name.text}\` is called with another size`,
      at: expr.span,
      label: `here ${name} = ${plainText(printAxis(b))}, in another call ${plainText(printAxis(a))}`,
      secondary: [{ span: part.decl.name.span, text: "its weights have one size" }],
    });
    return;
  }
}
