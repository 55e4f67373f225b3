/** One sum and the reductions that it uses as one fold: steps in the order they need each other, the sum last. */
import type { Facts } from "../../../dsl/types/facts.ts";
import type { Axis, Fold, FoldStep, MapNode, Node, Read, Reduce, Scalar } from "../../graph/node.ts";
import { factors, mastersOf, productFrom } from "../../graph/product.ts";
import {
  bottomUp,
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
import { isElementwise, isReal, namesIn, openAt } from "../open.ts";

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
}

/** `context` with the sum in it computed by a fold; null where there is nothing to join or the law forbids it. */
export function foldSum(n: MapNode, sum: SingleSum, context: Scalar, { before, facts }: Definitions): Scalar | null {
  if (!isReal(n)) return null;
  const over = sum.axis;
  const taken = namesIn(n);
  const steps: FoldStep[] = [];
  const accumulators = new Map<string, string>();

  /** Reads of reductions over an equal axis with an equal guard become accumulators of this fold. */
  const join = (e: Scalar): Scalar => {
    const x = mapChildren(e, join);
    if (x.kind !== "read" || freeNames(x).has(over.name)) return x;
    const original = read(before.get(x.value) ?? x.value, x.at);
    const known = accumulators.get(key(original));
    if (known !== undefined) return name(known);
    const other = sibling(original, sum, taken);
    if (other === null) {
      const opens = isElementwise(original.value) && leadsTo(original.value, over, before);
      return opens && isElementwise(original.value) ? join(openAt(original.value, original.at, taken)) : x;
    }
    const body = join(openAlong(other.body, over, taken, before)); // its own dependencies come first
    const accumulator = fresh(original.value.name.split(".").at(-1) ?? "acc", taken);
    steps.push({ how: other.monoid, name: accumulator, body });
    accumulators.set(key(original), accumulator);
    return name(accumulator);
  };

  const all = factors(openAlong(sum.body, over, taken, before));
  const varies = (f: Scalar): boolean => freeNames(f).has(over.name);
  const inside = productFrom(all.filter(varies).map(join));
  const outside = all.filter((f) => !varies(f));
  const main: FoldStep = { how: "sum", name: fresh("acc", taken), body: inside };
  const empty = mayBeEmpty(n, sum, facts);
  if (empty && outside.some((f) => !isSafe(f, n, facts))) return null;
  const counter: FoldStep | null =
    empty && outside.some((f) => f.kind === "call") ? { how: "any", name: fresh("some", taken), body: num(1) } : null;
  const product = productFrom([name(main.name), ...outside]);
  // A sum of nothing is 0, and not 0 / 0: softmax over no positions weighs nothing.
  const value = counter === null ? product : call("select", name(counter.name), product, num(0));
  const result = join(bottomUp(context, (x) => (x.kind === "reduce" && key(x) === key(sum.itself) ? value : x)));
  if (steps.length === 0) return null;
  const list = [...steps, main, ...(counter === null ? [] : [counter])];
  const fold: Fold = { kind: "fold", axis: over, where: sum.where, steps: list, result };
  return isLegal(fold) ? shareScores(fold, taken) : null;
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

/** May be computed where the sum has no points: its reads are in range without the guard. */
const isSafe = (f: Scalar, n: MapNode, facts: Facts): boolean =>
  !some(f, (x) => x.kind === "read" && !staysInRange(x, placeOf(facts, allAxes(n).values())));

/** A reduction over an axis of this size, perhaps behind elementwise nodes. */
function leadsTo(at: Node, over: Axis, before: ReadonlyMap<Node, MapNode>): boolean {
  const n = before.get(at) ?? at;
  if (n.kind !== "map") return false;
  if (n.body.kind === "reduce") return n.body.axes.length === 1 && n.body.axes[0]?.size.key === over.size.key;
  return isElementwise(n) && readsOf(n.body).some((r) => leadsTo(r.value, over, before));
}

/** Opens elementwise producers along the axis where a reduction over the same axis hides behind them. */
function openAlong(e: Scalar, over: Axis, taken: Set<string>, before: ReadonlyMap<Node, MapNode>): Scalar {
  return bottomUp(e, (x) => {
    if (x.kind !== "read" || !isElementwise(x.value) || !freeNames(x).has(over.name)) return x;
    const body = openAt(x.value, x.at, taken);
    const opened = openAlong(body, over, taken, before);
    const hides = readsOf(body).some((r) => !freeNames(r).has(over.name) && leadsTo(r.value, over, before));
    return hides || opened !== body ? opened : x;
  });
}

/** The reduction that a read stands for, over the axis of the sum; null under a different guard: that is another domain. */
function sibling(r: Read, sum: SingleSum, taken: Set<string>): Pick<Reduce, "monoid" | "body"> | null {
  if (r.value.kind !== "map" || r.value.body.kind !== "reduce" || !isReal(r.value)) return null;
  const body = openAt(r.value, r.at, taken);
  const [a] = body.kind === "reduce" ? body.axes : [];
  if (body.kind !== "reduce" || a === undefined || body.axes.length !== 1 || a.size.key !== sum.axis.size.key)
    return null;
  const rename = new Map([[a.name, name(sum.axis.name)]]);
  const guard = body.where === null ? "" : key(substitute(body.where, rename));
  if (guard !== (sum.where === null ? "" : key(sum.where))) return null;
  return { monoid: body.monoid, body: substitute(body.body, rename) };
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
