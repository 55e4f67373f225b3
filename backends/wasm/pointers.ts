/**
 * Byte addresses. Inside an innermost loop an access whose index is affine in the loop variable becomes a pointer that is
 * stepped once a turn, plus a constant; accesses with the same invariant part share the pointer. Engines move neither the
 * multiplications nor the sums out of loops by themselves.
 */
import { type Elem, elems } from "../../compiler/kernel/elem.ts";
import { add, isConst, mul } from "../../compiler/kernel/expr.ts";
import type { Expr, Kernel, Load, Loop } from "../../compiler/kernel/kernel.ts";
import { printExpr } from "../../compiler/kernel/print.ts";
import { type Affine, affineIn, type Inside, insideOf, startOf } from "./affine.ts";
import type { Ref } from "./binaryen.ts";
import type { Address, Frame } from "./frame.ts";

/**
 * No memory of a kernel begins below this address. The constant after a pointer is less, and is added without wrapping: so a
 * pointer to before its memory, whose constant leads back into it, does not wrap either.
 */
export const lowestAddress = 65_536;

/** Parameters before those of buffers and sizes. */
export const callNames = ["items.begin", "items.end", "scratch.at"] as const;

/** Bytes of scratch that a kernel's shared arrays take, and where each begins. */
export function sharedLayout(k: Kernel): { readonly bytes: number; readonly offsets: ReadonlyMap<string, number> } {
  const offsets = new Map<string, number>();
  let bytes = 0;
  for (const s of k.shared) {
    offsets.set(s.name, bytes);
    bytes += Math.ceil((s.size * elems[s.elem].bytes) / 16) * 16;
  }
  return { bytes, offsets };
}

interface Place {
  readonly elem: Elem;
  readonly base: () => Ref;
  /** Elements of each piece, of a buffer in pieces. */
  readonly extent: Expr | null;
}
/**
 * An index behind the start of its piece. Both wrap where a buffer has 2³² elements or more, and so do addresses: those of what
 * is in a memory of 32 bits do not.
 */
function behind(start: Expr, index: Expr): Expr {
  const [first, last] = index.kind === "op" && index.op === "add" ? index.args : [];
  return first !== undefined && isConst(last) ? add(add(start, first), last) : add(start, index);
}

interface Stepping {
  readonly loop: Loop;
  readonly inside: Inside;
  /** Locals by memory, step and invariant part. */
  readonly known: Map<string, string>;
  /** Run before the loop, and at the end of each turn. */
  readonly before: Ref[];
  readonly after: Ref[];
}

export class Pointers {
  readonly #f: Frame;
  readonly #places = new Map<string, Place>();
  #stepping: Stepping | null = null;
  constructor(f: Frame, k: Kernel) {
    this.#f = f;
    for (const b of k.buffers)
      this.#places.set(b.name, {
        elem: b.elem,
        base: () => f.get(b.name),
        extent: b.pieces === undefined ? null : b.extent,
      });
    const { offsets } = sharedLayout(k);
    for (const s of k.shared) {
      const base = (): Ref => f.m.i32.add(f.get("scratch.at"), f.m.i32.const(offsets.get(s.name) ?? 0));
      this.#places.set(s.name, { elem: s.elem, base, extent: null });
    }
  }
  isMemory(name: string): boolean {
    return this.#places.has(name);
  }

  /** Spells the body of a loop with pointers of its own. */
  around(loop: Loop, body: () => void): { readonly before: readonly Ref[]; readonly after: readonly Ref[] } {
    const outer = this.#stepping;
    const own: Stepping = { loop, inside: insideOf(loop), known: new Map(), before: [], after: [] };
    this.#stepping = own;
    body();
    this.#stepping = outer;
    return own;
  }
  /** Spells what is no body of an innermost loop: without stepped pointers. */
  plainly(spell: () => void): void {
    const outer = this.#stepping;
    this.#stepping = null;
    spell();
    this.#stepping = outer;
  }

  address({ from, index: inPiece, piece }: Pick<Load, "from" | "index" | "piece">, spell: (e: Expr) => Ref): Address {
    const place = this.#places.get(from);
    if (place === undefined) return this.#f.refuse(`no memory ${from}`);
    const index = piece === undefined ? inPiece : behind(mul(piece, place.extent ?? 0), inPiece);
    return this.#stepped(from, place, index, spell) ?? this.#plain(place, index, spell);
  }

  #bytes(e: Ref, { elem }: Place): Ref {
    const size = elems[elem].bytes;
    return size === 1 ? e : this.#f.m.i32.shl(e, this.#f.m.i32.const(Math.log2(size)));
  }

  #plain(place: Place, index: Expr, spell: (e: Expr) => Ref): Address {
    const { i32 } = this.#f.m;
    const [first, last] = index.kind === "op" && index.op === "add" ? index.args : [];
    const size = elems[place.elem].bytes;
    const constant = isConst(last) ? last.value * size : -1;
    const split = first !== undefined && constant >= 0 && constant < lowestAddress;
    const pointer = this.#f.onceI32(i32.add(place.base(), this.#bytes(spell(split ? first : index), place)));
    return { pointer, offset: split ? constant : 0 };
  }

  #stepped(from: string, place: Place, index: Expr, spell: (e: Expr) => Ref): Address | null {
    const s = this.#stepping;
    const a = s === null ? null : affineIn(index, s.inside, (n) => this.isMemory(n));
    if (s === null || a === null) return null;
    const bytes = a.offset * elems[place.elem].bytes;
    const far = Math.floor(bytes / lowestAddress);
    const terms = a.terms.map((t) => printExpr(t)).sort();
    const key = [from, far, printExpr(a.step), ...terms].join(" + ");
    const local = s.known.get(key) ?? this.#start(s, { from, place, a, far }, spell);
    s.known.set(key, local);
    return { pointer: () => this.#f.get(local), offset: bytes - far * lowestAddress };
  }

  #start(
    s: Stepping,
    { from, place, a, far }: { from: string; place: Place; a: Affine; far: number },
    spell: (e: Expr) => Ref,
  ): string {
    const f = this.#f;
    const { i32 } = f.m;
    const local = f.fresh(`${from}.at`);
    this.plainly(() => {
      f.into(s.before, () => {
        const start = i32.add(place.base(), this.#bytes(spell(startOf(a, s.loop.from)), place));
        f.setI32(local, far === 0 ? start : i32.add(start, i32.const((far * lowestAddress) | 0)));
      });
      const step = mul(a.step, s.loop.step);
      if (isConst(step) && step.value === 0) return;
      f.into(s.after, () => {
        const size = elems[place.elem].bytes;
        const by = isConst(step) ? i32.const(step.value * size) : this.#bytes(spell(step), place);
        f.setI32(local, i32.add(f.get(local), by));
      });
    });
    return local;
  }
}
