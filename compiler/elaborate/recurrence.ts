/**
 * Recurrences along a static axis. Each row is a value of its own; where a row is one call of a family's member and
 * several members in a row are alike but for their tensors (layers of a model), they become one `repeat` of the graph.
 */
import type { Equation as EquationNode, Expr, Target } from "../../dsl/ast/nodes.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import { childrenOf } from "../../dsl/checker/sums.ts";
import type { Span } from "../../dsl/diagnostics/source.ts";
import { dim } from "../graph/dim.ts";
import type { Scalar } from "../graph/node.ts";
import { call, num, read } from "../graph/scalar.ts";
import { allLeaves, flatten, type Position, plain, whole } from "./axis.ts";
import { callMember, memberKey } from "./call.ts";
import { ElaborationError, type Frame, type LayerCall } from "./context.ts";
import { joinLabels, outside } from "./labels.ts";
import { limits } from "./limits.ts";
import { nodeOf } from "./materialize.ts";
import { mentions } from "./mentions.ts";
import { heldIn, narrowed } from "./narrowed.ts";
import { wholeNumber } from "./read.ts";
import { asTensor, type Rows, type Tensor, type Value } from "./value.ts";

export interface Recurrence {
  readonly name: string;
  readonly frame: Frame;
  /** Which subscript is the step. */
  readonly place: number;
  readonly step: EquationNode;
  /** Row `at`, where a start defines it. */
  readonly base: (at: number) => Value | null;
  /** The row after, with the step index known. */
  readonly next: (known: ReadonlyMap<string, number>) => Value;
}

const subjectOf = (item: Expr): Expr => {
  const e = ungroup(item);
  return e.kind === "binary" && e.op === "in" ? ungroup(e.left) : e;
};

export const stepPlace = (target: Target): number =>
  (target.subscript?.items ?? []).findIndex((item) => {
    const e = subjectOf(item);
    return e.kind === "binary" && e.op === "+";
  });
export const isStep = (target: Target): boolean => stepPlace(target) >= 0;

export function recurrence(r: Recurrence): Value {
  const rows = new Map<number, Value>();
  let depth = 0;
  const index = stepIndex(r);
  const family = layerCall(r, index);
  const taps = family === null ? null : tapsOf(r);
  const row = (k: number): Value => {
    const known = rows.get(k) ?? r.base(k);
    if (known !== null && known !== undefined) {
      rows.set(k, known);
      return known;
    }
    if (k <= 0) throw new ElaborationError(`row ${k} of \`${r.name}\` has no start`, r.step.span);
    if (k > limits.members || depth >= limits.steps) {
      const most = k > limits.members ? limits.members : limits.steps;
      throw new ElaborationError(`\`${r.name}\` has more than the ${most} rows that can be elaborated`, r.step.span);
    }
    depth += 1;
    const value = rowBefore(k);
    depth -= 1;
    rows.set(k, value);
    return value;
  };
  /** The row made from the nearest row below it that is defined or read elsewhere. */
  const rowBefore = (k: number): Value => {
    // What a repeat carries hangs on no index: a stack that is called for each of several things is written out.
    const alone = r.frame.around.length === 0;
    if (family === null || taps === null || !alone) return r.next(new Map([[index, k - 1]]));
    const key = (l: number): string => memberKey(family, r.frame, index, l);
    const last = key(k - 1);
    let first = k - 1;
    while (first > 0 && !rows.has(first) && r.base(first) === null && !taps.has(first) && key(first - 1) === last)
      first -= 1;
    return k - first < 2 ? r.next(new Map([[index, k - 1]])) : repeated(r, family, index, first, k - first, row(first));
  };
  if (r.place === 0) return { kind: "rows", row, whole: () => chosenRow(r, row) } satisfies Rows;
  return chosenRow(r, row);
}

