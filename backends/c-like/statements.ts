/** Statements in languages descended from C: what is the same in all of them. */
import type { Expr, Loop, Stmt } from "../../compiler/kernel/kernel.ts";
import type { Writer } from "./writer.ts";

/** What a language says of statements; lines without indentation. */
export interface Language {
  readonly expr: (e: Expr) => string;
  /** `let`: a name that is not assigned again. */
  readonly bound: (s: Extract<Stmt, { kind: "let" }>) => string;
  readonly registers: (s: Extract<Stmt, { kind: "reg" }>) => readonly string[];
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
  for (const s of body)
    switch (s.kind) {
      case "comment":
        w.line(`// ${inOneLine(s.text)}`);
        break;
      case "let":
        w.line(language.bound(s));
        break;
      case "reg":
        lines(language.registers(s));
        break;
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

/** A comment ends with its line, whatever it says. */
export const inOneLine = (text: string): string => text.replace(/[\p{Zl}\p{Zp}\p{Cc}]+/gu, " ").replace(/\\+$/, "");
