/**
 * Invariant 11: launches of a kernel that have different pieces write different elements. Every store to a buffer is guarded by that a
 * piece is at hand, `first <= p` and `p < first + pieces`, and neither p nor the element hangs on the window or on what only some
 * launches read; so all launches find the same piece for an element, and one of them has it.
 */
import type { Expr, Kernel, Stmt } from "./kernel.ts";
import { printExpr } from "./print.ts";
import type { Problems } from "./problem.ts";
import { children, someExpr } from "./walk.ts";

export function windowProblems(k: Kernel, problems: Problems): void {
  const { window } = k;
  if (window === undefined) return;
  const names = new Set([window.first, window.pieces]);
  for (const n of names) if (k.sizes.every((s) => s.name !== n)) problems.report(11, `${n} of the window is no size`);
  const hangs = (e: Expr): boolean => someExpr(e, (x) => x.kind === "name" && names.has(x.name));
  for (const b of k.buffers) {
    const inWindow = b.pieces?.kind === "name" && b.pieces.name === window.pieces;
    if (hangs(b.extent) || (b.pieces !== undefined && hangs(b.pieces) && !inWindow))
      problems.report(11, `${b.name} has another size in each window`);
  }
  for (const g of k.grid) if (hangs(g.extent)) problems.report(11, `there are other ${g.name} in each window`);
  new Guards(k, problems).check();
}

/** An expression by its number: equal ones have the same, names of `let` that of their value. */
type Id = number;

class Guards {
  readonly #k: Kernel;
  readonly #problems: Problems;
  readonly #ids = new Map<string, Id>();
  readonly #names = new Map<string, Id>();
  readonly #parts = new Map<Id, { readonly op: string; readonly args: readonly Id[] }>();
  /** Those that hang on the window. */
  readonly #open = new Set<Id>();
  /** Buffers that are the same for all launches. */
  readonly #steady: ReadonlySet<string>;
  readonly #first: Id;
  readonly #end: ReadonlySet<Id>;

  constructor(k: Kernel, problems: Problems) {
    this.#k = k;
    this.#problems = problems;
    const { first = "", pieces = "" } = k.window ?? {};
    const isSteady = (b: Kernel["buffers"][number]): boolean =>
      b.access === "read" && !(b.pieces?.kind === "name" && b.pieces.name === pieces);
    this.#steady = new Set(k.buffers.filter(isSteady).map((b) => b.name));
    const [from, count] = [this.#own(first), this.#own(pieces)];
    this.#first = from;
    this.#end = new Set([this.#op("add", [from, count]), this.#op("add", [count, from])]);
  }

  check(): void {
    this.#block(this.#k.body, []);
  }

  #block(body: readonly Stmt[], guards: readonly Id[]): void {
    for (const s of body)
      switch (s.kind) {
        case "let":
          this.#names.set(s.name, this.#idOf(s.value));
          break;
        case "reduce":
          this.#own(s.name); // of whatever lanes have found
          break;
        case "loop": {
          const [from, to] = [this.#idOf(s.from), this.#idOf(s.to)];
          if (this.#open.has(from) || this.#open.has(to)) this.#own(s.name);
          else this.#names.set(s.name, this.#number(`loop ${s.name}`));
          this.#block(s.body, guards);
          break;
        }
        case "if":
          this.#block(s.body, [...guards, ...this.#conjuncts(this.#idOf(s.cond))]);
          break;
        case "store":
          if (this.#k.buffers.some((b) => b.name === s.to)) this.#store(s, guards);
          break;
        case "frag_store":
          if (this.#k.buffers.some((b) => b.name === s.memory))
            this.#problems.report(11, `${s.memory} is stored to by a matrix statement`);
          break;
        case "reg":
        case "frag":
        case "frag_load":
        case "mma":
        case "barrier":
        case "comment":
          break;
        default:
          s satisfies never;
      }
  }

  #store({ to, index }: Extract<Stmt, { kind: "store" }>, guards: readonly Id[]): void {
    const [above, below] = [new Set<Id>(), new Set<Id>()];
    for (const g of guards) {
      const {
        op,
        args: [a, b],
      } = this.#parts.get(g) ?? { op: "", args: [] };
      if (op === "le" && a === this.#first && b !== undefined) above.add(b);
      if (op === "lt" && a !== undefined && b !== undefined && this.#end.has(b)) below.add(a);
    }
    const text = `${to}[${printExpr(index)}]`;
    if (![...above].some((p) => below.has(p) && !this.#open.has(p)))
      this.#problems.report(11, `${text} is stored whatever pieces are at hand`);
    if (this.#open.has(this.#idOf(index))) this.#problems.report(11, `${text} is another element in each window`);
  }

  #conjuncts(id: Id): readonly Id[] {
    const part = this.#parts.get(id);
    return part?.op === "and" ? part.args.flatMap((a) => this.#conjuncts(a)) : [id];
  }

  /** Of a name that hangs on the window. */
  #own(name: string): Id {
    const id = this.#number(`own ${name}`);
    this.#open.add(id);
    this.#names.set(name, id);
    return id;
  }
  #op(op: string, args: readonly Id[]): Id {
    const id = this.#number(`${op} ${args.join()}`);
    this.#parts.set(id, { op, args });
    if (args.some((a) => this.#open.has(a))) this.#open.add(id);
    return id;
  }
  #idOf(e: Expr): Id {
    if (e.kind === "name") return this.#names.get(e.name) ?? this.#number(`name ${e.name}`);
    if (e.kind === "const") return this.#number(printExpr(e));
    const args = children(e).map((c) => this.#idOf(c));
    if (e.kind === "op") return this.#op(e.op, args);
    const id = this.#op(
      `${JSON.stringify({ ...e, ...noChildren, value: undefined })} ${e.kind === "wide" ? e.value : ""}`,
      args,
    );
    // What is kept in between may come from anywhere.
    if (e.kind === "load" && !this.#steady.has(e.from)) this.#open.add(id);
    return id;
  }
  #number(key: string): Id {
    const known = this.#ids.get(key) ?? this.#ids.size;
    this.#ids.set(key, known);
    return known;
  }
}

const noChildren = {
  arg: undefined,
  args: undefined,
  index: undefined,
  piece: undefined,
  a: undefined,
  b: undefined,
  acc: undefined,
};
