/** Indices of an equation: where they are bound and over what they range. */
import type { Expr, NameExpr } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import {
  type Axis,
  indexAtom,
  indexToken,
  matchAxes,
  plainAxis,
  plainText,
  printAxis,
  restrictAxis,
  sizeOf,
  wholeAxis,
} from "../types/axis.ts";
import { withBounds } from "../types/facts.ts";
import { constant, indexKey, one, type Poly, sub, zero } from "../types/poly.ts";
import { factsOf, fail } from "./conditions.ts";
import { type EquationContext, type IndexInfo, type IndexRole, lookup, type Value } from "./context.ts";
import { expressionKey, ungroup } from "./keys.ts";
import { addHover, addReference, declareSymbol } from "./recorder.ts";
import { axisFrom } from "./sizes.ts";
import { isUnknown, renameWithBounds, selfName } from "./values.ts";

/** A new index; its token is unique in the equation even where a name is bound twice. */
export function bindIndex(expr: NameExpr, role: IndexRole, eq: EquationContext): IndexInfo {
  const twins = eq.bound.get(expr.text) ?? 0;
  eq.bound.set(expr.text, twins + 1);
  const info: IndexInfo = {
    name: expr.text,
    token: twins === 0 ? expr.text : `${expr.text}′${twins + 1}`,
    role,
    span: expr.span,
    ranges: [],
    isStatic: false,
    axis: null,
    reads: 0,
  };
  eq.all.push(info);
  const stack = eq.indices.get(expr.text);
  if (stack === undefined) eq.indices.set(expr.text, [info]);
  else stack.push(info);
  eq.uses.set(expr, info);
  if (lookup(eq.body.scope, expr.text) !== null) {
    fail(eq.body, "DS0103", {
      title: `index \`${expr.text}\` has the name of a value`,
      at: expr.span,
      label: "this would be read as the value, not as an index",
      secondary: [{ span: lookup(eq.body.scope, expr.text)?.span ?? expr.span, text: "the value is declared here" }],
      help: "give the index another letter",
    });
  }
  return info;
}

export function addRange(info: IndexInfo, axis: Axis, span: Span, written: boolean): void {
  info.ranges.push({ axis, span, written });
}

/** The range as far as it is known: the first known axis, with the restriction of whichever has one. */
export function indexRange(info: IndexInfo): Axis | null {
  const known = info.ranges.find((r) => r.axis.kind !== "unknown") ?? info.ranges[0];
  if (known === undefined) return null;
  const restricted = info.ranges.find((r) => r.axis.restriction !== null);
  return restricted === undefined ? known.axis : restrictAxis(known.axis, restricted.axis.restriction);
}

/** Compares all axes an index stands on, and makes its bounds known. */
export function settleIndex(info: IndexInfo, eq: EquationContext): void {
  const range = indexRange(info);
  info.axis = range;
  const { body } = eq;
  const [first, ...others] = info.ranges.filter((r) => r.axis.kind !== "unknown");
  // Of two indices that stand on each other's axes the first says it for both.
  if (first !== undefined && eq.mismatched.length === 0) {
    for (const other of others) {
      const match = matchAxes(first.axis, other.axis, body.facts);
      if (match === "equal") continue;
      const [a, b] = [plainText(printAxis(first.axis)), plainText(printAxis(other.axis))];
      const secondary = [{ span: first.span, text: `${first.written ? "it ranges over" : "this axis is"} ${a}` }];
      if (match === "restriction") {
        fail(body, "DS0214", {
          title: `two different restrictions on index \`${info.name}\``,
          at: other.span,
          label: `this exists only for ${plainText(other.axis.restriction?.key ?? "some")}`,
          secondary: [
            { span: first.span, text: `this exists only for ${plainText(first.axis.restriction?.key ?? "some")}` },
          ],
          help: "all but one must be whole axes; `… else 0` fills a restricted value",
        });
      } else {
        fail(body, match === "size" ? "DS0201" : "DS0202", {
          title:
            match === "size"
              ? `index \`${info.name}\` stands on two axes of different size`
              : `index \`${info.name}\` stands on two axes of different layout`,
          at: other.span,
          label: `${other.written ? "it ranges over" : "this axis is"} ${b}`,
          secondary,
          help: match === "layout" ? "regroup one of them first by a declared type: `v : [(2, J)] := x`" : null,
        });
      }
      eq.mismatched.push(info);
      break;
    }
  }
  if (range === null) return;
  const size = sizeOf(range);
  if (size !== null) {
    const bounds = { lower: zero, upper: sub(size, one) };
    body.facts = withBounds(body.facts, indexKey(indexToken(info.token)), bounds);
  }
  for (const { axis } of info.ranges) {
    for (const fact of axis.restriction?.facts ?? []) {
      eq.facts.push(renameWithBounds(body, fact, new Map([[selfName, indexAtom(info.token)]])));
    }
  }
  if (!body.quiet) {
    const text = `index \`${info.name}\` in ${plainText(printAxis(range))}`;
    addHover(body.shared.recorder, info.span, text);
  }
}

