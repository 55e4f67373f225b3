/** `numerics { layer.attn.key : bf16 }`: that each path is one of a value that is stored, and each format one that it can be stored in. */
import type { NumericsRule } from "../../ast/nodes.ts";
import type { Entity, Shared } from "../context.ts";
import type { CheckedModel } from "../model.ts";
import { report } from "../recorder.ts";
import { findPath, pathSpan, pathText } from "./value-paths.ts";

export const storedFormats = ["f32", "bf16", "f16"] as const;
export type StoredFormat = (typeof storedFormats)[number];
export const storedFormat = (word: string): StoredFormat | null => storedFormats.find((f) => f === word) ?? null;

/** Those of an ancestor were checked with it: a child may have nothing of that path any more. */
export function checkNumerics({ model, paths }: CheckedModel, shared: Shared): void {
  const rules = new Set(
    paths.flatMap(({ items }) =>
      items.flatMap(({ item, ancestor }) => (item.kind === "numerics" && ancestor.model === model ? item.rules : [])),
    ),
  );
  const first = new Map<string, NumericsRule>();
  for (const rule of rules) {
    const path = pathText(rule.path);
    const before = first.get(path);
    if (before === undefined) first.set(path, rule);
    else {
      report(shared.recorder, "DS0303", {
        title: `two rules for \`${path}\``,
        at: pathSpan(rule.path, rule.span),
        label: "again here",
        secondary: [{ span: pathSpan(before.path, before.span), text: "first here" }],
      });
      continue;
    }
    checkRule(rule, path, paths, shared);
  }
}

function checkRule(rule: NumericsRule, path: string, paths: CheckedModel["paths"], shared: Shared): void {
  const { recorder, rules } = shared;
  const found = findPath(rule.path, paths, rules.declared);
  if (found.kind === "unknown") return;
  if (found.kind === "nothing") {
    const { at, help, replacement } = found;
    const fix = replacement === null ? null : { title: `Change to ${replacement}`, span: at, replacement };
    report(recorder, "DS0306", { title: `no value \`${path}\``, at, label: "nothing has this name here", help, fix });
    return;
  }
  if (found.kind === "other") {
    report(recorder, "DS0306", {
      title: `\`${path}\` is ${found.says}, no value`,
      at: pathSpan(rule.path, rule.span),
      label: "a definition, a state or a weight should stand here",
      help: found.says === "a part" ? `name a value of it: \`${path}.y\`` : null,
    });
    return;
  }
  const why = objection(rule.scalar.text, found.entities);
  if (why === null) return;
  report(recorder, "DS0308", {
    title: `\`${path}\` is not stored as ${rule.scalar.text}`,
    at: rule.scalar.span,
    label: why,
    help: `there is ${storedFormats.join(", ")}`,
  });
}

const withScales: ReadonlySet<string> = new Set(["e4m3", "e5m2", "e2m1", "e8m0"]);
function objection(word: string, entities: readonly Entity[]): string | null {
  const elements = entities.flatMap((e) => (e.value === null ? [] : [e.value.element]));
  if (elements.some((e) => e.kind !== "float" && e.kind !== "unknown")) return "the value is no real number";
  const format = storedFormat(word);
  if (format === null)
    return withScales.has(word) ? "values of this format need scales beside them" : "kernels do not store this format";
  const least = elements.find((e) => e.kind === "float" && (e.word === "f32" || e.word === "f64"));
  if (least?.kind !== "float" || format === "f32") return null;
  return `the text asks for at least ${least.word}`;
}
