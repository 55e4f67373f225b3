/** Expressions: constructors that simplify exactly, walks, substitution, identity up to renaming. */
import { type Monoid, type ScalarFn, scalarFunctions } from "../ops/scalar-functions.ts";
import { addDim, constantOf, type Dim, type DimLike, dim, mulDim, subDim } from "./dim.ts";
import type { Axis, Name, Node, Read, Scalar } from "./node.ts";

export const num = (value: number): Scalar => ({ kind: "const", value });
export const name = (n: string): Name => ({ kind: "name", name: n });
export const dimValue = (d: DimLike): Scalar => {
  const full = dim(d);
  const c = constantOf(full);
  return c === null ? { kind: "dim", dim: full } : num(c);
};
export const axis = (n: string, size: DimLike): Axis => ({ name: n, size: dim(size) });
export const read = (value: Node, at: readonly Scalar[]): Read => ({ kind: "read", value, at });
/** The expression as a size, where it is one. */
export const asDim = (e: Scalar): Dim | null =>
  e.kind === "dim" ? e.dim : e.kind === "const" && Number.isSafeInteger(e.value) ? dim(e.value) : null;

const isConst = (e: Scalar | undefined, value: number): boolean =>
  e?.kind === "const" && e.value === value && !Object.is(e.value, -0);

/** A call with constants and sizes folded and units dropped. Every rule is exact, signed zeros aside. */
export function call(fn: ScalarFn, ...args: readonly Scalar[]): Scalar {
  const [a, b, c] = args;
  if (a !== undefined && args.every((x) => x.kind === "const")) {
    const value = (x: Scalar | undefined): number => (x?.kind === "const" ? x.value : Number.NaN);
    return num(scalarFunctions[fn].evaluate(value(a), value(b), value(c)));
  }
  return simplify(fn, a, b, c) ?? { kind: "call", fn, args };
}

function simplify(fn: ScalarFn, a?: Scalar, b?: Scalar, c?: Scalar): Scalar | null {
  if (a === undefined || b === undefined) return null;
  switch (fn) {
    case "add":
      return isConst(b, 0) ? a : isConst(a, 0) ? b : (withSizes(fn, a, b) ?? restore(a, b) ?? rejoin(a, b));
    case "sub":
      return isConst(b, 0) ? a : (withSizes(fn, a, b) ?? cancel(a, b));
    case "mul":
      return isConst(b, 1) ? a : isConst(a, 1) ? b : withSizes(fn, a, b);
    case "div":
      return isConst(b, 1) ? a : null;
    case "minimum":
      return isConst(b, Number.POSITIVE_INFINITY) ? a : null;
    case "maximum":
      return isConst(b, Number.NEGATIVE_INFINITY) ? a : null;
    case "floordiv":
      return isConst(b, 1) ? a : nestedDivision(a, b);
    case "mod":
      return isConst(b, 1) ? num(0) : null;
    case "and":
      return a.kind === "const"
        ? a.value === 0
          ? num(0)
          : b
        : b.kind === "const"
          ? b.value === 0
            ? num(0)
            : a
          : null;
    case "or":
      return a.kind === "const" ? (a.value === 0 ? b : num(1)) : null;
    case "select":
      return a.kind === "const" && c !== undefined ? (a.value !== 0 ? b : c) : null;
    default:
      return null;
  }
}

function withSizes(fn: "add" | "sub" | "mul", a: Scalar, b: Scalar): Scalar | null {
  if (a.kind !== "dim" && b.kind !== "dim") return null;
  const [x, y] = [asDim(a), asDim(b)];
  if (x === null || y === null) return null;
  return dimValue(fn === "add" ? addDim(x, y) : fn === "sub" ? subDim(x, y) : mulDim(x, y));
}

/** (x + p) - p, the shape that splitting a joined axis leaves behind. */
const cancel = (a: Scalar, b: Scalar): Scalar | null => {
  if (a.kind !== "call" || a.fn !== "add") return null;
  const [x, p] = a.args;
  return x !== undefined && p !== undefined && key(p) === key(b) ? x : null;
};

/** (x - p) + p, for sizes: whole numbers, so nothing is rounded. */
const restore = (a: Scalar, b: Scalar): Scalar | null => {
  if (a.kind !== "call" || a.fn !== "sub" || asDim(b) === null) return null;
  const [x, p] = a.args;
  return x !== undefined && p !== undefined && asDim(p) !== null && key(p) === key(b) ? x : null;
};

/** floor(x / p) * p + x mod p: a number split over axes and put together again. */
const rejoin = (a: Scalar, b: Scalar): Scalar | null => {
  if (a.kind !== "call" || a.fn !== "mul" || b.kind !== "call" || b.fn !== "mod") return null;
  const [quotient, width] = a.args;
  const [x, p] = b.args;
  if (quotient?.kind !== "call" || quotient.fn !== "floordiv" || x === undefined || p === undefined) return null;
  const [y, q] = quotient.args;
  const split = y !== undefined && q !== undefined && width !== undefined && same(x, y) && same(p, q);
  return split && same(p, width) && asDim(p) !== null ? x : null;
};

