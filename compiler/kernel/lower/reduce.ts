/**
 * What a strategy writes as `reduce … over W any`, by what the target can do:
 *   W <= every subgroup size          one reduction of a cluster (shuffles)
 *   W a multiple of a fixed size      clusters, then their results through shared memory
 *   W = all lanes, size unknown       the actual subgroups, then one result each through shared memory
 *   W less than that                  clusters of the least size, then their results through shared memory
 *   otherwise                         a tree in shared memory
 * Reductions that follow each other meet at the same barriers. A scratch array is shared by all reductions of an elem: lanes meet before it
 * is used again, and not after the last use.
 */
import type { KernelTarget } from "../../target/kernel-target.ts";
import { elems, type Type } from "../elem.ts";
import { add, constant, div, eq, load, lt, min, mod, mul, name, type Operand, op, sub } from "../expr.ts";
import type { Expr, Kernel, Shared, Stmt } from "../kernel.ts";
import { monoids } from "../ops.ts";
import { exprsOf, someExpr } from "../walk.ts";
import { FreshNames } from "./fresh-names.ts";

type Reduce = Extract<Stmt, { kind: "reduce" }>;
const barrier: Stmt = { kind: "barrier" };

export function lowerReduce(k: Kernel, target: KernelTarget): Kernel {
  const names = new FreshNames(k);
  const extra = new Map<string, Shared>();
  const scratch = ({ elem }: Type, slot: number): string => {
    const known = extra.get(elem);
    const made = known ?? { name: names.take(`partial_${elem}`), elem, size: 0 };
    extra.set(elem, { ...made, size: Math.max(made.size, (slot + 1) * k.lanes) });
    return made.name;
  };
  const bytes = k.shared.reduce((n, s) => n + s.size * elems[s.elem].bytes, 0);
  const room = Math.max(1, Math.floor((target.sharedBytes - bytes) / (4 * k.lanes)));
  const together = (run: readonly Reduce[]): readonly Stmt[] => {
    const width = run[0]?.width ?? 1;
    const { subgroup } = target;
    if (subgroup !== null && width <= subgroup.min) return run.map((s): Stmt => ({ ...s, how: "cluster" }));
    const places = run.map((s, i) => new Scratch(scratch(s.value.type, i), i * k.lanes, s));
    const fixed = subgroup !== null && (subgroup.min === subgroup.max || width < k.lanes);
    if (subgroup !== null && fixed && width % subgroup.min === 0) return byClusters(places, names, subgroup.min);
    if (subgroup !== null && width === k.lanes) return bySubgroups(places, names);
    return byTree(places);
  };
  /** Whether lanes may still read what others would now write over. */
  let isInUse = false;
  const block = (body: readonly Stmt[]): readonly Stmt[] =>
    runsOf(body, room).flatMap((run) => {
      if (run.kind === "reduces") {
        const made = together(run.all);
        const meets = isInUse && made.includes(barrier) ? [barrier] : [];
        isInUse ||= made.includes(barrier);
        return [...meets, ...made];
      }
      const { s } = run;
      if (s.kind === "barrier") isInUse = false;
      if (s.kind !== "loop" && s.kind !== "if") return [s];
      // A turn of a loop comes after another, and what is under a condition may not be done.
      const after = isInUse || holdsReduce(s.body);
      if (s.kind === "loop") isInUse = after;
      const inner = block(s.body);
      isInUse = after;
      return [{ ...s, body: inner }];
    });
  const body = block(k.body);
  return { ...k, body, shared: [...k.shared, ...extra.values()] };
}

const holdsReduce = (body: readonly Stmt[]): boolean =>
  body.some((s) => s.kind === "reduce" || ((s.kind === "loop" || s.kind === "if") && holdsReduce(s.body)));

type Run = { readonly kind: "reduces"; readonly all: readonly Reduce[] } | { readonly kind: "other"; readonly s: Stmt };

/** Reductions of one width that follow each other, at most so many, none of what another one gives. */
function runsOf(body: readonly Stmt[], most: number): readonly Run[] {
  const runs: Run[] = [];
  for (const s of body) {
    const last = runs.at(-1);
    if (s.kind !== "reduce" || s.how !== "any") runs.push({ kind: "other", s });
    else if (last?.kind === "reduces" && last.all.length < most && joins(s, last.all))
      runs[runs.length - 1] = { kind: "reduces", all: [...last.all, s] };
    else runs.push({ kind: "reduces", all: [s] });
  }
  return runs;
}
const joins = (s: Reduce, run: readonly Reduce[]): boolean =>
  run.every((r) => r.width === s.width && !exprsOf(s).some((x) => mentions(x, r.name)));
const mentions = (e: Expr, n: string): boolean => someExpr(e, (x) => x.kind === "name" && x.name === n);

