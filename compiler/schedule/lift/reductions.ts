/**
 * Reductions of a nest as loops with accumulators. Those over axes of one length that are needed at one place run in one
 * loop, so that two projections of one row read it once; an accumulator is kept for each place side by side.
 */
import type { Dim } from "../../graph/dim.ts";
import { constantOf } from "../../graph/dim.ts";
import { InternalError } from "../../graph/internal-error.ts";
import type { Axis, Read, Reduce, Scalar } from "../../graph/node.ts";
import { children, freeNames, name, some } from "../../graph/scalar.ts";
import { at, type Memory } from "../../kernel/build.ts";
import { type Type, typeOf } from "../../kernel/elem.ts";
import { constant, dot, extract, fma, fold, isConst, lt, op, select, sub } from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";
import type { OpName } from "../../kernel/ops.ts";
import { refolded } from "../nest/specialise.ts";
import type { SharedOut } from "../shared-out.ts";
import type { Staged, Staging } from "../staging.ts";
import { kindOf } from "./kind.ts";
import { type Bound, type Env, type Lift, Unsuitable } from "./lift.ts";
import { dimExpr } from "./spell-dim.ts";
import { asFloat, asInteger } from "./spell-function.ts";
import { vectorAlong } from "./vector-along.ts";

export interface ReductionPlan {
  /** Widest vectors along a reduced axis; 1 for none. */
  readonly vector: number;
  /** Turns of a loop written out one after the other, where accumulators are many, and where they are few. */
  readonly turn: number;
  readonly fewTurns: number;
  /** Whether a sum of products of vectors is one number from the start: where a vector is as many registers as it has lanes. */
  readonly numbers: boolean;
  /** How many products of numbers of 8 bits one operation sums, exactly; 1: they are multiplied as others are. */
  readonly products: 1 | 2 | 4;
  /** The output axis along which vectors lie; null: none. */
  readonly along: { readonly axis: string } | null;
}

interface Member {
  readonly e: Reduce;
  readonly env: Env;
}
/** An accumulator: what is summed, over the loop's own indices. */
interface Summand {
  readonly member: Member;
  readonly body: Scalar;
  readonly where: Scalar | null;
  readonly type: Type;
  /** How many terms one operation multiplies and sums; 1: none does. */
  readonly products: number;
}

/** Accumulators with their numbers. */
type Group = readonly { readonly s: Summand; readonly i: number }[];

const merges: Readonly<Record<Reduce["monoid"], OpName>> = {
  sum: "add",
  product: "mul",
  max: "max",
  min: "min",
  any: "max",
  all: "min",
};

export class Reductions {
  readonly #lift: Lift;
  readonly #plan: ReductionPlan;
  readonly #sharing: SharedOut | null;
  readonly #staging: Staging | null;
  #loops = 0;
  /** Without `sharing` each lane computes all by itself; without `staging` it reads all in place. */
  constructor(lift: Lift, plan: ReductionPlan, ways: { sharing?: SharedOut; staging?: Staging | null } = {}) {
    this.#lift = lift;
    this.#plan = plan;
    this.#sharing = ways.sharing ?? null;
    this.#staging = ways.staging ?? null;
    lift.reduceBy((e, env) => {
      this.#group([{ e, env }]);
      if (!lift.knows(e, env)) throw new InternalError("a reduction was not computed");
      return lift.value(e, env);
    });
  }

