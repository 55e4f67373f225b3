/**
 * Vectors of what is no vector in memory: a read whose index changes from lane to lane otherwise than by one element, or may be
 * past the end there. Each lane reads for itself, through scratch memory.
 */
import type { Read, Scalar } from "../../graph/node.ts";
import { freeNames, key, readsOf } from "../../graph/scalar.ts";
import { at, type Memory } from "../../kernel/build.ts";
import { asExpr } from "../../kernel/expr.ts";
import { kindOf } from "../lift/kind.ts";
import type { Env } from "../lift/lift.ts";
import { asFloat, asInteger } from "../lift/spell-function.ts";
import type { Item } from "./item.ts";
import type { InnerSum } from "./pattern.ts";

interface Place {
  readonly read: Read;
  readonly scratch: Memory;
}

export class ByLane {
  readonly #item: Item;
  readonly #places: readonly Place[];
  /** `varies`: names whose values differ between lanes; `but`: what is known as vectors anyway. */
  constructor(
    item: Item,
    exprs: readonly Scalar[],
    { varies, but }: { readonly varies: string; readonly but: readonly InnerSum[] },
  ) {
    this.#item = item;
    const known = new Set(but.map((x) => key(x.of)));
    const found = new Map<string, Read>();
    for (const e of exprs) for (const r of readsIn(e, known)) if (freeNames(r).has(varies)) found.set(key(r), r);
    this.#places = [...found.values()].map((r) => ({
      read: r,
      scratch: item.b.shared("lanes", kindOf(r) === "real" ? "f32" : "i32", item.plan.vector),
    }));
  }
  /** Makes the reads known in `vector`, those that do or do not depend on s: of each lane its own. */
  know(which: "moving" | "fixed", lanes: readonly Env[], vector: Env): void {
    const { b, lift, pattern } = this.#item;
    for (const { read, scratch } of this.#places) {
      if (freeNames(read).has(pattern.axis.name) !== (which === "moving")) continue;
      for (const [i, env] of lanes.entries()) {
        const value = lift.value(read, env);
        b.store(scratch, asExpr(i), scratch.type.elem === "f32" ? asFloat(value) : asInteger(value));
      }
      lift.know(read, vector, b.let("lanes", at(scratch, 0, lanes.length)));
    }
  }
}

function readsIn(e: Scalar, known: ReadonlySet<string>): readonly Read[] {
  if (known.has(key(e))) return [];
  return e.kind === "read" ? [e] : e.kind === "call" ? e.args.flatMap((x) => readsIn(x, known)) : readsOf(e);
}
