/** Phases and loops: what the runtime may call, and what feeds what. */
import type { Entry, Expr, Loop, ModelItem, Name, Phase } from "../ast/nodes.ts";
import { closest } from "../diagnostics/suggest.ts";
import { sub } from "../types/poly.ts";
import { isSurelyNonNegative } from "../types/prove.ts";
import { fail } from "./conditions.ts";
import type { Body } from "./context.ts";
import { newEquation } from "./equation-context.ts";
import { checkExpression } from "./equations.ts";
import { ungroup } from "./keys.ts";
import { addReference } from "./recorder.ts";

const resultNames = (entry: Entry): readonly string[] => entry.results.map((r) => r.name.text);
const inputNames = (entry: Entry): readonly string[] => entry.params.flatMap((p) => p.names.map((n) => n.text));

function entryOf(name: Name, items: readonly ModelItem[], body: Body): Entry | null {
  const entries = items.flatMap((i) => (i.kind === "entry" ? [i] : []));
  const found = entries.find((e) => e.name.text === name.text);
  const entity = body.scope.names.get(name.text);
  if (entity !== undefined) {
    entity.uses += 1;
    addReference(body.shared.recorder, name.span, entity.symbol);
  }
  if (found !== undefined || name.text === "") return found ?? null;
  const near = closest(
    name.text,
    entries.map((e) => e.name.text),
  );
  fail(body, "DS0101", {
    title: `no entry named \`${name.text}\``,
    at: name.span,
    label: "phases and loops name an entry",
    help: near === null ? null : `did you mean \`${near}\`?`,
  });
  return null;
}

export function checkPhase(phase: Phase, items: readonly ModelItem[], body: Body): void {
  const entry = entryOf(phase.entry, items, body);
  if (entry !== null) {
    for (const name of phase.results) {
      if (resultNames(entry).includes(name.text)) continue;
      const near = closest(name.text, resultNames(entry));
      fail(body, "DS0101", {
        title: `\`${entry.name.text}\` has no result \`${name.text}\``,
        at: name.span,
        label: `it gives ${resultNames(entry).join(", ")}`,
        help: near === null ? null : `did you mean \`${near}\`?`,
      });
    }
  }
  if (phase.where === null) return;
  checkExpression(phase.where, body);
  checkRange(phase.where, body);
}

/** A phase that asks for sizes the run-time range does not allow can never run. */
function checkRange(condition: Expr, body: Body): void {
  const expr = ungroup(condition);
  if (expr.kind !== "binary") return;
  if (expr.op === "and") {
    checkRange(expr.left, body);
    checkRange(expr.right, body);
    return;
  }
  const name = ungroup(expr.left);
  if (name.kind !== "name") return;
  const entity = body.scope.names.get(name.text);
  if (entity?.source.kind !== "runtime") return;
  const eq = newEquation(body, condition.span);
  const range = ungroup(entity.source.decl.range);
  if (range.kind !== "binary" || range.op !== "..") return;
  const [least, most] = [range.left, range.right].map((e) => body.shared.rules.infer(e, eq).poly);
  const asked = ungroup(expr.right);
  const ends =
    expr.op === "in" && asked.kind === "binary" && asked.op === ".."
      ? [asked.left, asked.right]
      : expr.op === "=="
        ? [asked, asked]
        : [];
  const [low, high] = ends.map((e) => body.shared.rules.infer(e, eq).poly);
  if (least == null || most == null || low == null || high == null) return;
  const below = isSurelyNonNegative(sub(least, low), body.pathFacts) && least.key !== low.key;
  const above = isSurelyNonNegative(sub(high, most), body.pathFacts) && high.key !== most.key;
  if (!below && !above) return;
  fail(body, "DS0524", {
    title: `\`${name.text}\` outside its range`,
    at: asked.span,
    label: above ? "this is more than the range allows" : "this is less than the range allows",
    secondary: [{ span: entity.source.decl.range.span, text: "the range is declared here" }],
  });
}

