/**
 * Implicit sums: an index that stands only on the right is summed over the smallest product that holds all its uses.
 * Anything else is never guessed.
 */
import type { Expr } from "../ast/nodes.ts";
import { plainText, printAxis } from "../types/axis.ts";
import { fail } from "./conditions.ts";
import type { EquationContext, IndexInfo } from "./context.ts";
import { spanKey } from "./recorder.ts";

/** Direct sub-expressions, subscripts and arguments included. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "group":
      return [expr.inner];
    case "tuple":
    case "join":
      return expr.items;
    case "set":
      return [
        ...expr.items,
        ...(expr.binder === null ? [] : [expr.binder]),
        ...(expr.where === null ? [] : [expr.where]),
      ];
    case "index":
      return [expr.base, ...expr.subscript.items, ...(expr.subscript.where === null ? [] : [expr.subscript.where])];
    case "call":
      return [expr.callee, ...expr.args.flatMap((a) => (a.kind === "argument" ? [a.value] : []))];
    case "member":
      return [expr.base];
    case "else":
      return [expr.value, expr.fallback];
    case "cast":
      return [expr.value];
    case "unary":
      return [expr.operand];
    case "binary":
      return [expr.left, expr.right];
    case "conditional":
      return [expr.condition, expr.then, expr.else];
    default:
      return [];
  }
}

/** How often each free index is used below each node. */
function countUses(root: Expr, eq: EquationContext): Map<Expr, Map<IndexInfo, number>> {
  const counts = new Map<Expr, Map<IndexInfo, number>>();
  const visit = (expr: Expr): Map<IndexInfo, number> => {
    const own = new Map<IndexInfo, number>();
    const info = eq.uses.get(expr);
    if (info !== undefined && info.role === "free") own.set(info, 1);
    for (const child of childrenOf(expr)) {
      for (const [index, n] of visit(child)) own.set(index, (own.get(index) ?? 0) + n);
    }
    counts.set(expr, own);
    return own;
  };
  visit(root);
  return counts;
}

/** Finds the sum of every free index and reports those that are ambiguous or used once. */
export function inferSums(root: Expr, eq: EquationContext): void {
  const counts = countUses(root, eq);
  const sums = new Map<Expr, IndexInfo[]>();
  for (const info of eq.all) {
    if (info.role !== "free") continue;
    const total = counts.get(root)?.get(info) ?? 0;
    if (total === 0) continue;
    let node = root;
    for (;;) {
      const next = childrenOf(node).find((child) => (counts.get(child)?.get(info) ?? 0) === total);
      if (next === undefined) break;
      node = next;
    }
    if (total === 1) {
      fail(eq.body, "DS0211", {
        title: `index \`${info.name}\` is used once and not on the left`,
        at: info.span,
        label: "one use makes no sum",
        help: onceHelp(info, node, root, eq),
      });
      continue;
    }
    const product = node.kind === "binary" && (node.op === "*" || node.op === "/");
    if (!product) {
      const text = node.span.source.text.slice(node.span.start, node.span.end);
      fail(eq.body, "DS0210", {
        title: `the sum over \`${info.name}\` is ambiguous`,
        at: node.span,
        label: `\`${info.name}\` is used here, and this is no product of two factors that have it`,
        secondary: [{ span: info.span, text: `\`${info.name}\` does not stand on the left` }],
        help: `write the sum: \`sum[${info.name}](${text.length > 80 ? "…" : text})\``,
      });
      continue;
    }
    const known = sums.get(node);
    if (known === undefined) sums.set(node, [info]);
    else known.push(info);
  }
  for (const [node, infos] of sums)
    eq.body.sums.set(
      node,
      infos.map((info) => info.name),
    );
  if (eq.body.quiet) return;
  for (const [node, infos] of sums) {
    const { recorder } = eq.body.shared;
    const names = infos.map((i) => (i.axis === null || i.axis.restriction !== null ? i.name : i.name)).join(", ");
    recorder.annotations.set(`${spanKey(node.span)}:sum`, {
      kind: "sum",
      span: node.span,
      before: `sum[${names}](`,
      after: ")",
    });
    const ranges = infos.map((i) => `\`${i.name}\` in ${i.axis === null ? "?" : plainText(printAxis(i.axis))}`);
    if (!recorder.hovers.has(spanKey(node.span))) {
      recorder.hovers.set(spanKey(node.span), { span: node.span, text: `sum over ${ranges.join(", ")}` });
    }
  }
}

/** A forgotten index on the left, or a sum to be written out. */
function onceHelp(info: IndexInfo, node: Expr, root: Expr, eq: EquationContext): string {
  void node;
  const text = root.span.source.text.slice(root.span.start, root.span.end);
  const sum = text.length > 60 ? `sum[${info.name}](…)` : `sum[${info.name}](${text})`;
  const left = eq.all.filter((i) => i.role === "left").map((i) => i.name);
  return `\`${[...left, info.name].join(",")}\` on the left, or \`${sum}\``;
}