  /** Computes the reductions in these expressions, those that belong together at once. */
  prepare(wanted: readonly { readonly e: Scalar; readonly env: Env }[]): void {
    const groups = new Map<string, Member[]>();
    const seen = new Set<string>();
    for (const { e, env } of wanted)
      for (const r of outermost(e, env, this.#lift)) {
        const k = this.#lift.keyOf(r, env);
        if (seen.has(k) || this.#lift.knows(r, env)) continue;
        seen.add(k);
        const id = this.#groupOf(r, env);
        groups.set(id, [...(groups.get(id) ?? []), { e: r, env }]);
      }
    for (const members of groups.values()) this.#group(members);
  }

  #groupOf(r: Reduce, env: Env): string {
    const lift = this.#lift;
    const sizes = r.axes.map((a) => a.size.key).join();
    const [axis] = this.#inner(r);
    const along = lift.widthOf(r, env) > 1 ? -1 : this.#widthAlong(r, axis);
    return `${lift.depthOf(r, env)}|${sizes}|${along}|${this.#productsOf(r, env)}`;
  }

  /** How many of its terms are multiplied and summed at once. */
  #productsOf(r: Reduce, env: Env): number {
    const { products } = this.#plan;
    const [axis] = this.#inner(r);
    const isTaken = this.#lift.widthOf(r, env) === 1 && this.#isShort(r, axis);
    return isTaken && this.#widthAlong(r, axis) % products === 0 ? products : 1;
  }
  /** Whether its terms are products of numbers of 8 bits that both change along the axis. */
  #isShort(r: Reduce, a: Axis): boolean {
    const isPlain = this.#plan.products > 1 && r.monoid === "sum" && r.where === null;
    const factors = isPlain ? this.#lift.shortFactors(r.body) : null;
    return factors?.every((f) => freeNames(f).has(a.name)) === true;
  }
  /** Elements of a vector along an axis of it: of short numbers as many as are summed at once for each of others. */
  #widthAlong(r: Reduce, a: Axis): number {
    const { vector, products } = this.#plan;
    return vectorAlong(r, a, this.#isShort(r, a) ? vector * products : vector);
  }

  /** The axis of the innermost loop, and the others: one that allows vectors, if there is one. */
  #inner(r: Reduce): readonly [Axis, readonly Axis[]] {
    const wide = r.axes.filter((a) => this.#widthAlong(r, a) > 1);
    const axis = wide.at(-1) ?? r.axes.at(-1);
    if (axis === undefined) throw new InternalError("a reduction over no axis");
    return [axis, r.axes.filter((a) => a !== axis)];
  }

  #group(members: readonly Member[]): void {
    const [first] = members;
    if (first === undefined) return;
    const lift = this.#lift;
    const staging = members.some(({ e, env }) => this.#staging?.takes(e, env)) ? this.#staging : null;
    // What does not change in the loop is computed before it; staged, where it is staged.
    if (staging === null)
      this.prepare(
        members.flatMap(({ e, env }) =>
          partsOf(e)
            .flatMap((x) => invariantIn(x, e.axes))
            .map((x) => ({ e: x, env })),
        ),
      );
    const left = members.filter(({ e, env }) => !lift.knows(e, env));
    if (left.length === 0) return;
    const depth = lift.depthOf(first.e, first.env);
    const sharing = this.#sharing?.isTogether(depth) === true && this.#isLong(first.e) ? this.#sharing : null;
    lift.body.at(depth, () => this.#emit(left, first, { sharing, staging }));
  }

  /** Whether there is a turn for each of the lanes that share; not where a sum inside of it is longer, which they share then. */
  #isLong(e: Reduce): boolean {
    const lengthOf = (r: Reduce): number => constantOf(this.#inner(r)[0].size) ?? Number.POSITIVE_INFINITY;
    const own = lengthOf(e);
    const lanes = this.#sharing?.lanes ?? 1;
    return lanes > 1 && own >= lanes && !some(e.body, (x) => x.kind === "reduce" && lengthOf(x) > own);
  }

  #emit(members: readonly Member[], first: Member, { sharing, staging }: Ways): void {
    const lift = this.#lift;
    const outWidth = Math.max(...members.map((m) => lift.widthOf(m.e, m.env)));
    if (sharing !== null && outWidth > 1) throw new Unsuitable("lanes share no vectors of sums");
    const [inner, outer] = this.#inner(first.e);
    const inMemory = (): number => Math.min(...members.map((m) => this.#widthAlong(m.e, this.#inner(m.e)[0])));
    const width = outWidth > 1 ? 1 : staging === null ? inMemory() : this.#plan.vector;
    const names = new Map<Axis, string>();
    for (const a of [...outer, inner]) names.set(a, `$${this.#loops++}`);
    const given = members.map((member): Summand => {
      const [own, others] = this.#inner(member.e);
      const order = [...others, own];
      const by = new Map(order.map((a, i): [string, Scalar] => [a.name, name([...names.values()][i] ?? "")]));
      const kind = member.e.monoid === "any" || member.e.monoid === "all" ? "truth" : kindOf(member.e.body);
      const products = staging === null ? this.#productsOf(member.e, member.env) : 1;
      const isNumber = this.#plan.numbers && member.e.monoid === "sum" && (kind === "real" || products > 1);
      const lanes = Math.max(isNumber ? 1 : width / products, lift.widthOf(member.e, member.env));
      return {
        member,
        body: refolded(member.e.body, by),
        where: member.e.where === null ? null : refolded(member.e.where, by),
        type: typeOf(kind === "real" ? "f32" : kind === "wide" ? "i64" : "i32", lanes),
        products,
      };
    });
    const axes = { outer, inner, names };
    if (staging !== null && given.some((s) => s.where !== null || s.member.e.monoid !== "sum" || s.type.elem !== "f32"))
      throw new Unsuitable("only sums of all terms are staged");
    const terms = given.map((s) => ({ body: s.body, env: s.member.env }));
    const staged = staging?.staged(terms, { ...axes, width }) ?? null;
    const summands = given.map((s, i): Summand => {
      const term = staged?.terms[i];
      return term === undefined ? s : { ...s, member: { e: s.member.e, env: term.env }, body: term.body };
    });
    const loop =
      staged === null
        ? this.#segments(inner.size, width, summands.length, sharing !== null)
        : inOneGo(inner.size, width);
    const total = this.#accumulate(summands, { ...axes, segment: loop.main, copies: loop.copies, sharing, staged });
    const tail =
      loop.tail === null
        ? null
        : this.#accumulate(
            summands.map((s) => ({ ...s, products: 1, type: typeOf(s.type.elem, Math.max(1, s.type.width / width)) })),
            { ...axes, segment: loop.tail, copies: 1, sharing, staged },
          );
    for (const [i, s] of summands.entries()) {
      const { e, env } = s.member;
      const lanes = width > 1 ? this.#folded(e, total(i)) : total(i);
      const own = tail === null ? lanes : op(merges[e.monoid], lanes, tail(i));
      const value = sharing === null ? own : this.#together(e, own, sharing.lanes);
      const result = lift.body.let(e.monoid === "sum" ? "total" : "found", value);
      const truth = e.monoid === "any" || e.monoid === "all";
      lift.know(e, env, truth ? lift.body.let("holds", lt(constant(0, result.type), result)) : result);
    }
  }

  /** Of what all lanes have. */
  #together({ monoid }: Reduce, own: Expr, lanes: number): Expr {
    if (monoid === "product" || own.type.elem === "i64") throw new Unsuitable(`lanes share no ${monoid}`);
    return this.#lift.body.reduce(monoid === "any" ? "max" : monoid === "all" ? "min" : monoid, own, lanes);
  }
  #folded(e: Reduce, v: Expr): Expr {
    if (v.type.width === 1) return v;
    if (e.monoid === "product") {
      const lanes = Array.from({ length: v.type.width }, (_, i) => extract(v, i));
      return lanes.reduce((a, b) => op("mul", a, b));
    }
    return fold(e.monoid === "any" ? "max" : e.monoid === "all" ? "min" : e.monoid, v);
  }

  /** The loop in whole turns, and what is left one by one. */
  #segments(extent: Dim, width: number, accumulators: number, shared: boolean): Segments {
    const n = constantOf(extent);
    const few = accumulators < 4;
    let turn = few ? Math.max(1, Math.floor(this.#plan.fewTurns / accumulators)) : this.#plan.turn;
    if (shared)
      turn = 1; // lanes side by side read what is adjacent
    else if (n !== null) while (turn > 1 && n % (width * turn) !== 0) turn = Math.floor(turn / 2);
    else turn = 1;
    const copies = few ? turn : 1;
    const from = constant(0);
    if (n !== null) {
      const whole = n - (n % (width * turn));
      const main = { from, to: constant(whole), width, turn };
      return { main, tail: whole === n ? null : { from: constant(whole), to: constant(n), width: 1, turn: 1 }, copies };
    }
    const to = dimExpr(extent);
    if (width === 1) return { main: { from, to, width, turn }, tail: null, copies };
    const whole = this.#lift.body.let("whole", sub(to, op("mod", to, width)));
    return { main: { from, to: whole, width, turn }, tail: { from: whole, to, width: 1, turn: 1 }, copies };
  }

  #accumulate(summands: readonly Summand[], loop: Looping): (i: number) => Expr {
    const b = this.#lift.body;
    const { copies } = loop;
    const registers = new Map<string, { readonly memory: Memory; readonly slots: Map<number, number> }>();
    for (const [i, s] of summands.entries()) {
      const k = `${s.type.elem}x${s.type.width}${s.member.e.monoid}`;
      const known = registers.get(k);
      if (known !== undefined) {
        known.slots.set(i, known.slots.size);
        continue;
      }
      const count = summands.filter((x) => `${x.type.elem}x${x.type.width}${x.member.e.monoid}` === k).length;
      const memory = b.reg("acc", s.type, count * copies, identityOf(s.member.e, s.type));
      registers.set(k, { memory, slots: new Map([[i, 0]]) });
    }
    const slotOf = (i: number): { memory: Memory; slot: number } => {
      for (const { memory, slots } of registers.values()) {
        const slot = slots.get(i);
        if (slot !== undefined) return { memory, slot: slot * copies };
      }
      throw new InternalError("an accumulator without a register");
    };
    const together = copies === 1 && this.#plan.numbers && loop.segment.width === 1;
    const groups = this.#groupsOf(summands, loop);
    this.#nest(loop, (places) =>
      (together ? [places] : places.map((p) => [p])).forEach((turn, copy) => {
        const inside = (s: Summand): readonly Env[] => turn.map((place) => new Map([...s.member.env, ...place]));
        this.prepare(summands.flatMap((s) => inside(s).flatMap((env) => partsOf(s).map((e) => ({ e, env })))));
        for (const group of groups) {
          const stores = group.map(({ s, i }) => {
            const { memory, slot } = slotOf(i);
            const here = slot + (copies > 1 ? copy : 0);
            const sum = inside(s).reduce((sofar, env) => this.#merged(s, env, sofar), at(memory, here));
            return { memory, here, sum };
          });
          for (const { memory, here, sum } of stores) b.store(memory, here, sum);
        }
      }),
    );
    return (i) => {
      const { memory, slot } = slotOf(i);
      const monoid = summands[i]?.member.e.monoid ?? "sum";
      const parts = Array.from({ length: copies }, (_, c) => at(memory, slot + c));
      return parts.reduce((x, y) => op(merges[monoid], x, y));
    };
  }

  /**
   * Where lanes are many, all that a group needs of a turn is read, then each gets its terms in one go: loads wait for memory together, and no
   * accumulator is put away between two terms. Along an output axis those are one that take the same vectors of it, so that few are
   * held. What lanes share, or have in shared memory, is near.
   */
  #groupsOf(summands: readonly Summand[], { segment, copies, sharing, staged }: Looping): readonly Group[] {
    const axis = this.#plan.along?.axis ?? "";
    const along = segment.width === 1;
    const sums = [...new Set(summands.map((s) => s.member.e))];
    const isApart = !this.#plan.numbers || copies > 1 || (!along && (sharing !== null || staged !== null));
    const groups = new Map<string, { readonly s: Summand; readonly i: number }[]>();
    for (const [i, s] of summands.entries()) {
      const k = isApart ? String(i) : along ? `${sums.indexOf(s.member.e)}|${s.member.env.get(axis)?.id}` : "";
      groups.set(k, [...(groups.get(k) ?? []), { s, i }]);
    }
    return [...groups.values()];
  }

  #merged({ member, body, where, type, products }: Summand, env: Env, sofar: Expr): Expr {
    const lift = this.#lift;
    const { monoid } = member.e;
    const factors = products === 1 ? null : lift.shortFactors(body);
    if (factors !== null) return this.#dotsInto(sofar, factors, env, products);
    const real = type.elem === "f32";
    const wide = type.elem === "i64";
    const mask = where === null ? null : lift.truth(where, env);
    if (monoid === "sum" && real && mask === null) {
      const parts = lift.productParts(body, env);
      if (parts !== null) return productsInto(sofar, parts);
    }
    const computed = wide ? lift.wide(body, env) : lift.value(body, env);
    const all = real ? asFloat(computed) : wide ? computed : asInteger(computed);
    const value = all.type.width > type.width ? fold("sum", masked(all, mask)) : all;
    const identity = identityOf(member.e, type);
    const isCounted = mask === null || (isConst(mask) && mask.value !== 0) || all.type.width > type.width;
    const counted = isCounted ? value : select(mask, value, identity);
    return op(merges[monoid], sofar, counted);
  }

  /** sofar + a·b, exact in i32. */
  #dotsInto(sofar: Expr, [x, y]: readonly [Read, Read], env: Env, group: number): Expr {
    const [a, b] = [x, y].map((f) => this.#lift.short(f, env, group === 2 ? "i16" : "i8")) as [Expr, Expr];
    const type = typeOf("i32", a.type.width / group);
    if (type.width === sofar.type.width) return dot({ a, b, acc: sofar, group, b7: false });
    return op("add", sofar, fold("sum", dot({ a, b, acc: constant(0, type), group, b7: false })));
  }

  /** The loops; `inside` gets where the indices stand in each turn that is written out. */
  #nest(
    { outer, inner, names, segment, sharing, staged }: Looping,
    inside: (places: readonly ReadonlyMap<string, Bound>[]) => void,
  ): void {
    if (staged !== null) return staged.loop(inside);
    const lift = this.#lift;
    const b = lift.body;
    const go = (rest: readonly Axis[], places: ReadonlyMap<string, Bound>): void => {
      const [a, ...others] = rest;
      if (a === undefined) {
        const { from, to, width, turn } = segment;
        (sharing ?? b).loop("k", { from, to, step: width * turn }, (k) => {
          const here = b.depth;
          const side = (u: number): Bound => lift.bound(k, { offset: u * width, width, depth: here });
          // Where lanes are many a load costs the same for a vector: what a turn needs of adjacent memory is one.
          const bounds =
            this.#plan.numbers && width === 1 ? lift.inTurn(k, turn) : Array.from({ length: turn }, (_, u) => side(u));
          inside(bounds.map((bound) => new Map(places).set(names.get(inner) ?? "", bound)));
        });
        return;
      }
      const n = constantOf(a.size);
      if (n !== null && n <= mostWrittenOut) {
        for (let i = 0; i < n; i += 1) go(others, new Map(places).set(names.get(a) ?? "", lift.bound(constant(i))));
        return;
      }
      b.loop("j", { from: 0, to: dimExpr(a.size), step: 1 }, (j) =>
        go(others, new Map(places).set(names.get(a) ?? "", lift.bound(j))),
      );
    };
    go(outer, new Map());
  }
}

