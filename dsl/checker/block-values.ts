/** Block values: a block with parameters filled in, by name, by position, or by `..` from equal names in scope. */
import type { Block, CallExpr, Expr } from "../ast/nodes.ts";
import { closest } from "../diagnostics/suggest.ts";
import { plainAxis, plainText, printAxis, sizeOf } from "../types/axis.ts";
import { atomsOf, printPoly } from "../types/poly.ts";
import type { Element } from "../types/value-type.ts";
import { printValueType } from "../types/value-type.ts";
import { fail } from "./conditions.ts";
import {
  type BlockArg,
  type BlockValue,
  type EquationContext,
  type Header,
  type HeaderParam,
  lookup,
  type Value,
} from "./context.ts";
import { type Bindings, matchArgument, orderArguments, substituteType } from "./headers.ts";
import { entityValue } from "./infer.ts";
import { spanKey } from "./recorder.ts";
import { signatureFits } from "./signatures.ts";
import { axisFrom } from "./sizes.ts";
import { isUnknown, makeValue, unknownValue } from "./values.ts";

/** `mla(select: indexer, ..)` */
export function applyBlock(decl: Block, expr: CallExpr, eq: EquationContext): Value {
  const { header } = eq.body.shared.rules.declared(decl);
  if (header === null) return unknownValue(expr.span);
  const spread = expr.args.find((a) => a.kind === "spread");
  const named = expr.args.flatMap((a) => (a.kind === "argument" ? [a] : []));
  const args = new Map<string, BlockArg>();
  const bindings: Bindings = new Map();
  const taken: { parameter: string; value: string }[] = [];
  const missing: HeaderParam[] = [];
  const given = orderArguments(header.settings, named, decl.name.text, decl.name.span, expr.span, eq, (p) =>
    missing.push(p),
  );
  // Sizes first, so that the types of the others can mention them.
  const ordered = [...header.settings].sort((a, b) => Number(isSize(b.type.element)) - Number(isSize(a.type.element)));
  for (const param of ordered) {
    const arg = given.get(param.name);
    if (arg !== undefined) {
      args.set(param.name, fill(param, arg.value, arg.span, header, bindings, eq));
      continue;
    }
    if (spread === undefined) continue;
    const entity = lookup(eq.body.scope, param.name);
    if (entity === null || entity.kind === "fn" || entity.kind === "block" || entity.kind === "model") {
      if (param.hasDefault) continue;
      const near = closest(param.name, [...eq.body.scope.names.keys()]);
      fail(eq.body, "DS0108", {
        title: `\`..\` finds no value for \`${param.name}\``,
        at: spread.span,
        label: `nothing named \`${param.name}\` can be seen here`,
        secondary: [{ span: param.span, text: `\`${decl.name.text}\` needs it` }],
        help: `name it: \`${param.name}: ${near ?? "…"}\``,
      });
      continue;
    }
    const expr1: Expr = { kind: "name", text: param.name, span: spread.span };
    const filled = fill(param, expr1, spread.span, header, bindings, eq, entityValue(entity, expr1, eq));
    args.set(param.name, filled);
    taken.push({ parameter: param.name, value: captureText(filled) });
  }
  if (spread === undefined) {
    for (const param of missing) {
      fail(eq.body, "DS0241", {
        title: `parameter \`${param.name}\` of \`${decl.name.text}\` is missing`,
        at: expr.span,
        label: `\`${param.name}\` has no value and no default`,
        secondary: [{ span: param.span, text: "declared here" }],
        help: `add \`${param.name}: …\`, or \`..\` to take equal names`,
      });
    }
  } else if (taken.length > 0) {
    eq.body.shared.recorder.captures.set(spanKey(spread.span), { span: spread.span, block: decl.name.text, taken });
  }
  return blockValueOf({ kind: "block", decl, args, span: expr.span }, header);
}

const isSize = (e: Element): boolean => e.kind === "integer";
const captureText = (arg: BlockArg): string =>
  arg.axis !== null
    ? plainText(printAxis(arg.axis))
    : arg.value.poly !== null
      ? plainText(printPoly(arg.value.poly))
      : printValueType(arg.value);

export function blockValueOf(block: BlockValue, header: Header | null): Value {
  const element: Element =
    header === null ? { kind: "unknown" } : { kind: "block", signature: { params: [], results: [] }, nullable: false };
  return { ...makeValue({ axes: [], element }, block.span, { isStatic: true }), block };
}

function fill(
  param: HeaderParam,
  expr: Expr,
  span: BlockArg["value"]["span"],
  header: Header,
  bindings: Bindings,
  eq: EquationContext,
  known: Value | null = null,
): BlockArg {
  if (param.type.element.kind === "integer" && param.type.axes.length === 0 && param.type.element.word === "dim") {
    const isNull = expr.kind === "null";
    const nullable = "type" in param.node && param.node.type.nullable !== null;
    if (isNull && nullable)
      return { value: { ...unknownValue(span), constant: null, element: { kind: "null" } }, expr, axis: null };
    const entity = expr.kind === "name" ? lookup(eq.body.scope, expr.text) : null;
    const value = known ?? (entity !== null && expr.kind === "name" ? entityValue(entity, expr, eq) : null);
    if (value !== null && value.element.kind === "null") return { value, expr, axis: null };
    const axis = value?.poly != null ? plainAxis(value.poly) : axisFrom(expr, eq);
    if (axis.kind === "plain") {
      const stray = [...atomsOf(axis.size).values()].find((a) => a.kind === "index");
      void stray;
    }
    bindings.set(param.name, axis);
    const poly = sizeOf(axis);
    return {
      value: makeValue({ axes: [], element: { kind: "integer", word: "dim" } }, span, { poly, isStatic: true }),
      expr,
      axis,
    };
  }
  const value = known ?? eq.body.shared.rules.infer(expr, eq);
  if (param.type.element.kind === "block") {
    if (!isUnknown(value) || value.block !== null) {
      signatureFits(param, value, span, header, bindings, eq);
    }
    return { value, expr, axis: null };
  }
  if (!isUnknown(value) && !value.isStatic) {
    fail(eq.body, "DS0126", {
      title: `parameter \`${param.name}\` must be known when compiling`,
      at: span,
      label: "this is known only when the model runs",
      secondary: [{ span: param.span, text: "declared here" }],
    });
    return { value, expr, axis: null };
  }
  const lifted = { ...param, type: substituteType(param.type, bindings) };
  const axes = matchArgument(lifted, value, span, header, bindings, eq);
  if (axes !== null && axes.length > 0) {
    fail(eq.body, "DS0209", {
      title: `one value is expected for \`${param.name}\``,
      at: span,
      label: `this is ${printValueType(value)}`,
      secondary: [{ span: param.span, text: "declared here" }],
    });
  }
  if (value.poly !== null && param.type.axes.length === 0) bindings.set(param.name, plainAxis(value.poly));
  return { value, expr, axis: null };
}
