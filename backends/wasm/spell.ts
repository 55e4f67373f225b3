/**
 * A lowered kernel as the function `name(begin, end, scratch, buffers…, sizes…)`, all i32: runs the work items begin … end - 1.
 * Buffers and scratch are byte addresses, at least `lowestAddress`.
 */
import { isConst, mul } from "../../compiler/kernel/expr.ts";
import type { Expr, Kernel, Loop, Stmt } from "../../compiler/kernel/kernel.ts";
import { walkStmts } from "../../compiler/kernel/walk.ts";
import { stored } from "./access.ts";
import type { Binaryen, Module, Ref } from "./binaryen.ts";
import { Expressions } from "./expressions.ts";
import { Frame } from "./frame.ts";
import { callNames, Pointers } from "./pointers.ts";

/** Adds the function to the module and exports it. */
export function spellKernel(wasm: Binaryen, m: Module, k: Kernel, relaxed: boolean): void {
  const params = [...callNames, ...k.buffers.map((b) => b.name), ...k.sizes.map((s) => s.name)];
  const f = new Frame(wasm, m, { kernel: k.name, params, relaxed });
  if (k.lanes !== 1) f.refuse(`${k.lanes} lanes`);
  const body = m.block(
    null,
    f.inside(() => new Spelling(f, k).items()),
  );
  const types = wasm.createType(params.map(() => wasm.i32));
  const made = m.addFunction(k.name, types, wasm.none, f.variables, body);
  for (const [i, n] of f.names.entries()) wasm.Function.setLocalName(made, i, n);
  m.addFunctionExport(k.name, k.name);
}

const isInnermost = (loop: Loop): boolean => {
  let inner = false;
  walkStmts(loop.body, (s) => {
    if (s.kind === "loop") inner = true;
  });
  return !inner;
};

class Spelling {
  readonly #f: Frame;
  readonly #k: Kernel;
  readonly #pointers: Pointers;
  readonly #expressions: Expressions;
  constructor(f: Frame, k: Kernel) {
    this.#f = f;
    this.#k = k;
    this.#pointers = new Pointers(f, k);
    this.#expressions = new Expressions(f, this.#pointers);
  }

  items(): void {
    const f = this.#f;
    const { m } = f;
    f.setI32("item.at", f.get("items.begin"));
    const turn = f.inside(() => {
      this.#place();
      this.#body(this.#k.body);
      f.setI32("item.at", m.i32.add(f.get("item.at"), m.i32.const(1)));
    });
    const again = m.br_if("items.next", m.i32.lt_u(f.get("item.at"), f.get("items.end")));
    const loop = m.loop("items.next", m.block(null, [...turn, again]));
    f.emit(m.if(m.i32.lt_u(f.get("item.at"), f.get("items.end")), loop));
  }

  /** Grid indices of the item, the first axis fastest. */
  #place(): void {
    const f = this.#f;
    const { i32 } = f.m;
    let before: Expr | null = null;
    for (const [i, axis] of this.#k.grid.entries()) {
      const item = f.get("item.at");
      const rest = before === null ? item : i32.div_u(item, this.#scalar(before));
      const last = i === this.#k.grid.length - 1;
      f.setI32(axis.name, last ? rest : i32.rem_u(rest, this.#scalar(axis.extent)));
      before = before === null ? axis.extent : mul(before, axis.extent);
    }
  }

  #scalar = (e: Expr): Ref => this.#expressions.scalar(e);

  #body(body: readonly Stmt[]): void {
    for (const s of body) this.#statement(s);
  }

  #statement(s: Stmt): void {
    const f = this.#f;
    switch (s.kind) {
      case "let":
      case "reduce": // over one lane
        return f.set(s.name, s.value.type, this.#expressions.parts(s.value));
      case "store":
        return this.#store(s);
      case "loop":
        return this.#loop(s);
      case "if": {
        const cond = this.#scalar(s.cond);
        return f.emit(
          f.m.if(
            cond,
            f.m.block(
              null,
              f.inside(() => this.#body(s.body)),
            ),
          ),
        );
      }
      case "reg":
      case "barrier":
      case "comment":
        return;
      case "frag":
      case "frag_load":
      case "frag_store":
      case "mma":
        return f.refuse(`${s.kind} without a matrix unit`);
      default:
        s satisfies never;
    }
  }

  #store(s: Extract<Stmt, { kind: "store" }>): void {
    const f = this.#f;
    const { type } = s.value;
    if (!this.#pointers.isMemory(s.to))
      return f.set(this.#expressions.register(s.to, s.index), type, this.#expressions.parts(s.value));
    const at = this.#pointers.address({ from: s.to, index: s.index }, this.#scalar);
    for (const statement of stored(f, type, at, this.#expressions.parts(s.value))) f.emit(statement);
  }

  #loop(s: Loop): void {
    const f = this.#f;
    const { m } = f;
    if (s.mode === "unrolled") f.refuse(`loop ${s.name} is not expanded`);
    const last = `${s.name}.to`;
    f.setI32(last, this.#scalar(s.to));
    f.setI32(s.name, this.#scalar(s.from));
    let around: { readonly before: readonly Ref[]; readonly after: readonly Ref[] } = { before: [], after: [] };
    const body = f.inside(() => {
      if (isInnermost(s)) around = this.#pointers.around(s, () => this.#body(s.body));
      else this.#pointers.plainly(() => this.#body(s.body));
    });
    for (const statement of around.before) f.emit(statement);
    // The last step may lead beyond 2³¹: what was left before it is compared without a sign.
    const step = (): Ref => m.i32.const(s.step);
    const left = m.i32.add(m.i32.sub(f.get(last), f.get(s.name)), step());
    const fromZero = isConst(s.from) && s.from.value >= 0;
    const again = fromZero ? m.i32.lt_u(f.get(s.name), f.get(last)) : m.i32.gt_u(left, step());
    const next = f.inside(() => f.setI32(s.name, m.i32.add(f.get(s.name), m.i32.const(s.step))));
    const label = `${s.name}.next`;
    const turns = m.loop(label, m.block(null, [...body, ...around.after, ...next, m.br_if(label, again)]));
    f.emit(m.if(m.i32.lt_s(f.get(s.name), f.get(last)), turns));
  }
}
