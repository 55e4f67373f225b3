/** Families of parts: which of their members are alike. */
import type { Expr } from "../../ast/nodes.ts";
import { spanText } from "../../diagnostics/source.ts";
import type { BlockValue, PartInfo } from "../context.ts";
import { mentions } from "../part-calls.ts";
import { evaluateStatic, type StaticScope } from "../static.ts";
import { showKnown } from "../use.ts";
import { countOf, type Env } from "./env.ts";

/** Members of a longer one are not told apart. */
const mostMembers = 100_000;

/** A family's members that are alike. */
interface Variant {
  readonly block: BlockValue;
  readonly env: Env;
  readonly members: readonly number[] | null;
  readonly condition: string;
  readonly undecided: boolean;
}

/** Members of a family in groups that are alike, found by evaluating what depends on the index. */
export function variantsOf(info: PartInfo, env: Env): readonly Variant[] {
  const { family, block } = info;
  if (family === null) return [{ block, env, members: null, condition: "", undecided: false }];
  const count = countOf(family.axis, env);
  const all = count === null || count > mostMembers ? null : Array.from({ length: count }, (_, i) => i);
  const differing = dependents(family.index, block);
  if (differing.length === 0) return [{ block, env, members: all, condition: "", undecided: false }];
  const withIndex = (i: number): Env => ({
    ...env,
    scope: { ...env.scope, value: (name) => (name === family.index ? BigInt(i) : env.scope.value(name)) },
  });
  if (all !== null) {
    const groups = new Map<string, number[]>();
    for (const i of all) {
      const { scope } = withIndex(i);
      const keys = differing.map((e) => differenceKey(e, family.index, scope));
      if (keys.includes(null)) return [{ block, env, members: all, condition: "", undecided: true }];
      const key = keys.join(";");
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [i]);
      else group.push(i);
    }
    return [...groups.values()].map((members) => ({
      block,
      env: withIndex(members[0] ?? 0),
      members,
      condition: `${family.index} in ${runs(members)}`,
      undecided: false,
    }));
  }
  return [{ block, env, members: all, condition: "", undecided: true }];
}

/** What an expression is for one member, as text: its value, or which of its branches stands for it. */
function differenceKey(expr: Expr, index: string, scope: StaticScope): string | null {
  const value = evaluateStatic(expr, scope);
  if (value !== undefined) return showKnown(value);
  if (expr.kind === "group") return differenceKey(expr.inner, index, scope);
  if (expr.kind === "conditional") {
    const truth = evaluateStatic(expr.condition, scope);
    return typeof truth === "boolean" ? differenceKey(truth ? expr.then : expr.else, index, scope) : null;
  }
  return mentions(expr, index) ? null : spanText(expr.span);
}

/** `0..2, 5, 7..9` */
function runs(members: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < members.length; ) {
    let end = i;
    while (members[end + 1] === (members[end] ?? 0) + 1) end += 1;
    parts.push(end === i ? String(members[i]) : `${members[i]}..${members[end]}`);
    i = end + 1;
  }
  return parts.length > 8 ? `${parts.slice(0, 7).join(", ")}, …` : parts.join(", ");
}

/** Conditions and arguments below a block expression that mention the index. */
function dependents(index: string, block: BlockValue): readonly Expr[] {
  const found: Expr[] = [];
  const visit = (value: BlockValue): void => {
    if (value.kind === "choice") {
      if (mentions(value.condition, index)) found.push(value.condition);
      visit(value.yes);
      visit(value.no);
    }
    if (value.kind === "block") {
      for (const arg of value.args.values()) {
        if (arg.value.block !== null) visit(arg.value.block);
        else if (arg.expr !== null && mentions(arg.expr, index)) found.push(arg.expr);
      }
    }
  };
  visit(block);
  return found;
}
