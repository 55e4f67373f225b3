/**
 * The phases of a kind of calls: one for each range of tokens and of remembered rows with a plan of its own. Rows come from
 * choices (up to as many as are chosen there is nothing to choose), tokens from costs.
 */
import { addDim, type Dim, dim, evalDim, type Sizes } from "../graph/dim.ts";
import type { Bound, Graph } from "../graph/node.ts";
import { choicesOf } from "../passes/select-all.ts";
import { type PlanRange, planRanges } from "./phases.ts";
import type { PlannedCall } from "./planned-calls.ts";

/** What calls of an entry have in common. */
export interface CallFacts {
  readonly tokens: string;
  readonly before: string;
  /** Most rows that are remembered, and most tokens of a call. */
  readonly context: number;
  readonly most: number;
  readonly sizes: Sizes;
  /** A choice of fewer rows from memory cuts no range. */
  readonly leastRows: number;
}

/** Rows remembered after a call, both ends included. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}
/** All of memory where nothing depends on how many rows there are. */
export interface RowsWithPlans {
  readonly rows: RowRange | null;
  readonly graph: Graph;
  readonly ranges: readonly PlanRange[];
}

export interface CallRange {
  readonly name: string;
  readonly rows: RowRange | null;
  /** Tokens, both ends included. */
  readonly from: number;
  readonly to: number;
  /** What passes and schedules are chosen for. */
  readonly sizes: Sizes;
  /** What it may rely on. */
  readonly graph: Graph;
}

/**
 * Where plans change; `planAt` says what the deciding passes do at sizes. `known`: the same of other results of the entry, whose
 * definitions are the same: what was found for them is taken over, as looking for it takes longer than all else.
 */
export function rowsWithPlans(
  g: Graph,
  call: CallFacts,
  planAt: (graph: Graph, sizes: Sizes) => string,
  known: readonly RowsWithPlans[] = [],
): readonly RowsWithPlans[] {
  return rowRanges(g, call).map((rows): RowsWithPlans => {
    const graph = rows === null ? g : { ...g, bounds: boundsOf(rows, call) };
    const to = Math.min(call.most, rows?.to ?? call.context);
    const at = (tokens: number): string => planAt(graph, sizesAt(call, rows, tokens, probedRows));
    const same = known.find(
      (k) => k.rows?.from === rows?.from && k.rows?.to === rows?.to && k.ranges.at(-1)?.to === to,
    );
    return { rows, graph, ranges: same?.ranges ?? planRanges(at, 1, to) };
  });
}

/** All calls of a kind, with the plan for those that are planned for. */
export function wholeRange(planned: PlannedCall, call: CallFacts, graph: Graph): CallRange {
  const { name, from, tokens, before } = planned;
  const to = Math.min(planned.to, call.most);
  const least = Math.min(tokens, to);
  const [rows = null, ...others] = rowRanges(graph, call);
  // Memory that is never cut is bounded all the same.
  const bounded = rows === null || others.length > 0 ? graph : { ...graph, bounds: boundsOf(rows, call) };
  return { name, rows: null, from, to, sizes: sizesAt(call, null, least, before + least), graph: bounded };
}

/** Ranges of one plan within a kind of calls. */
export function callRanges(planned: PlannedCall, call: CallFacts, all: readonly RowsWithPlans[]): readonly CallRange[] {
  return all.flatMap(({ rows, graph, ranges }) =>
    widened(ranges, planned).map(({ from, to }, i): CallRange => {
      const tokens = planned.tokens < from ? Math.min(to, 2 * from) : Math.min(to, planned.tokens);
      // Where there are several plans, sizes are those by which this one was found to be the best.
      const remembered = ranges.length > 1 ? probedRows : planned.before + tokens;
      const sizes = sizesAt(call, rows, tokens, remembered);
      return { name: nameOf(planned.name, rows, i === 0 ? null : from), rows, graph, from, to, sizes };
    }),
  );
}

interface Span {
  readonly from: number;
  readonly to: number;
}
/** The ranges as far as they are of a kind of calls; one of less than an octave is not worth code of its own and joins another. */
function widened(ranges: readonly PlanRange[], kind: Span): readonly Span[] {
  const wide: Span[] = [];
  let left: number | null = null;
  for (const range of ranges) {
    const [low, to] = [Math.max(range.from, kind.from), Math.min(range.to, kind.to)];
    if (low > to) continue;
    const last = wide.at(-1);
    const from: number = left ?? low;
    left = null;
    if (to >= 2 * low || (from !== low && to >= 2 * from)) wide.push({ from, to });
    else if (last !== undefined) wide[wide.length - 1] = { from: last.from, to };
    else left = from;
  }
  const end = Math.min(kind.to, ranges.at(-1)?.to ?? 0);
  return left === null ? wide : [{ from: left, to: end }];
}

/** Rows after a call that plans are compared at: a usual context. */
const probedRows = 4096;

/** A call of so many tokens, with `remembered` rows after it or as near to that as the range has. */
function sizesAt(call: CallFacts, rows: RowRange | null, tokens: number, remembered: number): Sizes {
  const { from, to } = rows ?? { from: 1, to: call.context };
  const least = from === 1 ? 1 : Math.min(2 * from, to);
  const after = Math.min(Math.max(remembered, tokens, least), to);
  return { ...call.sizes, [call.tokens]: Math.min(tokens, after), [call.before]: Math.max(0, after - tokens) };
}

/** `prefill`, and of more rows `prefill_after_2048`, of more tokens `prefill_164`. */
const nameOf = (kind: string, rows: RowRange | null, from: number | null): string =>
  `${kind}${from === null ? "" : `_${from}`}${rows === null || rows.from === 1 ? "" : `_after_${rows.from - 1}`}`;

const remembers = ({ tokens, before }: CallFacts): Dim => addDim(before, tokens);

/**
 * Memory cut where a choice from it begins to leave something out; one range without bounds where nothing is chosen, or so soon that
 * what is saved until then is not worth phases of its own.
 */
function rowRanges(g: Graph, call: CallFacts): readonly (RowRange | null)[] {
  const rows = remembers(call).key;
  const chosen = choicesOf(g).flatMap((n) => (n.over.size.key === rows ? [evalDim(n.k, call.sizes)] : []));
  if (chosen.length === 0) return [null];
  const ends = [...new Set(chosen)].filter((k) => k >= call.leastRows && k < call.context).sort((a, b) => a - b);
  return [...ends, call.context].map((to, i) => ({ from: (ends[i - 1] ?? 0) + 1, to }));
}

function boundsOf({ from, to }: RowRange, call: CallFacts): readonly Bound[] {
  const rows = remembers(call);
  const atMost = { low: rows, high: dim(to) };
  return from === 1 ? [atMost] : [{ low: dim(from), high: rows }, atMost];
}