/** floor(floor(x / p) / q) = floor(x / (p q)), p and q sizes. */
const nestedDivision = (a: Scalar, b: Scalar): Scalar | null => {
  if (a.kind !== "call" || a.fn !== "floordiv") return null;
  const [x, p] = a.args;
  const [m, n] = [p === undefined ? null : asDim(p), asDim(b)];
  if (x === undefined || m === null || n === null) return null;
  const both = dimValue(mulDim(m, n));
  return call("floordiv", x, both);
};

export const add = (a: Scalar, b: Scalar): Scalar => call("add", a, b);
export const mul = (a: Scalar, b: Scalar): Scalar => call("mul", a, b);
export const reduce = (monoid: Monoid, axes: readonly Axis[], body: Scalar, where: Scalar | null = null): Scalar =>
  axes.length === 0
    ? body
    : { kind: "reduce", monoid, axes, where: isConst(where ?? undefined, 1) ? null : where, body };

export function children(e: Scalar): readonly Scalar[] {
  switch (e.kind) {
    case "const":
    case "dim":
    case "name":
      return [];
    case "read":
      return e.at;
    case "call":
      return e.args;
    case "reduce":
      return e.where === null ? [e.body] : [e.where, e.body];
    case "fold":
      return [...(e.where === null ? [] : [e.where]), ...e.steps.map((s) => s.body), e.result];
    default:
      return e satisfies never;
  }
}

/** Axes that an expression itself binds. */
export const boundAxes = (e: Scalar): readonly Axis[] =>
  e.kind === "reduce" ? e.axes : e.kind === "fold" ? [e.axis] : [];
/** Names that an expression itself binds: axes, accumulators, lets. */
export const boundNames = (e: Scalar): readonly string[] =>
  e.kind === "reduce"
    ? e.axes.map((a) => a.name)
    : e.kind === "fold"
      ? [e.axis.name, ...e.steps.map((s) => s.name)]
      : [];

/** The expression with `f` applied to its children; itself where none changes. */
export function mapChildren(e: Scalar, f: (c: Scalar) => Scalar): Scalar {
  // Most expressions are walked and stay as they are: nothing is made for those.
  const list = (xs: readonly Scalar[]): readonly Scalar[] => {
    let out: Scalar[] | null = null;
    let at = 0;
    for (const x of xs) {
      const to = f(x);
      if (out === null && to !== x) out = xs.slice(0, at);
      out?.push(to);
      at += 1;
    }
    return out ?? xs;
  };
  switch (e.kind) {
    case "const":
    case "dim":
    case "name":
      return e;
    case "read": {
      const at = list(e.at);
      return at === e.at ? e : read(e.value, at);
    }
    case "call": {
      const args = list(e.args);
      return args === e.args ? e : call(e.fn, ...args);
    }
    case "reduce": {
      const where = e.where === null ? null : f(e.where);
      const body = f(e.body);
      return where === e.where && body === e.body ? e : { ...e, where, body };
    }
    case "fold": {
      const where = e.where === null ? null : f(e.where);
      const steps = e.steps.map((s) => {
        const body = f(s.body);
        return body === s.body ? s : { ...s, body };
      });
      const result = f(e.result);
      const same = where === e.where && result === e.result && steps.every((s, i) => s === e.steps[i]);
      return same ? e : { ...e, where, steps, result };
    }
    default:
      return e satisfies never;
  }
}

export function walk(e: Scalar, visit: (e: Scalar) => void): void {
  visit(e);
  for (const c of children(e)) walk(c, visit);
}

/** Rewrites bottom-up: children first, then the expression itself. */
export const bottomUp = (e: Scalar, f: (e: Scalar) => Scalar): Scalar => f(mapChildren(e, (c) => bottomUp(c, f)));

export function some(e: Scalar, test: (e: Scalar) => boolean): boolean {
  return test(e) || children(e).some((c) => some(c, test));
}

const noReads: readonly Read[] = [];
const readsMemo = new WeakMap<Scalar, readonly Read[]>();
/** All reads in an expression, outer ones first. */
export function readsOf(e: Scalar): readonly Read[] {
  if (e.kind === "name" || e.kind === "const" || e.kind === "dim") return noReads;
  const known = readsMemo.get(e);
  if (known !== undefined) return known;
  const found: Read[] = e.kind === "read" ? [e] : [];
  for (const c of children(e)) found.push(...readsOf(c));
  readsMemo.set(e, found);
  return found;
}