/** What stands after `in`: an axis, or a set of indices of one. */
export function rangeFrom(expr: Expr, eq: EquationContext): Axis {
  const inner = ungroup(expr);
  const mayBeSet = inner.kind === "name" || inner.kind === "index" || inner.kind === "call" || inner.kind === "set";
  if (!mayBeSet) return axisFrom(expr, eq);
  const value: Value = eq.body.shared.rules.infer(inner, eq);
  if (isUnknown(value)) return { kind: "unknown", restriction: null };
  if (value.element.kind !== "set") return axisFrom(expr, eq);
  if (value.axes.length > 0) {
    fail(eq.body, "DS0209", {
      title: "one set is expected, here are several",
      at: expr.span,
      label: "this is a set for each index of its open axes",
      help: "index it: `near[t]`",
    });
  }
  const { of, facts, atMost } = value.element;
  const { constant: known } = value;
  if (of.kind === "unknown" && typeof known === "object" && known !== null && known.kind === "set") {
    // Numbers that are written out: they lie below their greatest, and each read must show that this is inside.
    const numbers = known.items.filter((i): i is bigint => typeof i === "bigint");
    const most = numbers.reduce((a, b) => (a > b ? a : b), 0n);
    return restrictAxis(plainAxis(constant(most + 1n)), { key: expressionKey(inner, eq), facts, atMost });
  }
  return restrictAxis(wholeAxis(of), { key: expressionKey(inner, eq), facts, atMost });
}

/**
 * Binds the indices of a reduction or a set, with their written ranges and condition, looks at what `inside` infers, and
 * settles them.
 */
export function withIndices(
  items: readonly Expr[],
  where: Expr | null,
  node: Expr,
  eq: EquationContext,
  inside: (infos: readonly IndexInfo[], facts: readonly Poly[]) => Value,
): Value {
  const infos: IndexInfo[] = [];
  /** `{ s in S }` and the count of a set use nothing of it. */
  const ranges = new Set<IndexInfo>();
  for (const item of items) {
    const inner = ungroup(item);
    const ranged = inner.kind === "binary" && inner.op === "in";
    const name = ranged ? ungroup(inner.left) : inner;
    if (name.kind !== "name") {
      fail(eq.body, "DS0211", {
        title: "an index name is expected",
        at: item.span,
        label: "write the index to run over, as `i` or `i in N`",
      });
      continue;
    }
    const range = ranged ? rangeFrom(inner.right, eq) : null;
    const info = bindIndex(name, "bound", eq);
    if (range !== null) addRange(info, range, ranged ? inner.right.span : item.span, true);
    infos.push(info);
    if (node.kind === "set") ranges.add(info);
  }
  eq.binders.set(node, infos);
  const before = eq.facts.length;
  let facts: readonly Poly[] = [];
  if (where !== null) {
    eq.body.shared.rules.infer(where, eq);
    facts = factsOf(where, eq);
    eq.facts.push(...facts);
  }
  const value = inside(infos, facts);
  eq.facts.length = before;
  for (const info of infos) {
    settleIndex(info, eq);
    eq.indices.get(info.name)?.pop();
    const uses = [...eq.uses.values()].filter((used) => used === info).length;
    if (uses <= 1 && info.ranges.length > 0 && !ranges.has(info)) {
      fail(eq.body, "DS0107", {
        title: `index \`${info.name}\` is never used`,
        severity: "warning",
        at: info.span,
        label: "nothing below depends on it",
      });
    }
    if (info.axis === null) {
      fail(eq.body, "DS0212", {
        title: `range of index \`${info.name}\` is unknown`,
        at: info.span,
        label: "it stands on no axis, so it does not say how far it runs",
        help: `write its range: \`${info.name} in N\``,
      });
    }
  }
  return value;
}

/** Registers an index as a symbol of the equation and its uses as references, for editors. */
export function recordIndices(eq: EquationContext, scope: Span): void {
  const { recorder } = eq.body.shared;
  const ids = new Map<IndexInfo, number>();
  for (const info of eq.all) {
    const detail = info.axis === null ? "index" : `in ${plainText(printAxis(info.axis))}`;
    ids.set(
      info,
      declareSymbol(recorder, { name: info.name, kind: "index", span: info.span, scope, doc: null, detail }),
    );
  }
  for (const [expr, info] of eq.uses) {
    const id = ids.get(info);
    if (id !== undefined) addReference(recorder, expr.span, id);
  }
}
