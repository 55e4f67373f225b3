/** Statements of the text form. */
import type { Cursor } from "../graph/tokens.ts";
import { isElem, readType, type Type, typeOf } from "./elem.ts";
import type { Expr, Frag, FragMove, Loop, Stmt } from "./kernel.ts";
import { reduceWays } from "./kernel.ts";
import { isMonoid } from "./ops.ts";
import { type Declared, parseExpr } from "./parse-expr.ts";
import { mostBlocks } from "./text-form.ts";

export class StatementReader {
  readonly #c: Cursor;
  readonly #declared: Declared;
  #open = 0;
  constructor(cursor: Cursor, declared: Declared) {
    this.#c = cursor;
    this.#declared = declared;
  }
  block(): readonly Stmt[] {
    this.#open += 1;
    if (this.#open > mostBlocks) this.#c.fail("blocks are nested too deep");
    this.#c.expect("{");
    const out: Stmt[] = [];
    while (!this.#c.accept("}")) out.push(this.#statement());
    this.#open -= 1;
    return out;
  }
  #expr(): Expr {
    return parseExpr(this.#c, this.#declared);
  }
  #word(what: string): string {
    return this.#c.of("word", what).text;
  }
  /** `name[index]` */
  #place(): { readonly name: string; readonly index: Expr } {
    const name = this.#word("a name");
    this.#c.expect("[");
    const index = this.#expr();
    this.#c.expect("]");
    return { name, index };
  }
  #declare(name: string, type: Type): void {
    this.#declared.names.set(name, type);
  }

  #statement(): Stmt {
    const t = this.#c.next;
    if (t.kind === "comment") {
      this.#c.take();
      return { kind: "comment", text: t.text.replace(/^\/\/ ?/, "") };
    }
    const word = t.kind === "word" ? t.text : this.#c.fail(`expected a statement, found ${t.text}`);
    switch (word) {
      case "let":
        return this.#let();
      case "reg":
        return this.#reg();
      case "loop":
      case "unroll":
        return this.#loop(word === "loop" ? "serial" : "unrolled");
      case "if":
        this.#c.take();
        return { kind: "if", cond: this.#expr(), body: this.block() };
      case "barrier":
        this.#c.take();
        return { kind: "barrier" };
      case "reduce":
        return this.#reduce();
      case "frag":
        return this.#frag();
      case "frag_load":
      case "frag_store":
        return this.#move(word);
      case "mma":
        return this.#mma();
      default: {
        const { name, index } = this.#place();
        this.#c.expect("=");
        return { kind: "store", to: name, index, value: this.#expr() };
      }
    }
  }
  #let(): Stmt {
    this.#c.take();
    const name = this.#word("a name");
    this.#c.expect("=");
    const value = this.#expr();
    this.#declare(name, value.type);
    return { kind: "let", name, value };
  }
  #reg(): Stmt {
    this.#c.take();
    const name = this.#word("a name");
    this.#c.expect(":");
    const t = this.#c.of("word", "a type");
    const type = readType(t.text) ?? this.#c.fail(`there is no type ${t.text}`, t);
    this.#c.expect("[");
    const size = this.#c.whole("a number of registers");
    this.#c.expect("]");
    this.#declared.memories.set(name, type);
    return { kind: "reg", name, type, size };
  }
  #loop(mode: Loop["mode"]): Stmt {
    this.#c.take();
    const name = this.#word("a name");
    this.#c.expect("in");
    const from = this.#expr();
    this.#c.expect("..");
    const to = this.#expr();
    this.#c.expect("step");
    const step = this.#c.whole("a step");
    this.#declare(name, typeOf("i32"));
    return { kind: "loop", mode, name, from, to, step, body: this.block() };
  }
  #reduce(): Stmt {
    this.#c.take();
    const name = this.#word("a name");
    this.#c.expect("=");
    const t = this.#c.of("word", "a reduction");
    const monoid = isMonoid(t.text) ? t.text : this.#c.fail(`there is no reduction ${t.text}`, t);
    this.#c.expect("(");
    const value = this.#expr();
    this.#c.expect(")");
    this.#c.expect("over");
    const width = this.#c.whole("a number of lanes");
    const way = this.#c.of("word", "any, cluster or subgroup");
    const how = reduceWays.find((w) => w === way.text) ?? this.#c.fail(`there is no way ${way.text}`, way);
    this.#declare(name, value.type);
    return { kind: "reduce", name, monoid, value, width, how };
  }
  #frag(): Frag {
    this.#c.take();
    const name = this.#word("a name");
    this.#c.expect(":");
    const r = this.#c.of("word", "a, b or d");
    const role = roles.find((x) => x === r.text) ?? this.#c.fail(`there is no role ${r.text}`, r);
    const t = this.#c.of("word", "an element type");
    const elem = isElem(t.text) ? t.text : this.#c.fail(`there is no type ${t.text}`, t);
    this.#c.expect("[");
    const [count = 1, rows = 1, columns = 1, ...more] = this.#c.list("]", () => this.#c.whole("a size"));
    if (more.length > 0) this.#c.fail("expected count, rows, columns", t);
    return { kind: "frag", name, role, elem, count, rows, columns };
  }
  #move(kind: FragMove["kind"]): FragMove {
    this.#c.take();
    const left = this.#place();
    this.#c.expect("=");
    const right = this.#place();
    this.#c.expect("stride");
    const stride = this.#expr();
    const [frag, memory] = kind === "frag_load" ? [left, right] : [right, left];
    return { kind, frag: frag.name, at: frag.index, memory: memory.name, index: memory.index, stride };
  }
  #mma(): Stmt {
    this.#c.take();
    const d = this.#place();
    this.#c.expect("+=");
    const a = this.#place();
    this.#c.expect("*");
    const b = this.#place();
    return { kind: "mma", d: d.name, dAt: d.index, a: a.name, aAt: a.index, b: b.name, bAt: b.index };
  }
}
const roles = ["a", "b", "d"] as const;