const noNames: ReadonlySet<string> = new Set();
const freeMemo = new WeakMap<Scalar, ReadonlySet<string>>();
/** Names that are not bound inside. */
export function freeNames(e: Scalar): ReadonlySet<string> {
  if (e.kind === "const" || e.kind === "dim") return noNames;
  const known = freeMemo.get(e);
  if (known !== undefined) return known;
  const found = findFree(e);
  freeMemo.set(e, found);
  return found;
}
function findFree(e: Scalar): ReadonlySet<string> {
  if (e.kind === "name") return new Set([e.name]);
  // One set for many expressions: most bind nothing, and have all their names from one part.
  let found = noNames;
  let own: Set<string> | null = null;
  for (const c of children(e)) {
    const names = freeNames(c);
    if (names.size === 0 || names === found) continue;
    if (found.size === 0) {
      found = names;
      continue;
    }
    own ??= new Set(found);
    for (const n of names) own.add(n);
    found = own;
  }
  for (const n of boundNames(e)) {
    if (!found.has(n)) continue;
    own ??= new Set(found);
    own.delete(n);
    found = own;
  }
  return found;
}

/** Every name that occurs, free or bound. */
export function allNames(e: Scalar, into: Set<string> = new Set()): Set<string> {
  walk(e, (x) => {
    if (x.kind === "name") into.add(x.name);
    for (const n of boundNames(x)) into.add(n);
  });
  return into;
}

/** A name like `base` that is not taken; taken from then on. */
export function fresh(base: string, taken: Set<string>): string {
  const stem = base.replace(/[0-9]+$/, "");
  let candidate = base;
  for (let i = 1; taken.has(candidate); i += 1) candidate = `${stem}${i}`;
  taken.add(candidate);
  return candidate;
}

/** Replaces free names. Nothing is captured as long as bound names were made fresh first (`instantiate`). */
export function substitute(e: Scalar, by: ReadonlyMap<string, Scalar>): Scalar {
  if (by.size === 0) return e;
  if (e.kind === "name") return by.get(e.name) ?? e;
  return mapChildren(e, (c) => substitute(c, by));
}

/** A copy whose bound names avoid `taken` (and are added to it), with free names replaced. */
export function instantiate(e: Scalar, by: ReadonlyMap<string, Scalar>, taken: Set<string>): Scalar {
  if (e.kind === "name") return by.get(e.name) ?? e;
  const names = boundNames(e);
  if (names.length === 0) return mapChildren(e, (c) => instantiate(c, by, taken));
  const inner = new Map(by);
  const renamed = new Map<string, string>();
  for (const n of names) {
    const to = fresh(n, taken);
    renamed.set(n, to);
    inner.set(n, name(to));
  }
  const copy = mapChildren(e, (c) => instantiate(c, inner, taken));
  const to = (n: string): string => renamed.get(n) ?? n;
  if (copy.kind === "reduce") return { ...copy, axes: copy.axes.map((a) => ({ ...a, name: to(a.name) })) };
  if (copy.kind !== "fold") return copy;
  return {
    ...copy,
    axis: { ...copy.axis, name: to(copy.axis.name) },
    steps: copy.steps.map((s) => ({ ...s, name: to(s.name) })),
  };
}

const keyMemo = new WeakMap<Scalar, string>();
/** Identity up to renaming of bound names: those are numbered in order of binding, from the size of `scope` on. */
export function key(e: Scalar, scope: ReadonlyMap<string, string> = noScope): string {
  if (scope.size > 0 || e.kind === "name" || e.kind === "const" || e.kind === "dim") return keyIn(e, scope);
  const known = keyMemo.get(e);
  if (known !== undefined) return known;
  const made = keyIn(e, scope);
  keyMemo.set(e, made);
  return made;
}
const noScope: ReadonlyMap<string, string> = new Map();

function keyIn(e: Scalar, scope: ReadonlyMap<string, string>): string {
  const list = (xs: readonly Scalar[], inner = scope): string => xs.map((x) => key(x, inner)).join(",");
  switch (e.kind) {
    case "const":
      return Object.is(e.value, -0) ? "-0" : String(e.value);
    case "dim":
      return `{${e.dim.key}}`;
    case "name":
      return scope.get(e.name) ?? e.name;
    case "read":
      return `%${e.value.id}[${list(e.at)}]`;
    case "call":
      return `${e.fn}(${list(e.args)})`;
    case "reduce": {
      const inner = extend(scope, e);
      const sizes = e.axes.map((a) => a.size.key).join(",");
      return `${e.monoid}[${sizes}|${e.where === null ? "" : key(e.where, inner)}](${key(e.body, inner)})`;
    }
    case "fold": {
      const inner = extend(scope, e);
      const steps = e.steps.map((s) => `${s.how}:${key(s.body, inner)}`).join(";");
      return `fold[${e.axis.size.key}|${e.where === null ? "" : key(e.where, inner)}](${steps};${key(e.result, inner)})`;
    }
    default:
      return e satisfies never;
  }
}

function extend(scope: ReadonlyMap<string, string>, binder: Scalar): ReadonlyMap<string, string> {
  const inner = new Map(scope);
  for (const n of boundNames(binder)) inner.set(n, `$${inner.size}`);
  return inner;
}
/** Same meaning as far as identity shows it. */
export const same = (a: Scalar, b: Scalar): boolean => a === b || key(a) === key(b);
