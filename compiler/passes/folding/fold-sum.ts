/** One sum and the reductions that it uses as one fold: steps in the order they need each other, the sum last. */
import type { Facts } from "../../../dsl/types/facts.ts";
import { isWide } from "../../graph/interpret/wide.ts";
import type { Axis, Fold, FoldStep, MapNode, Node, Read, Reduce, Scalar } from "../../graph/node.ts";
import { factors, mastersOf, productFrom } from "../../graph/product.ts";
import {
  bottomUp,
  boundNames,
  call,
  freeNames,
  fresh,
  key,
  mapChildren,
  name,
  num,
  read,
  readsOf,
  some,
  substitute,
} from "../../graph/scalar.ts";
import { allAxes } from "../../graph/walk.ts";
import { hasPoints, placeOf, staysInRange } from "../in-range.ts";
import { isReal, namesIn, openAt } from "../open.ts";
import type { Hidden } from "./hidden.ts";

export interface SingleSum {
  readonly axis: Axis;
  readonly where: Scalar | null;
  readonly body: Scalar;
  readonly itself: Reduce;
}
export interface Definitions {
  /** What a node that this pass has folded was before. */
  readonly before: ReadonlyMap<Node, MapNode>;
  readonly facts: Facts;
  readonly hidden: Hidden;
}

/** `context` with the sum in it computed by a fold; null where there is nothing to join or the law forbids it. */
export function foldSum(
  n: MapNode,
  sum: SingleSum,
  context: Scalar,
  { before, facts, hidden }: Definitions,
): Scalar | null {
  const over = sum.axis;
  if (!isReal(n) || !mayJoin(sum, context, { before, facts, hidden })) return null;
  const taken = namesIn(n);
  const steps: FoldStep[] = [];
  const accumulators = new Map<string, string>();

  /** A reduction over an equal axis under an equal guard becomes an accumulator of this fold, its own dependencies first. */
  const accumulate = (x: Reduce, label: string): Scalar | null => {
    const body = alongAxis(x, sum);
    if (body === null) return null;
    const known = accumulators.get(key(x));
    if (known !== undefined) return name(known);
    const joined = join(openAlong(body, over, taken, hidden), noNames);
    const accumulator = fresh(label, taken);
    steps.push({ how: x.monoid, name: accumulator, body: joined });
    accumulators.set(key(x), accumulator);
    return name(accumulator);
  };
  /** Reductions, and reads of nodes made of them, that vary neither along the axis nor with anything bound around them. */
  const join = (e: Scalar, around: ReadonlySet<string>, label = "part"): Scalar => {
    const names = boundNames(e);
    const inner = names.length === 0 ? around : new Set([...around, ...names]);
    const x = mapChildren(e, (c) => join(c, inner, label));
    const free = freeNames(x);
    if (free.has(over.name) || [...around].some((a) => free.has(a))) return x;
    if (x.kind === "reduce") return accumulate(x, label) ?? x;
    if (x.kind !== "read") return x;
    const original = read(before.get(x.value) ?? x.value, x.at);
    if (original.value.kind !== "map" || !hidden.leadsTo(original.value, over)) return x;
    const opened = openAt(original.value, original.at, taken);
    const own = original.value.name.split(".").at(-1) ?? label;
    if (opened.kind === "reduce") return accumulate(opened, own) ?? x;
    return join(opened, around, `${own}_part`);
  };

  const all = factors(openAlong(sum.body, over, taken, hidden));
  const varies = (f: Scalar): boolean => freeNames(f).has(over.name);
  const inside = productFrom(all.filter(varies).map((f) => join(f, noNames)));
  const outside = all.filter((f) => !varies(f));
  const main: FoldStep = { how: "sum", name: fresh("acc", taken), body: inside };
  const empty = mayBeEmpty(n, sum, facts);
  if (empty && outside.some((f) => !isSafe(f, n, facts))) return null;
  const counter: FoldStep | null =
    empty && outside.some(mayBeInfinite) ? { how: "any", name: fresh("some", taken), body: num(1) } : null;
  const product = productFrom([name(main.name), ...outside]);
  // A sum of nothing is 0, and not 0 / 0: softmax over no positions weighs nothing.
  const value = counter === null ? product : call("select", name(counter.name), product, num(0));
  const isSum = (x: Scalar): boolean => x.kind === "reduce" && key(x) === key(sum.itself);
  const result = join(
    bottomUp(context, (x) => (isSum(x) ? value : x)),
    noNames,
  );
  if (steps.length === 0) return null;
  const list = [...steps, main, ...(counter === null ? [] : [counter])];
  const fold: Fold = { kind: "fold", axis: over, where: sum.where, steps: list, result };
  return isLegal(fold) ? shareScores(fold, taken) : null;
}