function stepIndex(r: Recurrence): string {
  const target = r.step.targets.find((t) => t.name.text === r.name) ?? r.step.targets[0];
  const item = target?.subscript?.items[r.place];
  const e = item === undefined ? null : subjectOf(item);
  const name = e?.kind === "binary" ? ungroup(e.left) : null;
  if (name?.kind !== "name") throw new ElaborationError("a step is written `l + 1`", r.step.span);
  return name.text;
}

/** `layer[l](h[l], …)` whose other arguments do not hang on l; null for any other step. */
function layerCall(r: Recurrence, index: string): LayerCall | null {
  const expr = ungroup(r.step.value);
  if (expr.kind !== "call" || r.step.targets.length !== 1 || r.place !== 0) return null;
  if ((r.step.targets[0]?.subscript?.items.length ?? 0) !== 1) return null;
  const callee = ungroup(expr.callee);
  if (callee.kind !== "index") return null;
  const part = ungroup(callee.base);
  const [member] = callee.subscript.items;
  if (part.kind !== "name" || member === undefined || !isName(member, index)) return null;
  const carried = expr.args.findIndex((a) => {
    const e = a.kind === "argument" ? ungroup(a.value) : null;
    const base = e?.kind === "index" ? ungroup(e.base) : null;
    const items = e?.kind === "index" ? e.subscript.items : [];
    return base?.kind === "name" && base.text === r.name && items.length === 1 && isName(items[0] as Expr, index);
  });
  const others = expr.args.every(
    (a, i) => i === carried || (a.kind === "argument" && !mentions(a.value, index) && !mentions(a.value, r.name)),
  );
  return carried < 0 || !others ? null : { expr, part: part.text, carried };
}

/**
 * The index of a definition that takes turns with a recurrence: `r[n] := f(m[n])` beside `m[n + 1] := g(r[n])`. Each of
 * its rows then is a value of its own, as those of the recurrence are. Null for any other definition.
 */
export function turnOf(name: string, equation: EquationNode, frame: Frame): string | null {
  const [target] = equation.targets;
  const [item] = target?.subscript?.items ?? [];
  const subject = item === undefined || equation.targets.length !== 1 ? null : subjectOf(item);
  if (subject?.kind !== "name") return null;
  const turns = readsAt(equation.value, subject.text).some((other) => {
    const source = frame.info.body.scope.names.get(other)?.source;
    const steps = source?.kind === "definition" ? source.equations : [];
    return steps.some((step) => step.targets.some((t) => stepPlace(t) === 0) && mentions(step.value, name));
  });
  return turns ? subject.text : null;
}

/** Names that are read at an index in their first place: `m` for `m[n, i]`. */
function readsAt(e: Expr, index: string): readonly string[] {
  const base = e.kind === "index" ? ungroup(e.base) : null;
  const [first] = e.kind === "index" ? e.subscript.items : [];
  const own = base?.kind === "name" && first !== undefined && isName(first, index) ? [base.text] : [];
  return [...own, ...childrenOf(e).flatMap((c) => readsAt(c, index))];
}

/** Rows that are made when they are first read. */
export function rowByRow(make: (k: number) => Value, span: Span): Rows {
  const rows = new Map<number, Value>();
  const row = (k: number): Value => {
    const value = rows.get(k) ?? make(k);
    rows.set(k, value);
    return value;
  };
  const whole = (): never => {
    throw new ElaborationError("rows that take turns with a recurrence can be read one by one only", span);
  };
  return { kind: "rows", row, whole };
}

const isName = (e: Expr, name: string): boolean => {
  const inner = ungroup(e);
  return inner.kind === "name" && inner.text === name;
};

