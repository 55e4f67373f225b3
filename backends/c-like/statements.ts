/** Statements in languages descended from C: what is the same in all of them. */
import type { Expr, Loop, Stmt } from "../../compiler/kernel/kernel.ts";
import { someExpr } from "../../compiler/kernel/walk.ts";
import type { Writer } from "./writer.ts";

/** What a language says of statements; lines without indentation. */
export interface Language {
  readonly expr: (e: Expr) => string;
  /** `let`: a name that is not assigned again. */
  readonly bound: (s: Extract<Stmt, { kind: "let" }>) => string;
  /** `values`: what they hold at first, one each; none where that is said elsewhere. */
  readonly registers: (s: Extract<Stmt, { kind: "reg" }>, values: readonly Expr[]) => readonly string[];
  readonly stored: (s: Extract<Stmt, { kind: "store" }>) => string;
  readonly barrier: () => readonly string[];
  readonly reduced: (s: Extract<Stmt, { kind: "reduce" }>) => readonly string[];
  /** Of matrices. */
  readonly matrix: (s: Extract<Stmt, { kind: "frag" | "frag_load" | "frag_store" | "mma" }>) => readonly string[];
  readonly loopHead: (s: Loop) => string;
}

export function writeStatements(w: Writer, body: readonly Stmt[], language: Language): void {
  const lines = (all: readonly string[]): void => {
    for (const line of all) w.line(line);
  };
  let next = 0;
  for (const [i, s] of body.entries()) {
    if (i < next) continue;
    switch (s.kind) {
      case "comment":
        w.line(`// ${inOneLine(s.text)}`);
        break;
      case "let":
        w.line(language.bound(s));
        break;
      case "reg": {
        const values = firstValues(s, body.slice(i + 1, i + 1 + s.size));
        next = i + 1 + values.length;
        lines(language.registers(s, values));
        break;
      }
      case "store":
        w.line(language.stored(s));
        break;
      case "barrier":
        lines(language.barrier());
        break;
      case "reduce":
        lines(language.reduced(s));
        break;
      case "loop":
        w.block(language.loopHead(s), () => writeStatements(w, s.body, language));
        break;
      case "if":
        w.block(`if (${language.expr(s.cond)})`, () => writeStatements(w, s.body, language));
        break;
      case "frag":
      case "frag_load":
      case "frag_store":
      case "mma":
        lines(language.matrix(s));
        break;
      default:
        s satisfies never;
    }
  }
}

/** Where the statements that follow store to each register in turn, what they store. */
function firstValues({ name, size }: Extract<Stmt, { kind: "reg" }>, following: readonly Stmt[]): readonly Expr[] {
  const values = following.flatMap((s, i) =>
    s.kind === "store" && s.to === name && s.index.kind === "const" && s.index.value === i ? [s.value] : [],
  );
  const uses = (e: Expr): boolean => someExpr(e, (x) => x.kind === "load" && x.from === name);
  return values.length === size && !values.some(uses) ? values : [];
}

/** A comment ends with its line, whatever it says. */
export const inOneLine = (text: string): string => text.replace(/[\p{Zl}\p{Zp}\p{Cc}]+/gu, " ").replace(/\\+$/, "");
