/** Makes kernels. Names are made unique in the whole kernel, so that pieces of strategies can be put together freely. */
import { InternalError } from "../graph/internal-error.ts";
import { type Elem, type Type, typeOf } from "./elem.ts";
import { add, asExpr, constant, convert, load, mul, name, type Operand } from "./expr.ts";
import type { Buffer, Expr, Kernel, Shared, Stmt, Window } from "./kernel.ts";
import type { Monoid } from "./ops.ts";
import { isReserved } from "./reserved.ts";

/** A place that holds elements of a type: a buffer, a shared array, or registers. */
export interface Memory {
  readonly name: string;
  readonly type: Type;
}
/** `width` elements of a buffer or shared array, or one register; `piece`: of a buffer in pieces. */
export const at = (m: Memory, index: Operand, width = 1, piece?: Expr): Expr =>
  load(m.name, index, m.type.width > 1 ? m.type : typeOf(m.type.elem, width), piece);
/** The same as f32, whatever the storage is. */
export const f32At = (m: Memory, index: Operand, width = 1): Expr => convert(at(m, index, width), "f32");

/** Collects the statements of a body. */
export class Body {
  /** Blocks that are open, the innermost last. */
  #open: readonly Stmt[][] = [[]];
  readonly #blocks = new Map<readonly Stmt[], number>();
  readonly #used: Set<string>;
  readonly #shared: Shared[] = [];
  readonly lanes: number;
  /** The lane; 0 where there is one. */
  readonly lane: Expr;
  constructor(lanes: number, used: Iterable<string>) {
    this.lanes = lanes;
    this.lane = lanes === 1 ? constant(0) : name("lane");
    this.#used = new Set(used);
  }
  #fresh(base: string): string {
    let n = base;
    for (let i = 1; this.#used.has(n) || isReserved(n); i += 1) n = `${base}${i}`;
    this.#used.add(n);
    return n;
  }
  #inside(fill: () => void): readonly Stmt[] {
    const outer = this.#open;
    const inner: Stmt[] = [];
    this.#open = [...outer, inner];
    fill();
    this.#open = outer;
    return inner;
  }
  emit(s: Stmt): void {
    this.#open.at(-1)?.push(s);
  }
  /** How many blocks are open around the place where statements go; 0: the body itself. */
  get depth(): number {
    return this.#open.length - 1;
  }
  /** Tells the open block at a depth from those that are closed. */
  blockAt(depth: number): number {
    const block = this.#open[depth] ?? [];
    const known = this.#blocks.get(block) ?? this.#blocks.size;
    this.#blocks.set(block, known);
    return known;
  }
  /** What `fill` emits goes to the end of an open block, in front of the loops and guards that are open inside of it. */
  at(depth: number, fill: () => void): void {
    const open = this.#open;
    this.#open = open.slice(0, depth + 1);
    fill();
    this.#open = open;
  }
  say(text: string): void {
    this.emit({ kind: "comment", text });
  }
  let(base: string, value: Expr): Expr {
    if (value.kind === "const" || value.kind === "wide" || value.kind === "name") return value;
    const n = this.#fresh(base);
    this.emit({ kind: "let", name: n, value });
    return name(n, value.type);
  }
  /** `size` registers, set to `first` where it is given. */
  reg(base: string, type: Type, size = 1, first?: Expr): Memory {
    const m = { name: this.#fresh(base), type };
    this.emit({ kind: "reg", name: m.name, type, size });
    if (first !== undefined) this.unroll("i", size, (i) => this.store(m, i, first));
    return m;
  }
  shared(base: string, elem: Elem, size: number): Memory {
    const m = { name: this.#fresh(base), type: typeOf(elem) };
    this.#shared.push({ name: m.name, elem, size });
    return m;
  }
  loop(base: string, range: { from: Operand; to: Operand; step: number }, body: (i: Expr) => void): void {
    const n = this.#fresh(base);
    const inner = this.#inside(() => body(name(n)));
    const { from, to, step } = range;
    this.emit({ kind: "loop", mode: "serial", name: n, from: asExpr(from), to: asExpr(to), step, body: inner });
  }
  /** Straight code; its variable may index registers. */
  unroll(base: string, count: number, body: (i: Expr) => void): void {
    if (count === 1) return body(constant(0));
    const n = this.#fresh(base);
    const inner = this.#inside(() => body(name(n)));
    this.emit({
      kind: "loop",
      mode: "unrolled",
      name: n,
      from: constant(0),
      to: constant(count),
      step: 1,
      body: inner,
    });
  }
  /** `count` pieces of work over `owners` lanes: piece j*owners + owner. A loop on a CPU, straight code where each has one. */
  distribute(base: string, count: number, owners: number, owner: Expr, body: (i: Expr) => void): void {
    if (count % owners !== 0) throw new InternalError(`${base}: ${count} pieces over ${owners} lanes`);
    if (count === owners) return body(owner);
    this.loop(base, { from: 0, to: count / owners, step: 1 }, (j) =>
      body(this.let(`${base}_at`, add(mul(j, owners), owner))),
    );
  }
  if(cond: Expr, body: () => void): void {
    this.emit({ kind: "if", cond, body: this.#inside(body) });
  }
  /** An `if` around a body of its own: what is shared by all of that stands in it, and not before it. */
  apart(cond: Expr, body: () => void): void {
    const outer = this.#open;
    const inner: Stmt[] = [];
    this.#open = [inner];
    body();
    this.#open = outer;
    this.emit({ kind: "if", cond, body: inner });
  }
  store(to: Memory, index: Operand, value: Expr): void {
    this.emit({ kind: "store", to: to.name, index: asExpr(index), value });
  }
  /** Nothing where one lane is alone. */
  barrier(): void {
    if (this.lanes > 1) this.emit({ kind: "barrier" });
  }
  reduce(monoid: Monoid, value: Expr, width: number): Expr {
    if (width === 1) return this.let(`all_${monoid}`, value);
    const n = this.#fresh(`all_${monoid}`);
    this.emit({ kind: "reduce", name: n, monoid, value, width, how: "any" });
    return name(n, value.type);
  }
  finish(): { readonly body: readonly Stmt[]; readonly shared: readonly Shared[] } {
    return { body: this.#open[0] ?? [], shared: this.#shared };
  }
}

export interface SizeSpec {
  readonly multiple?: number;
  readonly minimum?: number;
}
export interface BufferSpec {
  readonly elem: Elem;
  /** Elements, of each piece if there are any. */
  readonly extent: Operand;
  readonly pieces?: Operand;
  /** Without it the buffer is read. */
  readonly access?: "write" | "both";
  readonly layout?: string;
}
export interface KernelSpec {
  readonly name: string;
  readonly source: string;
  readonly lanes: number;
  readonly sizes: Readonly<Record<string, SizeSpec>>;
  readonly buffers: Readonly<Record<string, BufferSpec>>;
  /** First axis fastest. */
  readonly grid: Readonly<Record<string, Operand>>;
  readonly window?: Window | undefined;
}

/** `fill` writes the body; it gets the buffers by name. */
export function kernel(spec: KernelSpec, fill: (b: Body, buffer: (name: string) => Memory) => void): Kernel {
  const sizes = Object.entries(spec.sizes).map(([n, s]) => ({
    name: n,
    multiple: s.multiple ?? 1,
    minimum: s.minimum ?? 0,
  }));
  const buffers = Object.entries(spec.buffers).map(
    ([n, b]): Buffer => ({
      name: n,
      elem: b.elem,
      extent: asExpr(b.extent),
      ...(b.pieces === undefined ? {} : { pieces: asExpr(b.pieces) }),
      access: b.access ?? "read",
      layout: b.layout ?? "rows",
    }),
  );
  const grid = Object.entries(spec.grid).map(([n, extent]) => ({ name: n, extent: asExpr(extent) }));
  const body = new Body(
    spec.lanes,
    [...sizes, ...buffers, ...grid].map((x) => x.name),
  );
  fill(body, (n) => {
    const found = buffers.find((b) => b.name === n);
    if (found === undefined) throw new InternalError(`${spec.name} has no buffer ${n}`);
    return { name: n, type: typeOf(found.elem) };
  });
  const { lanes, source, window } = spec;
  const made = { name: spec.name, source, sizes, buffers, grid, lanes, ...body.finish() };
  return window === undefined ? made : { ...made, window };
}
