/** Invariants 1, 2, 3, 7 and 9 of one expression; they are stated in verify.ts. */
import { scalarFunctions } from "../ops/scalar-functions.ts";
import { type Dim, printDim, subDim } from "./dim.ts";
import { never, type Place, type Reach, reachOf, refine, within, yes } from "./index-range.ts";
import { isIntegral } from "./integral.ts";
import { isWide } from "./interpret/wide.ts";
import type { Fold, Node, Read, Scalar } from "./node.ts";
import { mastersOf } from "./product.ts";
import { boundNames, children, freeNames } from "./scalar.ts";

export type Say = (rule: number, text: string) => void;

/** Names that are no indices, and whether they are whole. */
type Values = ReadonlyMap<string, boolean>;

/** `under` is a guard that holds where the expression stands. */
export function checkScalar(e: Scalar, place: Place, say: Say, under: Scalar | null = null): void {
  visit(e, under === null ? place : refine(place, under), new Map(), say);
}

function visit(e: Scalar, place: Place, values: Values, say: Say): void {
  const go = (x: Scalar, at: Place = place): void => visit(x, at, values, say);
  for (const n of boundNames(e)) if (place.names.has(n) || values.has(n)) say(1, `${n} is bound twice`);
  if (new Set(boundNames(e)).size !== boundNames(e).length) say(1, "an expression binds a name twice");
  switch (e.kind) {
    case "const":
    case "dim":
      return;
    case "name":
      if (!place.names.has(e.name) && !values.has(e.name)) say(1, `${e.name} is not bound`);
      return;
    case "read":
      checkRead(e, place, values, say);
      return e.at.forEach((x) => void go(x));
    case "call": {
      const { arity } = scalarFunctions[e.fn];
      if (e.args.length !== arity) say(9, `${e.fn} has ${arity} arguments, not ${e.args.length}`);
      const [a, b, c] = e.args;
      if (a === undefined || b === undefined) return e.args.forEach((x) => void go(x));
      go(a);
      if (e.fn === "select") {
        go(b, refine(place, a));
        if (c !== undefined) go(c, refine(place, a, false));
      } else go(b, e.fn === "and" || e.fn === "or" ? refine(place, a, e.fn === "and") : place);
      return;
    }
    case "reduce": {
      if (e.axes.length === 0) say(1, `${e.monoid} has no axis`);
      const inner = within(place, e.axes);
      if (e.where !== null) go(e.where, inner);
      return go(e.body, e.where === null ? inner : refine(inner, e.where));
    }
    case "fold":
      return visitFold(e, place, values, say);
    default:
      return e satisfies never;
  }
}

function visitFold(e: Fold, place: Place, values: Values, say: Say): void {
  const inner = within(place, [e.axis]);
  if (e.where !== null) visit(e.where, inner, values, say);
  const guarded = e.where === null ? inner : refine(inner, e.where);
  const known = new Map(values);
  e.steps.forEach((s, i) => {
    const later = e.steps.slice(i).map((x) => x.name);
    const used = later.find((n) => freeNames(s.body).has(n));
    if (used !== undefined) say(3, `step ${s.name} uses ${used}, which comes later`);
    else visit(s.body, guarded, known, say);
    if (s.how !== "let") {
      const masters = mastersOf(e, s.body);
      if (masters === null || (masters.length > 0 && s.how !== "sum")) {
        say(3, `step ${s.name} depends on an accumulator in a way that cannot be rescaled`);
      }
    }
    if (isWide(s.body)) say(3, `step ${s.name} is an i64`);
    known.set(s.name, isIntegral(s.body, known));
  });
  const free = freeNames(e.result);
  const wrong = [e.axis.name, ...e.steps.flatMap((s) => (s.how === "let" ? [s.name] : []))].find((n) => free.has(n));
  if (wrong !== undefined) say(3, `the result uses ${wrong}, which is different at every point`);
  else visit(e.result, place, known, say);
}

function checkRead(e: Read, place: Place, values: Values, say: Say): void {
  const { dims } = e.value.type;
  if (e.at.length !== dims.length)
    say(2, `%${e.value.name} has ${dims.length} axes and is read with ${e.at.length} indices`);
  else e.at.forEach((x, axis) => void checkIndex(x, { value: e.value, axis }, place, say, values));
}

/** One index of a read, or a leading index of an append. */
export function checkIndex(
  x: Scalar,
  { value, axis }: { readonly value: Node; readonly axis: number },
  place: Place,
  say: Say,
  values: Values = new Map(),
): void {
  const size = value.type.dims[axis];
  if (size === undefined) return say(2, `%${value.name} has no axis ${axis}`);
  if (!isIntegral(x, values)) return say(2, `index ${axis} of %${value.name} is no whole number`);
  if (!place.reachable) return;
  const reach = reachOf(x, place);
  const last = subDim(size, 1);
  if (reach !== null && leaves(reach, last, place)) {
    const far = `${printDim(reach.low)}..${printDim(reach.high)}`;
    say(2, `index ${axis} of %${value.name} reaches ${far}, its size is ${printDim(size)}`);
  }
  if (value.kind === "state" && !isGathered(x)) {
    const old = reach !== null && yes(reach.low, place) && yes(subDim(last, reach.high), place);
    if (!old) say(7, `index ${axis} of the state %${value.name} is not proved to be one of its ${printDim(size)}`);
  }
}

/** An end that is surely reached lies outside, or all of it does; nothing of an axis without points does. */
function leaves(r: Reach, last: Dim, place: Place): boolean {
  if (never(subDim(r.high, r.low), place)) return false;
  if (never(r.high, place) || never(subDim(last, r.low), place)) return true;
  return r.exact && (never(r.low, place) || never(subDim(last, r.high), place));
}

const isGathered = (e: Scalar): boolean => e.kind === "read" || children(e).some(isGathered);
