/** Statements of the IR as WGSL. */
import { isBounded } from "../../compiler/kernel/bounded.ts";
import type { Type } from "../../compiler/kernel/elem.ts";
import type { Expr, Kernel, Loop, Stmt } from "../../compiler/kernel/kernel.ts";
import type { FreshNames } from "../../compiler/kernel/lower/fresh-names.ts";
import type { Monoid } from "../../compiler/kernel/ops.ts";
import { walkStmts } from "../../compiler/kernel/walk.ts";
import type { Language } from "../c-like/statements.ts";
import type { Expressions } from "./expressions.ts";
import { WgslError } from "./wgsl-error.ts";

type Of<K extends Stmt["kind"]> = Extract<Stmt, { kind: K }>;

const acrossSubgroup: Readonly<Record<Monoid, string>> = { sum: "subgroupAdd", max: "subgroupMax", min: "subgroupMin" };

/** What makes bounds such that they are not known. */
export interface Hidden {
  readonly knownWork: number;
  /** Is added to one. */
  readonly zero: () => string;
  /** Where a loop that may be ended early ends. */
  readonly bound: () => string;
}

export class Statements implements Language {
  readonly #k: Kernel;
  /** Each register of an array is a variable by itself. */
  readonly #registers = new Map<string, readonly string[]>();
  readonly #expressions: Expressions;
  readonly #hidden: Hidden;

  constructor(
    k: Kernel,
    names: FreshNames,
    hidden: Hidden,
    make: (register: (name: string, index: Expr) => string) => Expressions,
  ) {
    this.#k = k;
    this.#hidden = hidden;
    walkStmts(k.body, (s) => {
      if (s.kind !== "reg") return;
      const one = s.size === 1;
      this.#registers.set(
        s.name,
        Array.from({ length: s.size }, (_, i) => (one ? s.name : names.take(`${s.name}_${i}`))),
      );
    });
    this.#expressions = make((n, index) => this.#register(n, index));
  }
  #refuse(why: string): never {
    throw new WgslError("not-spelled", this.#k.name, why);
  }
  #register(n: string, index: Expr): string {
    const found = index.kind === "const" ? this.#registers.get(n)?.[index.value] : undefined;
    return found ?? this.#refuse(`${n} at an index that is no constant: unrolled loops come first`);
  }
  #type(t: Type): string {
    return this.#expressions.type(t);
  }

  expr = (e: Expr): string => this.#expressions.expr(e);

  bound = (s: Of<"let">): string => `let ${s.name} = ${this.expr(s.value)};`;

  registers = (s: Of<"reg">, values: readonly Expr[]): readonly string[] =>
    (this.#registers.get(s.name) ?? []).map((n, i) => {
      const value = values[i];
      return value === undefined ? `var ${n}: ${this.#type(s.type)};` : `var ${n} = ${this.expr(value)};`;
    });

  stored = (s: Of<"store">): string =>
    this.#registers.has(s.to)
      ? this.#expressions.assigned(this.#register(s.to, s.index), s.value)
      : this.#expressions.store(s.to, s.index, s.value);

  /** Items of one lane have nobody to wait for. */
  barrier = (): readonly string[] => {
    if (this.#k.lanes === 1) return [];
    const storage = this.#k.buffers.some((b) => b.access === "both");
    return storage ? ["storageBarrier();", "workgroupBarrier();"] : ["workgroupBarrier();"];
  };

  reduced = (s: Of<"reduce">): readonly string[] => {
    const value = this.expr(s.value);
    if (this.#k.lanes === 1) return [`let ${s.name} = ${value};`];
    if (s.how === "any") return this.#refuse(`reduce ${s.name}: lowering says how`);
    if (s.how === "subgroup") return [`let ${s.name} = ${acrossSubgroup[s.monoid]}(${value});`];
    return [`let ${s.name} = ${this.#expressions.overLanes(s.monoid, s.width, s.value)};`];
  };

  matrix = (s: { readonly kind: string }): readonly string[] => this.#refuse(`${s.kind} without a matrix unit`);

  loopHead = (s: Loop): string => {
    if (s.mode === "unrolled") return this.#refuse(`loop ${s.name} is not expanded`);
    // Sizes and extents are below 2^30, so that a turn's last step does not wrap; a constant may be anything.
    if (s.to.kind === "const" && s.to.value + s.step > 0x7fffffff)
      return this.#refuse(`loop ${s.name} ends beside 2^31`);
    return `for (var ${s.name} = ${this.expr(s.from)}; ${s.name} < ${this.#end(s)}; ${s.name} += ${s.step})`;
  };

  #end(s: Loop): string {
    const { knownWork, zero, bound } = this.#hidden;
    const to = this.expr(s.to);
    if (isBounded(s)) return `min(${to}, ${bound()})`;
    return s.to.kind === "const" && workOf(s, s.to.value) > knownWork ? `${to} + ${zero()}` : to;
  }
}

/** Statements of all turns. */
function workOf({ from, step, body }: Loop, to: number): number {
  if (from.kind !== "const") return Number.POSITIVE_INFINITY;
  let statements = 0;
  walkStmts(body, () => {
    statements += 1;
  });
  return ((to - from.value) / step) * statements;
}