/** What of a scratch array a reduction of a run has. */
class Scratch {
  readonly reduce: Reduce;
  readonly #array: string;
  readonly #first: number;
  readonly #type: Type;
  readonly #merge: "add" | "max" | "min";
  constructor(array: string, first: number, reduce: Reduce) {
    this.reduce = reduce;
    this.#array = array;
    this.#first = first;
    this.#type = reduce.value.type;
    this.#merge = monoids[reduce.monoid].op;
  }
  at(index: Operand): Expr {
    return load(this.#array, add(index, this.#first), this.#type);
  }
  put(index: Expr, value: Expr): Stmt {
    return { kind: "store", to: this.#array, index: add(index, this.#first), value };
  }
  merge(a: Expr, b: Expr): Expr {
    return op(this.#merge, a, b);
  }
}

const lane = name("lane");

/** Reductions of smaller parts; those lanes that `which` says hold theirs, at `at`, and all of them read `first` and on. */
interface Parts {
  readonly how: Partial<Reduce>;
  readonly which: Expr;
  readonly at: Expr;
  readonly first: Expr;
  readonly count: Expr;
}

const byClusters = (places: readonly Scratch[], names: FreshNames, size: number): readonly Stmt[] => {
  const width = places[0]?.reduce.width ?? size;
  return inParts(places, names, {
    how: { width: size, how: "cluster" },
    which: eq(mod(lane, size), 0),
    at: div(lane, size),
    first: mul(div(lane, width), width / size),
    count: constant(width / size),
  });
};

function bySubgroups(places: readonly Scratch[], names: FreshNames): readonly Stmt[] {
  const width = places[0]?.reduce.width ?? 1;
  const size = name("subgroup_size");
  return inParts(places, names, {
    how: { how: "subgroup" },
    which: eq(name("subgroup_lane"), 0),
    at: name("subgroup_id"),
    first: constant(0),
    // The minimum says what no division by an unknown size shows: there are no more subgroups than lanes.
    count: min(div(sub(add(size, width), 1), size), width),
  });
}

function inParts(places: readonly Scratch[], names: FreshNames, parts: Parts): readonly Stmt[] {
  const named = places.map((place) => ({ place, part: names.take(`${place.reduce.name}_part`) }));
  return [
    ...named.map(({ place, part }): Stmt => ({ ...place.reduce, name: part, ...parts.how })),
    {
      kind: "if",
      cond: parts.which,
      body: named.map(({ place, part }) => place.put(parts.at, name(part, place.reduce.value.type))),
    },
    barrier,
    ...places.flatMap((place) => gather(place, names, parts)),
  ];
}

/** Values that a lane merges one after the other: the fewer at once, the more often lanes meet. */
const mostAtOnce = 8;

const mergedOf = (place: Scratch, first: Expr, apart: number, count: number): Expr =>
  Array.from({ length: count }, (_, i) => place.at(add(first, i * apart))).reduce((a, b) => place.merge(a, b));

/** Each lane reduces `count` partial results, from the same ones the same. */
function gather(place: Scratch, names: FreshNames, { first, count }: Parts): readonly Stmt[] {
  const s = place.reduce;
  if (count.kind === "const" && count.value <= mostAtOnce)
    return [{ kind: "let", name: s.name, value: mergedOf(place, first, 1, count.value) }];
  const [acc, i] = [names.take(`${s.name}_acc`), names.take(`${s.name}_i`)];
  const held = load(acc, 0, s.value.type);
  const keep = (value: Expr): Stmt => ({ kind: "store", to: acc, index: constant(0), value });
  return [
    { kind: "reg", name: acc, type: s.value.type, size: 1 },
    keep(place.at(first)),
    {
      kind: "loop",
      mode: "serial",
      name: i,
      from: constant(1),
      to: count,
      step: 1,
      body: [keep(place.merge(held, place.at(add(first, name(i)))))],
    },
    { kind: "let", name: s.name, value: held },
  ];
}

/** Some lanes merge what is an equal way apart, until so few are left that each lane merges these. */
function byTree(places: readonly Scratch[]): readonly Stmt[] {
  const width = places[0]?.reduce.width ?? 1;
  const out: Stmt[] = [...places.map((place) => place.put(lane, place.reduce.value)), barrier];
  let left = width;
  while (left > mostAtOnce) {
    const [count, next] = [mostAtOnce, left / mostAtOnce];
    const body = places.map((place) => place.put(lane, mergedOf(place, lane, next, count)));
    out.push({ kind: "if", cond: lt(mod(lane, width), next), body }, barrier);
    left = next;
  }
  const first = mul(div(lane, width), width);
  return [
    ...out,
    ...places.map((p): Stmt => ({ kind: "let", name: p.reduce.name, value: mergedOf(p, first, 1, left) })),
  ];
}
