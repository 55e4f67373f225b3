/**
 * Where loads and stores of a block differ in a number alone, the rest has a name: `made[made_at + (t0 * 512 + n0 + 1)]` is `made[to + 1]`.
 * It counts elements of what the memory is declared as, so that vectors side by side differ by 1, and what a turn reads of a row is one
 * sum and numbers behind it.
 */
import { name, op } from "../../compiler/kernel/expr.ts";
import type { Expr, Stmt } from "../../compiler/kernel/kernel.ts";
import { printExpr } from "../../compiler/kernel/print.ts";
import { exprsOf, mapChildren, mapExprsOf, someExpr } from "../../compiler/kernel/walk.ts";
import { loadsMerged, split } from "./merged.ts";

export interface Around {
  /** Elems in one element of a memory that such an access is all of; null where it is none, or of a register. */
  readonly perElement: (memory: string, type: Expr["type"]) => number | null;
  /** Where an index is in what the memory is declared as, in elems. */
  readonly place: (memory: string, index: Expr, piece: Expr | undefined) => Expr;
  readonly take: (base: string) => string;
}
export interface Shared {
  readonly body: readonly Stmt[];
  /** What was named. */
  readonly names: ReadonlySet<string>;
}

/** A load or a store. */
interface Access {
  readonly memory: string;
  readonly type: Expr["type"];
  readonly index: Expr;
  readonly piece?: Expr | undefined;
}
interface Place {
  readonly key: string;
  /** Where it is but for the number, in elements of the memory. */
  readonly rest: Expr;
  /** In elems. */
  readonly number: number;
  readonly per: number;
}

/** Of a body that says the same; a place that was named is `name`, or `name << n` where an element has 2^n elems, and a number. */
export function sharedPlaces(body: readonly Stmt[], around: Around): Shared {
  const names = new Set<string>();
  return { body: block(body, new Map(), { ...around, names }), names };
}

interface Naming extends Around {
  readonly names: Set<string>;
}

function block(body: readonly Stmt[], known: ReadonlyMap<string, string>, naming: Naming): readonly Stmt[] {
  const here = new Map(known);
  const counts = new Map<string, number>();
  for (const s of body)
    for (const a of accessesIn(s)) {
      const place = placeOf(a, naming);
      if (place !== null) counts.set(place.key, (counts.get(place.key) ?? 0) + 1);
    }
  return body.flatMap((s): readonly Stmt[] => {
    const lets: Stmt[] = [];
    for (const a of accessesIn(s)) {
      const place = placeOf(a, naming);
      if (place === null || here.has(place.key) || (counts.get(place.key) ?? 0) < 2) continue;
      const named = naming.take("to");
      naming.names.add(named);
      here.set(place.key, named);
      lets.push({ kind: "let", name: named, value: place.rest });
    }
    const own = renamed(s, here, naming);
    return [...lets, own.kind === "loop" || own.kind === "if" ? { ...own, body: block(own.body, here, naming) } : own];
  });
}

/** Directly in a statement. */
function accessesIn(s: Stmt): readonly Access[] {
  const found: Access[] = [];
  const visit = (e: Expr): Expr => {
    if (loadsMerged(e) !== null) return e; // has a function that counts for itself
    if (e.kind === "load") found.push({ memory: e.from, type: e.type, index: e.index, piece: e.piece });
    return mapChildren(e, visit);
  };
  if (s.kind === "let" || s.kind === "reduce" || s.kind === "store") exprsOf(s).forEach(visit);
  if (s.kind === "store") found.push({ memory: s.to, type: s.value.type, index: s.index });
  return found;
}

/** Null where there is nothing to name. */
function placeOf({ memory, type, index, piece }: Access, { perElement, place }: Around): Place | null {
  const per = perElement(memory, type);
  const { base, constant } = split(index);
  if (per === null || base === null || constant % per !== 0) return null;
  const rest = place(memory, base, piece);
  if ((rest.kind === "name" && per === 1) || someExpr(rest, (e) => e.kind === "load")) return null;
  return { key: `${memory} ${per} ${printExpr(rest)}`, rest: over(rest, per), number: constant, per };
}
const over = (e: Expr, per: number): Expr => (per === 1 ? e : op("shr", e, Math.log2(per)));

function renamed(s: Stmt, known: ReadonlyMap<string, string>, around: Around): Stmt {
  const at = (a: Access): Expr | null => {
    const place = placeOf(a, around);
    const named = place === null ? undefined : known.get(place.key);
    if (place === null || named === undefined) return null;
    const rest = place.per === 1 ? name(named) : op("shl", name(named), Math.log2(place.per));
    return op("add", rest, place.number);
  };
  const visit = (e: Expr): Expr => {
    if (loadsMerged(e) !== null) return e;
    const own = mapChildren(e, visit);
    if (own.kind !== "load" || e.kind !== "load") return own;
    const index = at({ memory: e.from, type: e.type, index: e.index, piece: e.piece });
    return index === null ? own : { kind: "load", type: e.type, from: e.from, index };
  };
  if (s.kind !== "let" && s.kind !== "reduce" && s.kind !== "store") return s;
  const own = mapExprsOf(s, visit);
  if (own.kind !== "store" || s.kind !== "store") return own;
  const index = at({ memory: s.to, type: s.value.type, index: s.index });
  return index === null ? own : { ...own, index };
}