export function checkLoop(loop: Loop, items: readonly ModelItem[], body: Body): void {
  const entry = entryOf(loop.entry, items, body);
  if (loop.count !== null) checkExpression(loop.count, body);
  if (loop.verb.text !== "sample" && loop.verb.text !== "iterate") {
    fail(body, "DS0001", {
      title: `unknown kind of loop \`${loop.verb.text}\``,
      at: loop.verb.span,
      label: "`sample` or `iterate` should stand here",
      help:
        closest(loop.verb.text, ["sample", "iterate"]) === "iterate"
          ? "did you mean `iterate`?"
          : "did you mean `sample`?",
    });
    return;
  }
  if (entry === null) return;
  if (loop.verb.text === "sample" && !resultNames(entry).some((n) => n === "logits" || n === "next")) {
    fail(body, "DS0520", {
      title: "nothing to sample",
      at: loop.entry.span,
      label: `\`${entry.name.text}\` gives ${resultNames(entry).join(", ")}`,
      help: "`sample` needs a result `logits` or `next`",
    });
  }
  if (loop.verb.text === "iterate") checkIterates(loop, entry, body);
  checkOptional(loop, entry, items, body);
  if (loop.draft === null) return;
  const draft = entryOf(loop.draft, items, body);
  if (!items.some((i) => i.kind === "phase" && i.name.text === "verify")) {
    fail(body, "DS0522", {
      title: "`draft` without a `verify` phase",
      at: loop.draft.span,
      label: "what is drafted must be verified",
      help: `\`phase verify = ${entry.name.text} -> logits where T in 1..8\``,
    });
  }
  if (draft === null) return;
  const fed = new Set(resultNames(entry));
  for (const param of draft.params) {
    const byRuntime = param.type.scalar?.kind === "index-type";
    if (byRuntime) continue;
    for (const name of param.names) {
      if (fed.has(name.text)) continue;
      fail(body, "DS0521", {
        title: `nothing feeds \`${name.text}\` of \`${draft.name.text}\``,
        at: loop.draft.span,
        label: `\`${entry.name.text}\` has no result \`${name.text}\``,
        secondary: [{ span: name.span, text: "this input" }],
        help: `add \`${name.text}\` to the results of \`${entry.name.text}\``,
      });
    }
  }
}

/** `z_next` feeds `z`; an iteration in which nothing feeds anything never moves. */
function checkIterates(loop: Loop, entry: Entry, body: Body): void {
  const inputs = inputNames(entry);
  for (const result of entry.results) {
    const name = result.name.text;
    const input = name.endsWith("_next") ? name.slice(0, -5) : name;
    if (inputs.includes(input)) return;
  }
  fail(body, "DS0521", {
    title: `nothing feeds an input of \`${entry.name.text}\``,
    at: loop.entry.span,
    label: `it gives ${resultNames(entry).join(", ")} and takes ${inputs.join(", ")}`,
    help: `an output \`${inputs[0] ?? "z"}_next\` feeds the input \`${inputs[0] ?? "z"}\` of the next call`,
  });
}

/** The entry that a loop turns may not need a part that may be absent; a drafting entry may. */
function checkOptional(loop: Loop, entry: Entry, items: readonly ModelItem[], body: Body): void {
  const optional = items.flatMap((i) => (i.kind === "part" && i.optional !== null ? [i] : []));
  for (const part of optional) {
    const call = findName(entry.items, part.name.text);
    if (call === null) continue;
    fail(body, "DS0244", {
      title: `optional part \`${part.name.text}\` is used where it may be absent`,
      at: call,
      label: `\`${entry.name.text}\` is needed by loop \`${loop.name.text}\`, with or without this part`,
      secondary: [{ span: part.optional ?? part.span, text: "it is optional here" }],
      help: "give it an entry of its own, or leave `optional` out",
    });
  }
}

function findName(value: unknown, name: string): Name["span"] | null {
  if (typeof value !== "object" || value === null) return null;
  if ("kind" in value && value.kind === "name" && "text" in value && value.text === name && "span" in value) {
    return value.span as Name["span"];
  }
  for (const [key, inner] of Object.entries(value)) {
    if (key === "span") continue;
    const found = findName(inner, name);
    if (found !== null) return found;
  }
  return null;
}
