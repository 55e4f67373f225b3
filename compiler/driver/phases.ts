/**
 * Phases: sizes that stand for the calls of a kind, and where the plan changes between them. A program is made for each
 * range of tokens with one plan; the manifest says which range (`from <= T <= to`).
 */
import type { Sizes } from "../graph/dim.ts";
import type { Graph } from "../graph/node.ts";
import type { Report } from "../passes/pass.ts";

export interface Phase {
  readonly name: string;
  readonly sizes: Sizes;
}

/** Numbers of the sizes that the config fixes. */
export const fixedSizes = (g: Graph): Sizes =>
  Object.fromEntries([...g.sizes].flatMap(([name, { low, high }]) => (low === high ? [[name, low] as const] : [])));

/** The names of what a call decides. */
export interface CallSizes {
  readonly tokens: string;
  /** Rows remembered before the call. */
  readonly before: string;
}

/** Tokens of a call, and rows before it: one token behind a long text, a few that are drafted, a long text at once. */
const representative = [
  { name: "decode", tokens: 1, before: 4095 },
  { name: "verify", tokens: 4, before: 4092 },
  { name: "prefill", tokens: 4096, before: 0 },
] as const;

/** Representative sizes of each phase, inside of the ranges of the graph. */
export function phasesOf(g: Graph, { tokens, before }: CallSizes): readonly Phase[] {
  const within = (name: string, value: number): number => {
    const range = g.sizes.get(name);
    return range === undefined ? value : Math.min(Math.max(value, range.low), range.high);
  };
  return representative.map((r) => ({
    name: r.name,
    sizes: { ...fixedSizes(g), [tokens]: within(tokens, r.tokens), [before]: within(before, r.before) },
  }));
}

/** Passes whose decisions make two programs different; fusion follows from them and from sizes that do not matter here. */
const deciding: ReadonlySet<string> = new Set(["associate", "group-by-selection"]);
export const planOf = (reports: readonly Report[]): string =>
  reports
    .filter((r) => deciding.has(r.pass))
    .map((r) => `%${r.node}: ${r.decision}`)
    .join("; ");

/** Both ends included. */
export interface PlanRange {
  readonly from: number;
  readonly to: number;
  readonly plan: string;
}

/**
 * The ranges from `from` to `to` with one plan each. Plans are asked for at both ends and at powers of eight between, and each
 * change is bisected; a plan that comes and goes between two of them is not seen, which costs time and no meaning.
 */
export function planRanges(planAt: (n: number) => string, from: number, to: number): readonly PlanRange[] {
  const known = new Map<number, string>();
  const ask = (n: number): string => {
    const plan = known.get(n) ?? planAt(n);
    known.set(n, plan);
    return plan;
  };
  const probes: number[] = [];
  for (let n = from; n < to; n *= 8) probes.push(n);
  probes.push(to);
  const ranges: PlanRange[] = [];
  let start = from;
  for (const probe of probes) {
    for (let plan = ask(start); plan !== ask(probe); plan = ask(start)) {
      const last = lastWith(ask, start, probe);
      ranges.push({ from: start, to: last, plan });
      start = last + 1;
    }
  }
  return [...ranges, { from: start, to, plan: ask(start) }];
}

/** The last n of those from `low` on that bisection finds to have the plan of `low`; that of `high` is another. */
function lastWith(ask: (n: number) => string, low: number, high: number): number {
  const plan = ask(low);
  let [same, other] = [low, high];
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    if (ask(middle) === plan) same = middle;
    else other = middle;
  }
  return same;
}
