/**
 * Texts of declared choices, `method : "a" | "b"`: a selection by them covers every one, and they are compared with
 * nothing else. What is left at the end of a chain of `? :` or `if` may be one choice, never several: so a choice that is
 * added later, by an heir, cannot fall into a branch that was written for another.
 */
import type { Expr, If, ModelItem, TypeNode } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import { closest } from "../diagnostics/suggest.ts";
import { ungroup } from "./keys.ts";
import { type Recorder, report } from "./recorder.ts";

/** `null` is a choice where the type has a `?`. */
type Choice = string | null;

/** What each name may still be, with its declaration. */
type Left = ReadonlyMap<string, { readonly choices: readonly Choice[]; readonly span: Span }>;

interface Declared {
  readonly names: readonly { readonly text: string; readonly span: Span }[];
  readonly type: TypeNode;
}

/** `holds`: the first branch is for `picks`; else the second. */
interface Selection {
  readonly name: string;
  readonly picks: readonly Choice[];
  readonly holds: boolean;
}

/** Checks everything below `nodes`, which are items, parameters or expressions of one declaration. */
export function checkChoices(nodes: readonly unknown[], recorder: Recorder): void {
  const left: Map<string, { choices: readonly Choice[]; span: Span }> = new Map();
  for (const { names, type } of nodes.flatMap(declaredIn)) {
    const { scalar } = type;
    if (scalar?.kind !== "choice-type") continue;
    const choices: readonly Choice[] = [
      ...scalar.choices.map(({ value }) => value),
      ...(type.nullable === null ? [] : [null]),
    ];
    for (const { text, span } of names) left.set(text, { choices, span });
  }
  if (left.size > 0) for (const node of nodes) visit(node, left, recorder);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** Fields, parameters and options below a node; types of results and signatures declare none. */
function declaredIn(node: unknown): readonly Declared[] {
  if (!isObject(node)) return [];
  const { kind } = node;
  if (kind === "param" || kind === "parameter" || kind === "field") return [node as unknown as Declared];
  if (kind === "config") return (node["entries"] as readonly unknown[]).flatMap(declaredIn);
  if (kind === "entry") return (node["params"] as readonly unknown[]).flatMap(declaredIn);
  if (kind !== "if") return [];
  const { then, else: otherwise } = node as unknown as If;
  return [...then, ...(otherwise ?? [])].flatMap(declaredIn);
}

function visit(node: unknown, left: Left, recorder: Recorder): void {
  if (Array.isArray(node)) {
    for (const inner of node) visit(inner, left, recorder);
    return;
  }
  if (!isObject(node) || "source" in node) return; // a span
  switch (node["kind"]) {
    case "conditional": {
      const { condition, then, else: otherwise } = node as unknown as Expr & { kind: "conditional" };
      visit(condition, left, recorder);
      const [first, second] = select(condition, left);
      reportRest(
        condition,
        ungroup(second.isRest ? otherwise : then),
        second.isRest ? otherwise.span : then.span,
        left,
        recorder,
      );
      visit(then, first.left, recorder);
      visit(otherwise, second.left, recorder);
      return;
    }
    case "if": {
      const item = node as unknown as If;
      visit(item.condition, left, recorder);
      const [first, second] = select(item.condition, left);
      const branch: readonly ModelItem[] = (second.isRest ? item.else : item.then) ?? [];
      const place = second.isRest ? (item.elseSpan ?? item.condition.span) : item.thenSpan;
      reportRest(item.condition, branch.length === 1 ? branch[0] : undefined, place, left, recorder);
      visit(item.then, first.left, recorder);
      visit(item.else, second.left, recorder);
      return;
    }
    case "binary":
      checkComparison(node as unknown as Expr & { kind: "binary" }, left, recorder);
      break;
    case "param":
    case "parameter":
    case "field":
      checkGiven(node, left, recorder);
      break;
    default:
      break;
  }
  for (const [key, inner] of Object.entries(node)) if (key !== "span") visit(inner, left, recorder);
}

interface Branch {
  readonly left: Left;
  /** This branch is for what the condition does not name. */
  readonly isRest: boolean;
}

/** The branches where the condition holds and where it does not. */
function select(condition: Expr, left: Left): readonly [Branch, Branch] {
  const selection = selectionOf(condition, left);
  if (selection === null) {
    return [
      { left, isRest: false },
      { left, isRest: true },
    ];
  }
  const { name, picks, holds } = selection;
  const narrowed = (keep: (choice: Choice) => boolean): Left => {
    const known = left.get(name);
    return known === undefined ? left : new Map([...left, [name, { ...known, choices: known.choices.filter(keep) }]]);
  };
  const picked: Branch = { left: narrowed((choice) => picks.includes(choice)), isRest: false };
  const rest: Branch = { left: narrowed((choice) => !picks.includes(choice)), isRest: true };
  return holds ? [picked, rest] : [rest, picked];
}

function selectionOf(condition: Expr, left: Left): Selection | null {
  const expr = ungroup(condition);
  if (expr.kind === "unary" && expr.op === "not") {
    const inner = selectionOf(expr.operand, left);
    return inner === null ? null : { ...inner, holds: !inner.holds };
  }
  if (expr.kind !== "binary") return null;
  const compared = comparedIn(expr, left);
  if (compared === null) return null;
  const picks = compared.texts.map(({ text }) => text);
  return { name: compared.name, picks, holds: expr.op !== "!=" };
}

/** A name of `left` and the texts it is compared with, in `==`, `!=` and `in {…}`. */
function comparedIn(
  expr: Expr & { kind: "binary" },
  left: Left,
): { readonly name: string; readonly texts: readonly { readonly text: Choice; readonly span: Span }[] } | null {
  const textsOf = (side: Expr): readonly { text: Choice; span: Span }[] | null => {
    const one = ungroup(side);
    if (one.kind === "string") return [{ text: one.value, span: one.span }];
    return one.kind === "null" ? [{ text: null, span: one.span }] : null;
  };
  const [a, b] = [ungroup(expr.left), ungroup(expr.right)];
  if (expr.op === "in") {
    if (a.kind !== "name" || !left.has(a.text) || b.kind !== "set" || b.binder !== null) return null;
    const texts = b.items.map(textsOf);
    return texts.includes(null) ? null : { name: a.text, texts: texts.flatMap((t) => t ?? []) };
  }
  if (expr.op !== "==" && expr.op !== "!=") return null;
  for (const [side, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const texts = textsOf(other);
    if (side.kind === "name" && left.has(side.text) && texts !== null) return { name: side.text, texts };
  }
  return null;
}

/** What a chain leaves over is at most one choice, unless the chain goes on. */
function reportRest(condition: Expr, rest: unknown, at: Span, left: Left, recorder: Recorder): void {
  const selection = selectionOf(condition, left);
  const known = selection === null ? undefined : left.get(selection.name);
  if (selection === null || known === undefined) return;
  const { name, picks } = selection;
  const over = known.choices.filter((choice) => !picks.includes(choice));
  // a misspelled choice is reported as that
  if (over.length < 2 || picks.some((choice) => !known.choices.includes(choice))) return;
  if (isObject(rest) && (rest["kind"] === "conditional" || rest["kind"] === "if")) {
    const next = selectionOf((rest as { readonly condition: Expr }).condition, left);
    if (next?.name === name) return;
  }
  report(recorder, "DS0218", {
    title: `a selection by \`${name}\` leaves choices out`,
    at,
    label: `this stands for ${over.map(show).join(" and ")} at once`,
    secondary: [{ span: known.span, text: "the choices are declared here" }],
    help: `name all but one of them: \`${name} == ${show(over[0] ?? null)} ? … : …\`, or \`${name} in {${over.map(show).join(", ")}}\``,
  });
}

const show = (choice: Choice): string => JSON.stringify(choice);

function checkComparison(expr: Expr & { kind: "binary" }, left: Left, recorder: Recorder): void {
  const compared = comparedIn(expr, left);
  const known = compared === null ? undefined : left.get(compared.name);
  if (compared === null || known === undefined) return;
  for (const { text, span } of compared.texts)
    if (text !== null) reportStrange(text, span, compared.name, known, recorder);
}

/** Texts that a declaration gives itself, as a default or behind `??`. */
function checkGiven(node: Readonly<Record<string, unknown>>, left: Left, recorder: Recorder): void {
  const { names } = node as unknown as Declared;
  const [first] = names;
  const known = first === undefined ? undefined : left.get(first.text);
  const value = (node["kind"] === "field" ? node["value"] : node["default"]) as Expr | null;
  if (first === undefined || known === undefined || value === null) return;
  for (const { text, span } of resultsOf(value)) reportStrange(text, span, first.text, known, recorder);
}

/** Texts that an expression may have as its value. */
function resultsOf(value: Expr): readonly { readonly text: string; readonly span: Span }[] {
  const expr = ungroup(value);
  if (expr.kind === "string") return [{ text: expr.value, span: expr.span }];
  if (expr.kind === "conditional") return [...resultsOf(expr.then), ...resultsOf(expr.else)];
  return expr.kind === "binary" && expr.op === "??" ? [...resultsOf(expr.left), ...resultsOf(expr.right)] : [];
}

function reportStrange(
  text: string,
  at: Span,
  name: string,
  known: { readonly choices: readonly Choice[]; readonly span: Span },
  recorder: Recorder,
): void {
  if (known.choices.includes(text)) return;
  const texts = known.choices.filter((choice) => choice !== null);
  const near = closest(text, texts);
  report(recorder, "DS0219", {
    title: `${show(text)} is no choice of \`${name}\``,
    at,
    label: texts.length === 0 ? "it has none left here" : `here it is ${texts.map(show).join(" or ")}`,
    secondary: [{ span: known.span, text: "the choices are declared here" }],
    help: near === null ? null : `did you mean ${show(near)}?`,
  });
}
