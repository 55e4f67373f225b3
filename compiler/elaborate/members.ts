/** Questions about sets of indices: is something in it, in which slot, and how many are there. */
import { addDim, constantOf, type Dim, dim, isNonNegative, type LowerBounds, mulDim, subDim } from "../graph/dim.ts";
import { isIntegral } from "../graph/integral.ts";
import type { Scalar } from "../graph/node.ts";
import { add, call, dimValue, freeNames, name, num, reduce, same } from "../graph/scalar.ts";
import type { Members, Position } from "./axis.ts";
import { flat } from "./axis.ts";

/** Plain places only: what stands in a set is one number on a plain axis. */
const numberAt = (p: Position): Scalar => {
  if (p.kind === "flat") return p.at;
  if (p.kind === "slot") return numberAt(p.member);
  throw new Error("membership of a structured index");
};

/** Makes a name that nothing else has. */
type Fresh = (base: string) => string;

/** Whether an index is a member; null: all are. */
export function memberAt(
  members: Members | null,
  before: readonly Position[],
  self: Position,
  fresh: Fresh,
): Scalar | null {
  if (members === null) return null;
  if (members.kind === "where") return members.holds(before, self);
  if (self.kind === "slot") return members.filled(before, self.slot);
  const n = fresh("j");
  const equal = call("eq", numberAt(members.member(before, name(n))), numberAt(self));
  return reduce("any", [{ name: n, size: members.count }], equal, members.filled(before, name(n)));
}

/** The slot that holds an index: the greatest slot with that member, 0 where none has it. */
export function slotOf(members: Members | null, before: readonly Position[], self: Position, fresh: Fresh): Position {
  if (members?.kind !== "slots" || self.kind === "slot") return self;
  const n = fresh("j");
  const equal = call("eq", numberAt(members.member(before, name(n))), numberAt(self));
  const filled = members.filled(before, name(n));
  const where = filled === null ? equal : call("and", filled, equal);
  const found = reduce("max", [{ name: n, size: members.count }], name(n), where);
  return { kind: "slot", slot: call("maximum", found, num(0)), member: self };
}

/**
 * How many points of an axis satisfy a guard, where its form tells: no guard, `i <= e` for a whole e, or `i div m` in a list of c
 * different numbers. Null where only counting would tell.
 */
export function countOf(
  over: string,
  size: Dim,
  guard: Scalar | null,
  sizeOfIndex: (name: string) => Dim | null,
): Scalar | null {
  if (guard === null) return dimValue(size);
  if (guard.kind === "call" && guard.fn === "le") {
    const [i, last] = guard.args;
    if (i?.kind === "name" && i.name === over && last !== undefined && isIntegral(last) && !freeNames(last).has(over)) {
      const most = greatest(last, sizeOfIndex);
      const inside = most !== null && compareDims(addDim(most, 1), size) === "at most";
      return inside ? add(last, num(1)) : call("minimum", add(last, num(1)), dimValue(size));
    }
  }
  if (guard.kind === "reduce" && guard.monoid === "any" && guard.where === null && guard.axes.length === 1) {
    const [list] = guard.axes;
    const { body } = guard;
    const sides = body.kind === "call" && body.fn === "eq" ? body.args : [];
    const group = sides.find((x) => x.kind === "call" && x.fn === "floordiv" && isName(x.args[0], over));
    const member = sides.find((x) => x !== group);
    const width = group?.kind === "call" ? group.args[1] : undefined;
    const fits = member !== undefined && !freeNames(member).has(over) && list !== undefined;
    if (fits && width?.kind === "dim") return dimValue(mulDim(width.dim, list.size));
    if (fits && width?.kind === "const") return dimValue(mulDim(width.value, list.size));
  }
  return null;
}
const isName = (e: Scalar | undefined, n: string): boolean => e?.kind === "name" && e.name === n;

/** The greatest value of a sum of indices and sizes; null for anything else. */
function greatest(e: Scalar, sizeOfIndex: (name: string) => Dim | null): Dim | null {
  if (e.kind === "const" || e.kind === "dim") return e.kind === "dim" ? e.dim : dim(e.value);
  if (e.kind === "name") {
    const size = sizeOfIndex(e.name);
    return size === null ? null : subDim(size, 1);
  }
  if (e.kind !== "call" || e.fn !== "add") return null;
  const [a, b] = e.args.map((x) => greatest(x, sizeOfIndex));
  return a == null || b == null ? null : addDim(a, b);
}

const compareDims = (a: Dim, b: Dim): "at most" | "unknown" =>
  isNonNegative(subDim(b, a), noBounds) === "yes" ? "at most" : "unknown";
const noBounds: LowerBounds = new Map();

/** Guard of slot j of a list of `k` when there are `count` members; null: always filled. */
export function filledGuard(slot: Scalar, k: Dim, count: Scalar, number: (d: Dim) => number | null): Scalar | null {
  const have = count.kind === "dim" ? number(count.dim) : count.kind === "const" ? count.value : null;
  const want = constantOf(k) ?? number(k);
  if (have !== null && want !== null && want <= have) return null;
  return same(count, dimValue(k)) ? null : call("lt", slot, count);
}

/** Numbers written out as a set. */
export function listedMembers(items: readonly number[]): Members {
  const member = (slot: Scalar): Scalar =>
    items
      .slice(0, -1)
      .reduceRight<Scalar>(
        (rest, item, i) => call("select", call("eq", slot, num(i)), num(item), rest),
        num(items.at(-1) ?? 0),
      );
  return { kind: "slots", count: numberDim(items.length), member: (_, slot) => flat(member(slot)), filled: () => null };
}
const numberDim = (n: number): Dim => mulDim(n, 1);
