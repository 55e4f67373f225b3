/**
 * What a strategy writes as `reduce … over W any`, by what the target can do:
 *   W <= every subgroup size          one reduction of a cluster (shuffles)
 *   W a multiple of a fixed size      clusters, then their results through shared memory
 *   W = all lanes, size unknown       the actual subgroups, then one result each through shared memory
 *   otherwise                         a tree in shared memory
 * A scratch array is shared by all reductions of an elem; the barrier after each use makes room for the next.
 */
import type { KernelTarget } from "../../target/kernel-target.ts";
import type { Type } from "../elem.ts";
import { add, constant, div, eq, load, lt, min, mod, mul, name, type Operand, op, sub } from "../expr.ts";
import type { Expr, Kernel, Shared, Stmt } from "../kernel.ts";
import { monoids } from "../ops.ts";
import { mapStmts } from "../walk.ts";
import { FreshNames } from "./fresh-names.ts";

type Reduce = Extract<Stmt, { kind: "reduce" }>;
const barrier: Stmt = { kind: "barrier" };

export function lowerReduce(k: Kernel, target: KernelTarget): Kernel {
  const names = new FreshNames(k);
  const extra = new Map<string, Shared>();
  const scratch = ({ elem }: Type): string => {
    const known = extra.get(elem);
    if (known !== undefined) return known.name;
    const made = { name: names.take(`partial_${elem}`), elem, size: k.lanes };
    extra.set(elem, made);
    return made.name;
  };
  const body = mapStmts(
    k.body,
    (e) => e,
    (s) => {
      if (s.kind !== "reduce" || s.how !== "any") return [s];
      const { subgroup } = target;
      if (subgroup !== null && s.width <= subgroup.min) return [{ ...s, how: "cluster" }];
      const place = new Scratch(scratch(s.value.type), s);
      const fixed = subgroup !== null && subgroup.min === subgroup.max && s.width % subgroup.min === 0;
      if (subgroup !== null && fixed) return byClusters(s, place, names, subgroup.min);
      if (subgroup !== null && s.width === k.lanes) return bySubgroups(s, place, names);
      return byTree(s, place);
    },
  );
  return { ...k, body, shared: [...k.shared, ...extra.values()] };
}

class Scratch {
  readonly #array: string;
  readonly #type: Type;
  readonly #merge: "add" | "max" | "min";
  constructor(array: string, s: Reduce) {
    this.#array = array;
    this.#type = s.value.type;
    this.#merge = monoids[s.monoid].op;
  }
  at(index: Operand): Expr {
    return load(this.#array, index, this.#type);
  }
  put(index: Expr, value: Expr): Stmt {
    return { kind: "store", to: this.#array, index, value };
  }
  merge(a: Expr, b: Expr): Expr {
    return op(this.#merge, a, b);
  }
}

const lane = name("lane");

function byClusters(s: Reduce, place: Scratch, names: FreshNames, size: number): readonly Stmt[] {
  const part = names.take(`${s.name}_part`);
  const first = mul(div(lane, s.width), s.width / size);
  return [
    { ...s, name: part, width: size, how: "cluster" },
    {
      kind: "if",
      cond: eq(mod(lane, size), 0),
      body: [place.put(div(lane, size), name(part, s.value.type))],
    },
    barrier,
    ...gather(s, place, names, { first, count: constant(s.width / size) }),
  ];
}

function bySubgroups(s: Reduce, place: Scratch, names: FreshNames): readonly Stmt[] {
  const part = names.take(`${s.name}_part`);
  const size = name("subgroup_size");
  // The minimum says what no division by an unknown size shows: there are no more subgroups than lanes.
  const count = min(div(sub(add(size, s.width), 1), size), s.width);
  return [
    { ...s, name: part, how: "subgroup" },
    {
      kind: "if",
      cond: eq(name("subgroup_lane"), 0),
      body: [place.put(name("subgroup_id"), name(part, s.value.type))],
    },
    barrier,
    ...gather(s, place, names, { first: constant(0), count }),
  ];
}

/** Each lane reduces `count` partial results, from the same ones the same. */
function gather(
  s: Reduce,
  place: Scratch,
  names: FreshNames,
  from: { readonly first: Expr; readonly count: Expr },
): readonly Stmt[] {
  const [acc, i] = [names.take(`${s.name}_acc`), names.take(`${s.name}_i`)];
  const held = load(acc, 0, s.value.type);
  const keep = (value: Expr): Stmt => ({ kind: "store", to: acc, index: constant(0), value });
  return [
    { kind: "reg", name: acc, type: s.value.type, size: 1 },
    keep(place.at(from.first)),
    {
      kind: "loop",
      mode: "serial",
      name: i,
      from: constant(1),
      to: from.count,
      step: 1,
      body: [keep(place.merge(held, place.at(add(from.first, name(i)))))],
    },
    { kind: "let", name: s.name, value: held },
    barrier,
  ];
}

function byTree(s: Reduce, place: Scratch): readonly Stmt[] {
  const out: Stmt[] = [place.put(lane, s.value), barrier];
  for (let half = s.width / 2; half >= 1; half /= 2) {
    const merged = place.merge(place.at(lane), place.at(add(lane, half)));
    out.push({ kind: "if", cond: lt(mod(lane, s.width), half), body: [place.put(lane, merged)] }, barrier);
  }
  return [...out, { kind: "let", name: s.name, value: place.at(mul(div(lane, s.width), s.width)) }, barrier];
}
