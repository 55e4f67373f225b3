/**
 * How many members of a family one call uses. `expert[e](x)` beside `w[e]` runs over the members for which `w` exists:
 * at most K of E, where `w` says so, or the part that makes it.
 */
import type { Block, Equation, Expr, ModelItem } from "../ast/nodes.ts";
import type { BlockInstance } from "../checker/result.ts";
import { equationsOf, expressionsOf, ungrouped, withParts } from "./walk-equations.ts";

/** A block in use, with its text. */
interface Used {
  readonly instance: BlockInstance;
  readonly decl: Block;
  readonly equations: readonly Equation[];
}

/** At most how many members of the family `part` of `instance` one call of `instance` uses; null when it may be all. */
export function mostMembersUsed(part: BlockInstance, instance: BlockInstance, decl: Block): number | null {
  if (part.family === null) return null;
  const total = mostOfItems(decl.items, part.name, { instance, decl, equations: equationsOf(decl.items) });
  return total === null || total === 0 || (part.family.count !== null && total >= part.family.count) ? null : total;
}

/** Over all equations; of the branches of an `if` one is taken. */
function mostOfItems(items: readonly ModelItem[], family: string, used: Used): number | null {
  const counts = items.map((item): number | null => {
    if (item.kind === "if") {
      const [then, otherwise] = [mostOfItems(item.then, family, used), mostOfItems(item.else ?? [], family, used)];
      return then === null || otherwise === null ? null : Math.max(then, otherwise);
    }
    if (item.kind !== "equation") return 0;
    const all = expressionsOf(item).flatMap(withParts);
    const bounds = all
      .flatMap((expr) => memberCalled(expr, family))
      .map((index) => mostValues(index, all, family, used));
    return sumOf(bounds);
  });
  return sumOf(counts);
}

const sumOf = (counts: readonly (number | null)[]): number | null =>
  counts.reduce((sum, count) => (sum === null || count === null ? null : sum + count), 0);

/** The subscript of a call of the family's member. */
function memberCalled(expr: Expr, family: string): readonly Expr[] {
  if (expr.kind !== "call" || expr.callee.kind !== "index") return [];
  const { base, subscript } = expr.callee;
  return base.kind === "name" && base.text === family ? subscript.items.slice(-1) : [];
}

/** At most how many values an index takes in an equation: what it is said to be in, and what it stands on, bound it. */
function mostValues(index: Expr, all: readonly Expr[], family: string, used: Used): number | null {
  if (index.kind === "binary" && index.op === "in") return mostOfSet(index.right, used);
  if (index.kind !== "name") return null;
  const bounds = all.map((expr) => {
    if (expr.kind === "binary" && expr.op === "in" && isName(expr.left, index.text)) return mostOfSet(expr.right, used);
    if (expr.kind !== "index" || expr.base.kind !== "name" || expr.base.text === family) return null;
    const last = expr.subscript.items.at(-1); // only a last axis can be restricted
    return last !== undefined && isName(last, index.text) ? mostOfTensor(expr.base.text, used) : null;
  });
  return least(bounds);
}

const isName = (expr: Expr, text: string): boolean => expr.kind === "name" && expr.text === text;

function least(bounds: readonly (number | null)[]): number | null {
  const known = bounds.filter((bound) => bound !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** Of the last axis of a tensor. */
function mostOfTensor(name: string, used: Used): number | null {
  const { instance, decl, equations } = used;
  if (decl.params.some(({ names }) => names.some(({ text }) => text === name))) {
    return boundInSignature(instance.signature.split(" -> ")[0] ?? "", (result) => result === name);
  }
  const bounds = equations.flatMap(({ targets, separator, value }) => {
    const at = targets.findIndex((target) => target.name.text === name);
    const target = targets[at];
    if (target === undefined || separator === "|") return [];
    const last = target.subscript?.items.at(-1);
    if (last?.kind === "binary" && last.op === "in") return [mostOfSet(last.right, used)];
    return [mostOfResult(ungrouped(value), at, used)];
  });
  return least(bounds);
}

/** `gate(x)`: what the part's own signature says of its result. */
function mostOfResult(value: Expr, at: number, { instance }: Used): number | null {
  if (value.kind !== "call") return null;
  const callee = value.callee.kind === "index" ? value.callee.base : value.callee;
  const part = instance.parts.find(({ name }) => isName(callee, name));
  if (part === undefined) return null;
  return boundInSignature(part.signature.split(" -> ").at(-1) ?? "", (_name, position) => position === at);
}

/** The 8 of `w: [8 of 256]`, in a list of inputs or results. */
function boundInSignature(list: string, wanted: (name: string, position: number) => boolean): number | null {
  const tensors = [...list.matchAll(/(\w+): (?:\[([^\]]*)\])?/g)];
  const axes = tensors.find(([, name = ""], position) => wanted(name, position))?.[2] ?? "";
  const bound = /(?:^|, )(\d+) of [^,]+$/.exec(axes)?.[1];
  return bound === undefined ? null : Number(bound);
}

function mostOfSet(expr: Expr, used: Used): number | null {
  const set = ungrouped(expr);
  if (set.kind === "set") {
    if (set.binder === null || set.where !== null) return null;
    return set.binder.kind === "binary" && set.binder.op === "in" ? staticInteger(set.binder.right, used) : null;
  }
  if (set.kind === "call" && isName(set.callee, "top")) {
    const size = set.args[1];
    return size?.kind === "argument" ? staticInteger(size.value, used) : null;
  }
  if (set.kind !== "name") return null;
  const defined = used.equations.find(({ targets }) => targets.length === 1 && targets[0]?.name.text === set.text);
  return defined === undefined || isName(defined.value, set.text) ? null : mostOfSet(defined.value, used);
}

/** A number, or a parameter whose value is one. */
function staticInteger(expr: Expr, { instance }: Used): number | null {
  const text =
    expr.kind === "number"
      ? expr.text
      : expr.kind === "name"
        ? instance.params.find(({ name }) => name === expr.text)?.value
        : undefined;
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
