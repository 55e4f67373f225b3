/** Which types a kernel loads from and stores to each memory: how the memory is declared follows from it. */
import { elems, type Type } from "../../compiler/kernel/elem.ts";
import { partsOf } from "../../compiler/kernel/joined.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { exprsOf, walkExpr, walkStmts } from "../../compiler/kernel/walk.ts";

export interface Accesses {
  readonly loads: readonly Type[];
  readonly stores: readonly Type[];
}

export function accessesIn(k: Kernel): ReadonlyMap<string, Accesses> {
  const found = new Map<string, { readonly loads: Type[]; readonly stores: Type[] }>();
  for (const part of partsOf(k)) {
    for (const m of [...part.buffers, ...part.shared])
      if (!found.has(m.name)) found.set(m.name, { loads: [], stores: [] });
    walkStmts(part.body, (s) => {
      if (s.kind === "store") found.get(s.to)?.stores.push(s.value.type);
      for (const e of exprsOf(s))
        walkExpr(e, (x) => {
          if (x.kind === "load") found.get(x.from)?.loads.push(x.type);
        });
    });
  }
  return found;
}

export const bytesOf = (t: Type): number => t.width * elems[t.elem].bytes;
