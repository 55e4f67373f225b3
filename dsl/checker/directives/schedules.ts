/** `schedule for model { … }`: that each path is one of a definition, each strategy exists, and each phase is the model's. */
import type { Name, Schedule, SchedulePhase, ScheduleRule } from "../../ast/nodes.ts";
import { closest } from "../../diagnostics/suggest.ts";
import type { Shared } from "../context.ts";
import type { CheckedModel } from "../model.ts";
import { report } from "../recorder.ts";
import { readStrategy } from "./strategies.ts";
import { findPath, pathSpan, pathText } from "./value-paths.ts";

/** All schedules for one model: two rules for one definition are a mistake wherever they stand. */
export function checkSchedules(schedules: readonly Schedule[], checked: CheckedModel, shared: Shared): void {
  const checker = new Checker(checked, shared);
  for (const { rules, phases } of schedules) {
    for (const rule of rules) checker.rule(rule, "");
    for (const phase of phases) {
      checker.phase(phase);
      for (const rule of phase.rules) checker.rule(rule, phase.name.text);
    }
  }
}

class Checker {
  readonly #checked: CheckedModel;
  readonly #shared: Shared;
  readonly #first = new Map<string, readonly Name[]>();
  constructor(checked: CheckedModel, shared: Shared) {
    this.#checked = checked;
    this.#shared = shared;
  }

  phase({ name }: SchedulePhase): void {
    const { recorder } = this.#shared;
    const names = new Set(
      this.#checked.paths.flatMap(({ items }) =>
        items.flatMap(({ item }) => (item.kind === "phase" ? [item.name.text] : [])),
      ),
    );
    if (this.#checked.paths.length === 0 || names.has(name.text) || name.text === "") return;
    const near = closest(name.text, names);
    const all = names.size === 0 ? "the model has none" : `the model has ${[...names].join(", ")}`;
    report(recorder, "DS0309", {
      title: `no phase \`${name.text}\``,
      at: name.span,
      label: "a phase of the model should stand here",
      help: near === null ? all : `did you mean \`${near}\`?`,
      fix: near === null ? null : { title: `Change to ${near}`, span: name.span, replacement: near },
    });
  }

  rule(rule: ScheduleRule, phase: string): void {
    const { recorder, rules } = this.#shared;
    const path = pathText(rule.path);
    const before = this.#first.get(`${phase}:${path}`);
    if (before !== undefined) {
      report(recorder, "DS0303", {
        title: `two rules for \`${path}\``,
        at: pathSpan(rule.path, rule.span),
        label: "again here",
        secondary: [{ span: pathSpan(before, rule.span), text: "first here" }],
        help: "a rule of a phase goes before one of all phases; within one of them there is one rule",
      });
      return;
    }
    this.#first.set(`${phase}:${path}`, rule.path);
    const read = readStrategy(rule.strategy);
    if (!read.ok) report(recorder, "DS0307", read.problem);
    const found = findPath(rule.path, this.#checked.paths, rules.declared);
    if (found.kind === "unknown") return;
    if (found.kind === "nothing") {
      const { at, help, replacement } = found;
      const fix = replacement === null ? null : { title: `Change to ${replacement}`, span: at, replacement };
      const title = `no definition \`${path}\``;
      report(recorder, "DS0301", { title, at, label: "nothing has this name here", help, fix });
    } else if (found.kind === "other") {
      report(recorder, "DS0301", {
        title: `\`${path}\` is ${found.says}, no definition`,
        at: pathSpan(rule.path, rule.span),
        label: "a definition should stand here",
        help: found.says === "a part" ? `name what it defines: \`${path}.y\`` : null,
      });
    } else if (found.entities.every((e) => e.source.kind !== "definition")) {
      const kind = found.entities[0]?.source.kind ?? "weight";
      report(recorder, "DS0302", {
        title: `\`${path}\` is a ${kind}: it is not computed`,
        at: pathSpan(rule.path, rule.span),
        label: "a strategy is for what an equation defines",
      });
    }
  }
}
