/** The directives of a checked model for one of its entries. */
import type { ScheduleRule } from "../../dsl/ast/nodes.ts";
import type { BoundModel } from "../../dsl/checker/check-project.ts";
import { storedFormat } from "../../dsl/checker/directives/numerics.ts";
import { readStrategy } from "../../dsl/checker/directives/strategies.ts";
import { pathSpan, pathText } from "../../dsl/checker/directives/value-paths.ts";
import type { FormatRule } from "../elaborate/context.ts";
import type { CallKind, Directives, StorageRule, StrategyRule } from "./directives.ts";
import { callsOf } from "./phase-calls.ts";

export function readDirectives(model: BoundModel, entry: string): Directives {
  const formats = new Map<string, StorageRule>();
  // A child comes after its parent, and its rules go before the parent's.
  for (const { item } of model.path.items) {
    if (item.kind !== "numerics") continue;
    for (const rule of item.rules) {
      const path = pathIn(pathText(rule.path), entry, model);
      const format = storedFormat(rule.scalar.text);
      if (path !== null && format !== null) formats.set(path, { format, at: rule.span });
    }
  }
  const strategies = model.schedules.flatMap(({ rules, phases }) => [
    ...rules.flatMap((rule) => strategyRule(rule, null, entry, model)),
    ...phases.flatMap((phase) => {
      const calls = callsOf(phase.name.text, entry, model);
      return calls === null ? [] : phase.rules.flatMap((rule) => strategyRule(rule, calls, entry, model));
    }),
  ]);
  return { formats, strategies };
}

/** What `numerics` keeps in less than f32, by path. */
export function narrowFormats(model: BoundModel, entry: string): (path: string) => FormatRule | null {
  const { formats } = readDirectives(model, entry);
  return (path) => narrowRule(formats.get(path));
}

export const narrowRule = (rule: StorageRule | undefined): FormatRule | null =>
  rule === undefined || rule.format === "f32" ? null : { format: rule.format, at: rule.at };

function strategyRule(
  rule: ScheduleRule,
  calls: CallKind | null,
  entry: string,
  model: BoundModel,
): readonly StrategyRule[] {
  const path = pathIn(pathText(rule.path), entry, model);
  const read = readStrategy(rule.strategy);
  return path === null || !read.ok
    ? []
    : [{ path, strategy: read.strategy, calls, at: pathSpan(rule.path, rule.span) }];
}

/** The path as labels of the graph have it: without the entry's name. Null for what another entry defines. */
function pathIn(path: string, entry: string, { path: { entries } }: BoundModel): string | null {
  const [first = "", ...rest] = path.split(".");
  if (!entries.has(first)) return path;
  return first === entry ? rest.join(".") : null;
}
