/** Where values of a phase live: memory of the call with its lifetime, or what outlives the call. */
import type { ArenaBuffer, Binding, BufferElem, SizeExpr } from "../../runtime/artifact/program.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { Node } from "../graph/node.ts";

interface Growing {
  readonly name: string;
  readonly elem: BufferElem;
  readonly size: SizeExpr;
  /** Repeats around the place where it was made. */
  readonly inside: readonly object[];
  first: number;
  last: number;
}

/** Counts leaf steps and notes which of them touch which buffer. */
export class Places {
  readonly #buffers: Growing[] = [];
  readonly #at = new Map<Node, Binding>();
  /** Repeats that are open, with the buffers from outside that they touch. */
  readonly #open: { readonly id: object; readonly start: number; readonly touched: Set<number> }[] = [];
  #ordinal = 0;

  get buffers(): readonly ArenaBuffer[] {
    return this.#buffers.map(({ name, elem, size, first, last }) => ({ name, elem, size, live: [first, last] }));
  }
  /** The leaf step that comes next. */
  get ordinal(): number {
    return this.#ordinal;
  }

  buffer(name: string, elem: BufferElem, size: SizeExpr): number {
    const inside = this.#open.map((o) => o.id);
    this.#buffers.push({ name, elem, size, inside, first: this.#ordinal, last: this.#ordinal });
    return this.#buffers.length - 1;
  }
  put(n: Node, at: Binding): void {
    this.#at.set(n, at);
  }
  has(n: Node): boolean {
    return this.#at.has(n);
  }
  of(n: Node): Binding {
    const at = this.#at.get(n);
    if (at === undefined) throw new InternalError(`%${n.name} is nowhere`);
    return at;
  }

  /** The next leaf step touches these. */
  step(bindings: readonly Binding[]): void {
    for (const b of bindings) if (b.kind === "arena") this.touch(b.buffer);
    this.#ordinal += 1;
  }
  touch(buffer: number, ordinal = this.#ordinal): void {
    const b = this.#buffers[buffer];
    if (b === undefined) throw new InternalError(`no buffer ${buffer}`);
    b.first = Math.min(b.first, ordinal);
    b.last = Math.max(b.last, ordinal);
    for (const o of this.#open) if (!b.inside.includes(o.id)) o.touched.add(buffer);
  }

  /** What is inside runs several times: buffers from outside live through all of it. */
  repeated(fill: () => void): void {
    const open = { id: {}, start: this.#ordinal, touched: new Set<number>() };
    this.#open.push(open);
    fill();
    this.#open.pop();
    for (const buffer of open.touched) {
      this.touch(buffer, open.start);
      this.touch(buffer, Math.max(open.start, this.#ordinal - 1));
    }
  }
}
