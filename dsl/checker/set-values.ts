/** Sets: `{1, 14}`, by condition, and by image. */
import type { SetExpr } from "../ast/nodes.ts";
import { indexAtom, restrictAxis, sizeOf } from "../types/axis.ts";
import { constant } from "../types/poly.ts";
import { type Element, printValueType } from "../types/value-type.ts";
import { fail } from "./conditions.ts";
import type { EquationContext, Static, Value } from "./context.ts";
import { indexRange, withIndices } from "./indices.ts";
import { isUnknown, makeValue, renameWithBounds, selfName, unknownValue } from "./values.ts";

/** `{1, 14}`, `{ s in S where c }`, `{ f(j) for j in K }`. */
export function setValue(expr: SetExpr, eq: EquationContext): Value {
  const only = expr.items[0];
  if (expr.binder === null && only?.kind === "binary" && only.op === "in" && expr.items.length === 1) {
    return withIndices([only], expr.where, expr, eq, (infos, facts) => {
      const info = infos[0];
      const axis = info === undefined ? null : indexRange(info);
      if (info === undefined || axis === null) return unknownValue(expr.span);
      const self = new Map([[info.token, indexAtom(selfName)]]);
      const element: Element = {
        kind: "set",
        of: axis.restriction === null ? axis : restrictAxis(axis, null),
        facts: facts.map((fact) => renameWithBounds(eq.body, fact, self)),
        atMost: null,
      };
      return makeValue({ axes: [], element }, expr.span);
    });
  }
  if (expr.binder !== null) {
    const { binder } = expr;
    return withIndices([binder], expr.where, expr, eq, (infos) => {
      const image = only === undefined ? unknownValue(expr.span) : eq.body.shared.rules.infer(only, eq);
      const range = infos[0] === undefined ? null : indexRange(infos[0]);
      if (image.element.kind !== "index") {
        if (!isUnknown(image)) {
          fail(eq.body, "DS0221", {
            title: "a set holds indices of an axis",
            at: only?.span ?? expr.span,
            label: `this is ${printValueType(image)}`,
            help: "say whose index it is: `as in E`, or a weight of type `in E`",
          });
        }
        return unknownValue(expr.span);
      }
      const atMost = range === null ? null : sizeOf(range);
      return makeValue({ axes: [], element: { kind: "set", of: image.element.of, facts: [], atMost } }, expr.span, {
        tainted: image.tainted,
      });
    });
  }
  const items = expr.items.map((item) => eq.body.shared.rules.infer(item, eq));
  const constants = items.map((item) => item.constant);
  const known = constants.every((c) => c !== undefined);
  return makeValue(
    {
      axes: [],
      element: { kind: "set", of: { kind: "unknown", restriction: null }, facts: [], atMost: constant(items.length) },
    },
    expr.span,
    {
      isStatic: items.every((i) => i.isStatic),
      constant: known ? { kind: "set", items: constants as Static[] } : undefined,
    },
  );
}