/** Axes that are not longer are written out around a loop. */
const mostWrittenOut = 4;

interface Segment {
  readonly from: Expr;
  readonly to: Expr;
  readonly width: number;
  readonly turn: number;
}
interface Looping {
  readonly outer: readonly Axis[];
  readonly inner: Axis;
  readonly names: ReadonlyMap<Axis, string>;
  readonly segment: Segment;
  readonly copies: number;
  /** Null: each lane goes through all of it. */
  readonly sharing: SharedOut | null;
  /** Whose loops these are then. */
  readonly staged: Staged | null;
}
interface Ways {
  readonly sharing: SharedOut | null;
  readonly staging: Staging | null;
}
interface Segments {
  readonly main: Segment;
  readonly tail: Segment | null;
  readonly copies: number;
}
const inOneGo = (size: Dim, width: number): Segments => ({
  main: { from: constant(0), to: dimExpr(size), width, turn: 1 },
  tail: null,
  copies: 1,
});

/** What does not count is nothing of a sum. */
const masked = (x: Expr, mask: Expr | null): Expr => (mask === null ? x : select(mask, x, constant(0, x.type)));

/** sofar + a·b; the products of vectors one after the other, where what they are added to is a number. */
function productsInto(sofar: Expr, [a, b]: readonly [Expr, Expr]): Expr {
  const width = Math.max(a.type.width, b.type.width);
  if (sofar.type.width === width) return fma(a, b, sofar);
  let sum = sofar;
  for (let i = 0; i < width; i += 1) sum = fma(extract(a, i), extract(b, i), sum);
  return sum;
}