/** Whether there is a reduction to join, as it is written or behind a read: where there is none no fold comes of it. */
function mayJoin({ axis, itself }: SingleSum, context: Scalar, { before, hidden }: Definitions): boolean {
  const leads = (r: Read): boolean => hidden.isBehind(r, axis) || hidden.leadsTo(before.get(r.value) ?? r.value, axis);
  return readsOf(context).some(leads) || some(context, (x) => x.kind === "reduce" && x !== itself);
}

/** The law: a step sees an earlier maximum only through a factor exp(x - m), and only a sum can be rescaled. */
function isLegal(f: Fold): boolean {
  return f.steps.every((s) => {
    const masters = mastersOf(f, s.body);
    return masters !== null && (masters.length === 0 || s.how === "sum");
  });
}

const mayBeEmpty = (n: MapNode, { axis, where }: SingleSum, facts: Facts): boolean =>
  where !== null && !hasPoints([axis], where, placeOf(facts, allAxes(n).values()));

/** 0 times it may be no 0. */
const mayBeInfinite = (f: Scalar): boolean =>
  f.kind !== "const" && !(f.kind === "read" && (f.value.kind === "input" || f.value.kind === "weight"));
const noNames: ReadonlySet<string> = new Set();

/** May be computed where the sum has no points: its reads are in range without the guard. */
const isSafe = (f: Scalar, n: MapNode, facts: Facts): boolean =>
  !some(f, (x) => x.kind === "read" && !staysInRange(x, placeOf(facts, allAxes(n).values())));

/** Opens elementwise producers along the axis where a reduction over the same axis hides behind them. */
function openAlong(e: Scalar, over: Axis, taken: Set<string>, hidden: Hidden): Scalar {
  return bottomUp(e, (x) => {
    if (x.kind !== "read" || x.value.kind !== "map" || !hidden.isBehind(x, over)) return x;
    return openAlong(openAt(x.value, x.at, taken), over, taken, hidden);
  });
}

/** The body of a reduction over the axis of the sum; null under a different guard, since that is another domain. */
function alongAxis(x: Reduce, sum: SingleSum): Scalar | null {
  const [a] = x.axes;
  if (a === undefined || x.axes.length !== 1 || a.size.key !== sum.axis.size.key || isWide(x)) return null;
  const rename = new Map([[a.name, name(sum.axis.name)]]);
  const guard = x.where === null ? "" : key(substitute(x.where, rename));
  return guard === (sum.where === null ? "" : key(sum.where)) ? substitute(x.body, rename) : null;
}

/** The argument of the maximum is used by every step: it is named once. */
function shareScores(f: Fold, taken: Set<string>): Fold {
  const score = f.steps.find((s) => s.how === "max")?.body;
  if (score === undefined || score.kind === "name") return f;
  const label = fresh("a", taken);
  const k = key(score);
  const use = (e: Scalar): Scalar => (key(e) === k ? name(label) : mapChildren(e, use));
  const steps = f.steps.map((s) => ({ ...s, body: use(s.body) }));
  return { ...f, steps: [{ how: "let", name: label, body: score }, ...steps] };
}
