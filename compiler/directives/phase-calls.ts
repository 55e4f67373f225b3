/** The calls that a phase of a model is for: `phase decode = forward -> next where T == 1`. */
import type { Expr, Phase } from "../../dsl/ast/nodes.ts";
import type { BoundModel } from "../../dsl/checker/check-project.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import { evaluateStatic } from "../../dsl/checker/static.ts";
import type { CallKind } from "./directives.ts";

/** Null where it is for another entry. */
export function callsOf(name: string, entry: string, model: BoundModel): CallKind | null {
  return callKinds(entry, model).find((c) => c.phase === name) ?? null;
}

export const callKinds = (entry: string, model: BoundModel): readonly CallKind[] =>
  model.path.items.flatMap(({ item }) =>
    item.kind === "phase" && item.entry.text === entry ? [callKind(item, model)] : [],
  );

function callKind(phase: Phase, model: BoundModel): CallKind {
  const [from, to] = phase.where === null ? all : tokensIn(phase.where, model);
  return { phase: phase.name.text, results: phase.results.map((r) => r.text), from, to };
}

type Range = readonly [from: number, to: number];
const all: Range = [1, Number.POSITIVE_INFINITY];

/** What a condition says of the one size in it; all where it says it in another way. */
function tokensIn(condition: Expr, model: BoundModel): Range {
  const e = ungroup(condition);
  if (e.kind !== "binary") return all;
  const number = (x: Expr): number | null => {
    const value = evaluateStatic(x, model.config.scope);
    return typeof value === "bigint" ? Number(value) : null;
  };
  const right = ungroup(e.right);
  const n = number(right);
  switch (e.op) {
    case "and": {
      const [a, b] = [tokensIn(e.left, model), tokensIn(e.right, model)];
      return [Math.max(a[0], b[0]), Math.min(a[1], b[1])];
    }
    case "in":
      if (right.kind !== "binary" || right.op !== "..") return all;
      return [number(right.left) ?? 1, number(right.right) ?? Number.POSITIVE_INFINITY];
    case "==":
      return n === null ? all : [n, n];
    case "<=":
      return [1, n ?? Number.POSITIVE_INFINITY];
    case "<":
      return [1, n === null ? Number.POSITIVE_INFINITY : n - 1];
    case ">=":
      return [n ?? 1, Number.POSITIVE_INFINITY];
    case ">":
      return [n === null ? 1 : n + 1, Number.POSITIVE_INFINITY];
    default:
      return all;
  }
}

/**
 * Which of a model's phases calls belong to that a program has kernels for: of those with their result and number of tokens, the one
 * for the fewest numbers of tokens; null where there is none.
 */
export function phaseFor(kinds: readonly CallKind[], result: string, tokens: number): string | null {
  const fit = kinds.filter((k) => k.results.includes(result) && k.from <= tokens && tokens <= k.to);
  const [best] = [...fit].sort((a, b) => a.to - a.from - (b.to - b.from));
  return best?.phase ?? null;
}