function identityOf({ monoid }: Reduce, type: Type): Expr {
  const real = type.elem === "f32";
  const wide = type.elem === "i64";
  switch (monoid) {
    case "sum":
      return constant(0, type);
    case "product":
      return constant(1, type);
    case "max":
      return constant(real ? Number.NEGATIVE_INFINITY : wide ? -(2 ** 63) : -0x80000000, type);
    case "min":
      if (wide) return { kind: "wide", type, value: 2n ** 63n - 1n };
      return constant(real ? Number.POSITIVE_INFINITY : 0x7fffffff, type);
    case "any":
      return constant(0, type);
    case "all":
      return constant(1, type);
    default:
      return monoid satisfies never;
  }
}

/** Reductions that are in no other, of branches that may be chosen here. */
function outermost(e: Scalar, env: Env, lift: Lift): readonly Reduce[] {
  if (e.kind === "reduce") return [e];
  if (e.kind === "call" && e.fn === "select") {
    const [condition, then, otherwise] = e.args;
    if (condition !== undefined && then !== undefined && otherwise !== undefined && isFixed(condition, env)) {
      const c = lift.truth(condition, env);
      if (isConst(c)) return outermost(c.value !== 0 ? then : otherwise, env, lift);
    }
  }
  return children(e).flatMap((c) => outermost(c, env, lift));
}
/** Of indices that are numbers here. */
const isFixed = (e: Scalar, env: Env): boolean =>
  !some(e, (x) => x.kind === "read" || x.kind === "reduce") &&
  [...freeNames(e)].every((n) => {
    const b = env.get(n);
    return b !== undefined && isConst(b.index) && b.width === 1;
  });

/** The outermost parts that contain a reduction and do not change with the axes. */
function invariantIn(e: Scalar, axes: readonly Axis[]): readonly Scalar[] {
  if (!some(e, (x) => x.kind === "reduce")) return [];
  const free = freeNames(e);
  if (!axes.some((a) => free.has(a.name))) return [e];
  return children(e).flatMap((c) => invariantIn(c, axes));
}

const partsOf = ({ body, where }: { readonly body: Scalar; readonly where: Scalar | null }): readonly Scalar[] =>
  where === null ? [body] : [body, where];
