/** Paths through the `if`s of a body: each `if` is tried both ways, the same condition the same way everywhere. */
import type { Expr, ModelItem } from "../ast/nodes.ts";
import { spanText } from "../diagnostics/source.ts";
import type { PathCondition } from "./context.ts";

export interface Path<I extends ModelItem = ModelItem> {
  readonly items: readonly Exclude<I, { kind: "if" }>[];
  readonly conditions: readonly PathCondition[];
}

/** With more combinations than this each `if` is still tried both ways, but not with every choice of the others. */
const mostPaths = 48;

const textOf = (expr: Expr): string => spanText(expr.span).replace(/\s+/g, " ");

/** `decide` may rule a branch out, or in, from what is known already. */
export function pathsOf<I extends ModelItem>(
  items: readonly I[],
  decide: (expr: Expr) => boolean | null = () => null,
): readonly Path<I>[] {
  const conditions = conditionsIn(items);
  const choices: ReadonlyMap<string, boolean>[] = [];
  if (2 ** conditions.length <= mostPaths) {
    for (let bits = 0; bits < 2 ** conditions.length; bits += 1) {
      choices.push(new Map(conditions.map((c, i) => [c.text, ((bits >> i) & 1) === 0])));
    }
  } else {
    for (const base of [true, false]) {
      choices.push(new Map(conditions.map((c) => [c.text, base])));
      for (const one of conditions) choices.push(new Map(conditions.map((c) => [c.text, c === one ? !base : base])));
    }
  }
  const seen = new Set<string>();
  const paths: Path<I>[] = [];
  for (const choice of choices) {
    const path = follow(items, choice, decide);
    if (path === null) continue;
    const key = path.conditions.map((c) => `${textOf(c.expr)}=${c.holds}`).join(";");
    if (seen.has(key)) continue;
    seen.add(key);
    paths.push(path);
  }
  return paths;
}

function conditionsIn(items: readonly ModelItem[]): readonly { readonly text: string }[] {
  const found = new Map<string, { text: string }>();
  const visit = (list: readonly ModelItem[]): void => {
    for (const item of list) {
      if (item.kind !== "if") continue;
      const text = textOf(item.condition);
      if (!found.has(text)) found.set(text, { text });
      visit(item.then);
      visit(item.else ?? []);
    }
  };
  visit(items);
  return [...found.values()];
}

function follow<I extends ModelItem>(
  items: readonly I[],
  choice: ReadonlyMap<string, boolean>,
  decide: (expr: Expr) => boolean | null,
): Path<I> | null {
  const flat: Exclude<I, { kind: "if" }>[] = [];
  const conditions: PathCondition[] = [];
  const visit = (list: readonly ModelItem[]): boolean => {
    for (const item of list) {
      if (item.kind !== "if") {
        flat.push(item as Exclude<I, { kind: "if" }>);
        continue;
      }
      const holds = choice.get(textOf(item.condition)) ?? true;
      const known = decide(item.condition);
      if (known !== null && known !== holds) return false;
      if (!conditions.some((c) => textOf(c.expr) === textOf(item.condition)))
        conditions.push({ expr: item.condition, holds });
      if (!visit(holds ? item.then : (item.else ?? []))) return false;
    }
    return true;
  };
  return visit(items) ? { items: flat, conditions } : null;
}