/** Rows that something else reads; null where a read does not say which. */
function tapsOf(r: Recurrence): ReadonlySet<number> | null {
  const found = new Set<number>();
  let all = true;
  const eq = outside(r.frame, r.name);
  const visit = (e: Expr): void => {
    const base = e.kind === "index" ? ungroup(e.base) : null;
    if (e.kind === "index" && base?.kind === "name" && base.text === r.name) {
      const [first] = e.subscript.items;
      let at: number | null = null;
      try {
        at = first === undefined ? null : wholeNumber(r.frame.unit.rules.evaluate(first, eq), eq);
      } catch (error) {
        if (!(error instanceof ElaborationError)) throw error;
      }
      if (at === null) all = false;
      else found.add(at);
    }
    for (const c of childrenOf(e)) visit(c);
  };
  for (const entity of r.frame.info.body.scope.names.values()) {
    if (entity.source.kind !== "definition") continue;
    for (const equation of entity.source.equations) if (equation !== r.step) visit(equation.value);
  }
  return all ? found : null;
}

/** `count` members from `first` on, as one repeat. */
function repeated(r: Recurrence, family: LayerCall, index: string, first: number, count: number, start: Value): Tensor {
  const { frame } = r;
  const { unit } = frame;
  const initial = asTensor(start);
  const label = joinLabels(frame.label, r.name);
  const held = (value: Tensor): Tensor => ({
    ...narrowed(value, label, unit),
    dtype: heldIn(label, value.dtype, unit),
  });
  const init = nodeOf(unit, `${r.name}.${first}`, held(initial));
  const { carry, index: loop } = unit.builder.loop(r.name, init.type, family.part);
  const carried: Tensor = { ...initial, at: (p) => read(carry, allLeaves(p, initial.axes)) };
  unit.effects.push([]);
  unit.pending.push(null);
  const members = Array.from({ length: count }, (_, i) => first + i);
  const value = asTensor(
    callMember(family, frame, index, { members, size: dim(count), at: () => read(loop, []) }, carried),
  );
  const body = nodeOf(unit, `${r.name}.next`, held(value));
  unit.settle();
  const effects = unit.effects.pop() ?? [];
  const node = unit.builder.repeat(r.name, { count, init, carry, index: loop, body, effects });
  return { ...initial, axes: initial.axes, dtype: initial.dtype, at: (p) => read(node, allLeaves(p, initial.axes)) };
}

/** Rows of a recurrence side by side, chosen by the position at its place. */
function chosenRow(r: Recurrence, row: (k: number) => Value): Tensor {
  const count = rowsOf(r);
  const layout = plain(dim(count));
  const tensorAt = (k: number): Tensor => asTensor(row(k));
  // A step reads the rows before it through this very value, so nothing of it may be asked for here.
  return {
    kind: "tensor",
    get axes() {
      const { axes } = tensorAt(0);
      return [...axes.slice(0, r.place), whole(layout), ...axes.slice(r.place)];
    },
    get dtype() {
      return tensorAt(0).dtype;
    },
    at: (positions) => {
      const at = flatten(positions[r.place] as Position, layout);
      const rest = positions.filter((_, i) => i !== r.place);
      if (at.kind === "const") return tensorAt(at.value).at(rest);
      const last = tensorAt(count - 1).at(rest);
      const others = Array.from({ length: count - 1 }, (_, k) => k);
      return others.reduceRight<Scalar>(
        (after, k) => call("select", call("eq", at, num(k)), tensorAt(k).at(rest), after),
        last,
      );
    },
  };
}

/** How many rows there are: the range that the step's item says is that of all rows. */
function rowsOf(r: Recurrence): number {
  const target = r.step.targets.find((t) => t.name.text === r.name) ?? r.step.targets[0];
  const item = target?.subscript?.items[r.place];
  const e = item === undefined ? null : ungroup(item);
  const eq = outside(r.frame, r.name);
  if (e?.kind === "binary" && e.op === "in") {
    const n = wholeNumber(r.frame.unit.rules.evaluate(e.right, eq), eq);
    if (n !== null) return n;
  }
  throw new ElaborationError(`how many rows \`${r.name}\` has is not known`, r.step.span);
}
