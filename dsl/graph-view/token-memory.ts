/** What one token leaves behind in the whole model: the states of all blocks, with their sizes where they are known. */
import type { BlockInstance, ModelInstance } from "../checker/result.ts";
import { copiesOf } from "./count-parameters.ts";

export interface TokenState {
  /** `layer.attn.latent` */
  readonly path: string;
  readonly shape: string;
  /** How many blocks hold one; null while a family's count is not known. */
  readonly copies: number | null;
  /** Numbers a token leaves in one of them; null when the shape does not tell. */
  readonly row: number | null;
}

/** States of one path and shape, such as those of all variants of a layer, are one. */
export function tokenStates(model: ModelInstance): readonly TokenState[] {
  const found = new Map<string, TokenState>();
  const memory = new Set(model.settings.filter((s) => s.type.startsWith("memory")).map((s) => s.name));
  const visit = (
    block: BlockInstance,
    prefix: string,
    outer: number | null,
    sizes: ReadonlyMap<string, number>,
  ): void => {
    const own = copiesOf(block);
    const copies = own === null || outer === null ? null : own * outer;
    const path = prefix === "" ? block.name : `${prefix}.${block.name}`;
    const known = withSizes(sizes, block.params);
    for (const state of block.states) {
      const row = rowSize(state.shape, known, memory);
      const key = `${path}.${state.name} ${state.shape} ${row}`;
      const before = found.get(key)?.copies;
      const sum = before === undefined ? copies : before === null || copies === null ? null : before + copies;
      found.set(key, { path: `${path}.${state.name}`, shape: state.shape, copies: sum, row });
    }
    for (const part of block.parts) visit(part, path, copies, known);
  };
  const settings = model.settings.flatMap((s) => (s.value === null ? [] : [{ name: s.name, value: s.value }]));
  const sizes = withSizes(new Map(), settings);
  for (const block of model.blocks) visit(block, "", 1, sizes);
  return [...found.values()];
}

/** Numbers a token leaves behind in all; null when some part of it is not known. */
export function tokenTotal(states: readonly TokenState[]): number | null {
  let total = 0;
  for (const { copies, row } of states) {
    if (copies === null || row === null) return null;
    total += copies * row;
  }
  return total;
}

function withSizes(
  sizes: ReadonlyMap<string, number>,
  values: readonly { readonly name: string; readonly value: string }[],
): ReadonlyMap<string, number> {
  const known = new Map(sizes);
  for (const { name, value } of values) {
    if (/^\d{1,15}$/.test(value)) known.set(name, Number(value));
    else known.delete(name);
  }
  return known;
}

/** The product of all axes but the first, which is the memory or a piece of it: `S`, `S div 4`. */
function rowSize(shape: string, sizes: ReadonlyMap<string, number>, memory: ReadonlySet<string>): number | null {
  const tokens = shape.match(/[A-Za-z_]\w*|\d+|\S/g) ?? [];
  const axes = parseAxes(tokens, (name) => (memory.has(name) ? 1 : (sizes.get(name) ?? null)));
  if (axes === null || axes[0] === undefined || !memory.has(tokens[1] ?? "")) return null;
  return axes.reduce((product, axis) => product * axis, 1);
}

/** Reads `[A, (B, C / 2), (D | E)] f32`; null for anything else. A merged axis is a product, a joined one a sum. */
function parseAxes(tokens: readonly string[], sizeOf: (name: string) => number | null): readonly number[] | null {
  let at = 0;
  let broken = false;
  const take = (token: string): boolean => {
    if (tokens[at] !== token) return false;
    at += 1;
    return true;
  };
  const list = (separator: string, close: string): readonly number[] => {
    const items = [sum()];
    while (!broken && take(separator)) items.push(sum());
    if (!take(close)) broken = true;
    return items;
  };
  const atom = (depth: number): number => {
    const token = tokens[at] ?? "";
    at += 1;
    if (token === "(" && depth < 32) {
      const start = sum(depth + 1);
      if (take("|")) return start + list("|", ")").reduce((a, b) => a + b, 0);
      if (take(",")) return start * list(",", ")").reduce((a, b) => a * b, 1);
      if (!take(")")) broken = true;
      return start;
    }
    const value = /^\d+$/.test(token) ? Number(token) : sizeOf(token);
    if (value === null) broken = true;
    return value ?? 0;
  };
  const product = (depth: number): number => {
    let value = atom(depth);
    while (!broken) {
      if (take("*")) value *= atom(depth);
      else if (take("/") || take("div")) value /= atom(depth);
      else break;
    }
    return value;
  };
  function sum(depth = 0): number {
    let value = product(depth);
    while (!broken) {
      if (take("+")) value += product(depth);
      else if (take("-")) value -= product(depth);
      else break;
    }
    return value;
  }
  if (!take("[")) return null;
  const axes = list(",", "]");
  // an element type may follow: `[S, 512] f32`
  const bad =
    broken ||
    tokens.length - at > 1 ||
    /^\W/.test(tokens[at] ?? "f32") ||
    axes.some((axis) => !Number.isFinite(axis) || axis < 0);
  return bad ? null : axes;
}
