/** A file as rows: declarations and items in text order, their bodies indented, comments and single blank lines kept. */
import type {
  Block,
  Config,
  Declaration,
  Entry,
  File,
  Fn,
  If,
  Import,
  Model,
  ModelItem,
  Numerics,
  Schedule,
} from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import { concat, type Doc, flatText, lineWidth } from "./doc.ts";
import { exprDoc, nameDoc, quote, resultsDoc } from "./expr.ts";
import { fieldCells, fnCells, fnHead, importCells, lawCells, lineCells, lineKind, ruleCells } from "./item-cells.ts";
import { CommentReader, commentingPen, findSign, type Pen } from "./pen.ts";
import type { Cell, Row } from "./rows.ts";

export function layOutFile(file: File): readonly Row[] {
  const layout = new FileLayout(file);
  return layout.rows();
}

/** Anything that stands in a list of lines. */
interface Entry_ {
  readonly span: Span;
  readonly write: () => void;
}

const only = (doc: Doc): readonly Cell[] => [{ column: "name", doc }];

class FileLayout {
  readonly #file: File;
  readonly #text: string;
  readonly #comments: CommentReader;
  readonly #pen: Pen;
  readonly #rows: Row[] = [];
  #indent = 0;
  /** Offset of the end of what has been written. */
  #written = 0;
  /** Nothing has been written yet in the innermost body. */
  #bodyStart = true;

  constructor(file: File) {
    this.#file = file;
    this.#text = file.source.text;
    this.#comments = new CommentReader(file.comments);
    this.#pen = commentingPen(this.#text, this.#comments);
  }

  rows(): readonly Row[] {
    const entries: Entry_[] = [
      ...this.#file.imports.map((item) => ({ span: item.span, write: () => this.#import(item) })),
      ...this.#file.declarations.map((item) => ({ span: item.span, write: () => this.#declaration(item) })),
    ];
    this.#list(entries);
    this.#flush(this.#text.length + 1);
    return this.#rows;
  }

  #list(entries: readonly Entry_[]): void {
    for (const entry of [...entries].sort((a, b) => a.span.start - b.span.start)) {
      this.#flush(entry.span.start);
      entry.write();
      this.#written = Math.max(this.#written, entry.span.end);
    }
  }

  /** The comments before `offset`: behind the last row, or on rows of their own. */
  #flush(offset: number): void {
    for (let comment = this.#comments.take(offset); comment !== null; comment = this.#comments.take(offset)) {
      const text = comment.text.trimEnd();
      const last = this.#rows.at(-1);
      if (comment.trailing && last !== undefined && last.trailing === null && last.kind !== "comment") {
        last.trailing = text;
      } else this.#row("comment", comment.span.start, only(text));
      this.#written = Math.max(this.#written, comment.span.end);
    }
  }

  /** `at`: where it stood, which tells whether a blank line was before it. */
  #row(kind: string, at: number, cells: readonly Cell[]): void {
    const blank = !this.#bodyStart && /\n[ \t\r\uFEFF]*\n/.test(this.#text.slice(this.#written, at));
    this.#rows.push({ kind, indent: this.#indent, blankBefore: blank, cells, trailing: null });
    this.#bodyStart = false;
  }

  /** `{`, the entries, `}`; `head` has been written up to the brace. */
  #body(kind: string, at: number, head: Doc, brace: number, end: number, entries: readonly Entry_[]): void {
    const open = this.#pen.text("{", brace);
    this.#row(kind, at, only(concat(head, " ", open)));
    this.#written = brace + 1;
    this.#inside(end, entries);
    this.#row("close", end, only("}"));
    this.#written = end;
  }

  #inside(end: number, entries: readonly Entry_[]): void {
    this.#indent += 2;
    this.#bodyStart = true;
    this.#list(entries);
    this.#flush(end - 1);
    this.#indent -= 2;
    this.#bodyStart = true;
  }

  #import(item: Import): void {
    this.#row("import", item.span.start, importCells(this.#pen, item));
  }

  #declaration(item: Declaration): void {
    switch (item.kind) {
      case "fn":
        if (item.expression !== null) return this.#row("fn", item.span.start, fnCells(this.#pen, item));
        return this.#routine("fn ", item);
      case "block":
        return this.#routine("block ", item);
      case "model":
        return this.#model(item);
      case "law":
        return this.#row("law", item.span.start, lawCells(this.#pen, item));
      case "schedule":
        return this.#schedule(item);
      default:
        return item satisfies never;
    }
  }

  #routine(word: string, item: Fn | Block | Entry, override: Doc = ""): void {
    const head = fnHead(this.#pen, word, item);
    const results = resultsDoc(this.#pen, item.results, true);
    const from = item.results.at(-1)?.type.span.end ?? item.name.span.end;
    const brace = findSign(this.#text, "{", from);
    this.#body(
      "head",
      item.span.start,
      concat(override, ...head, results),
      brace,
      item.span.end,
      this.#items(item.items),
    );
  }

  #model(item: Model): void {
    const word = this.#pen.text("model ", item.span.start);
    const parts: Doc[] = [word, nameDoc(this.#pen, item.name)];
    if (item.parent !== null) {
      parts.push(" extends ", nameDoc(this.#pen, item.parent.name));
      if (item.parent.root !== null) parts.push(" from ", exprDoc(this.#pen, item.parent.root));
      const { prefix } = item.parent;
      if (prefix !== null) parts.push(" at ", this.#pen.text(quote(prefix.value), prefix.span.start));
    }
    const brace = findSign(this.#text, "{", item.parent?.span.end ?? item.name.span.end);
    this.#body("head", item.span.start, concat(...parts), brace, item.span.end, this.#items(item.items));
  }

  #schedule(item: Schedule): void {
    const head = concat(this.#pen.text("schedule for ", item.span.start), nameDoc(this.#pen, item.model));
    const brace = findSign(this.#text, "{", item.model.span.end);
    const phases = item.phases.map(
      (phase): Entry_ => ({
        span: phase.span,
        write: () => {
          const word = concat(this.#pen.text("phase ", phase.span.start), nameDoc(this.#pen, phase.name));
          this.#oneLineOrBody(phase.span, word, phase.name.span.end, this.#rules(phase.rules));
        },
      }),
    );
    const entries = [...this.#rules(item.rules), ...phases];
    this.#body("head", item.span.start, head, brace, item.span.end, entries);
  }

  #rules(rules: Schedule["rules"] | Numerics["rules"]): readonly Entry_[] {
    return rules.map((rule) => ({
      span: rule.span,
      write: () => this.#row("rule", rule.span.start, ruleCells(this.#pen, rule)),
    }));
  }

  #items(items: readonly ModelItem[]): readonly Entry_[] {
    return items.map((item) => ({ span: item.span, write: () => this.#item(item) }));
  }

  #item(item: ModelItem): void {
    switch (item.kind) {
      case "if":
        return this.#if(item);
      case "config":
        return this.#config(item);
      case "numerics":
        return this.#oneLineOrBody(item.span, this.#words(item, "numerics"), item.span.start, this.#rules(item.rules));
      case "entry":
        return this.#routine("entry ", item, this.#override(item));
      default:
        return this.#row(lineKind(item), item.span.start, lineCells(this.#pen, item));
    }
  }

  #override(item: ModelItem): Doc {
    return item.override === null ? "" : this.#pen.text("override ", item.override.start);
  }

  #words(item: ModelItem, word: string): Doc {
    const override = this.#override(item);
    return concat(override, this.#pen.text(word, item.override?.end ?? item.span.start));
  }

  #config(item: Config): void {
    const entries = item.entries.map(
      (entry): Entry_ => ({
        span: entry.span,
        write: () => {
          if (entry.kind === "field") this.#row("field", entry.span.start, fieldCells(this.#pen, entry));
          else this.#row("require", entry.span.start, lineCells(this.#pen, entry));
        },
      }),
    );
    this.#oneLineOrBody(item.span, this.#words(item, "config"), item.override?.end ?? item.span.start, entries);
  }

  /** A body of one entry stays on one line if it was written so and fits. */
  #oneLineOrBody(span: Span, head: Doc, from: number, entries: readonly Entry_[]): void {
    const brace = findSign(this.#text, "{", from);
    const body = { ...span, start: brace };
    const row = this.#isOneLine(body, entries.length) ? this.#single(entries) : null;
    const text = row === null ? null : flatText(concat(head, " { ", row, " }"));
    if (text !== null && this.#indent + text.length <= lineWidth) {
      this.#row("line", span.start, only(text));
      return;
    }
    this.#body("head", span.start, head, brace, span.end, entries);
  }

  #isOneLine(body: Span, entries: number): boolean {
    const { start, end } = body;
    return entries <= 1 && !this.#text.slice(start, end).includes("\n") && !this.#comments.has(start, end);
  }

  /** The text of the only entry of a body, written aside; "" of an empty one, null if it breaks. */
  #single(entries: readonly Entry_[]): string | null {
    const rows = this.#rows.length;
    for (const entry of entries) entry.write();
    const written = this.#rows.splice(rows);
    if (written.length > 1) return null;
    const row = written[0];
    if (row === undefined) return "";
    const texts = row.cells.map(({ doc }) => flatText(doc));
    return texts.some((text) => text === null) ? null : texts.join(" ");
  }

  #if(item: If): void {
    if (this.#oneLineIf(item)) return;
    let head: Doc = concat(this.#override(item), this.#pen.text("if ", item.override?.end ?? item.span.start));
    let at = item.span.start;
    let kind = "head";
    for (let branch: If | null = item; branch !== null; ) {
      const condition = exprDoc(this.#pen, branch.condition);
      const open = this.#pen.text("{", branch.thenSpan.start);
      this.#row(kind, at, only(concat(head, condition, " ", open)));
      this.#written = branch.thenSpan.start + 1;
      this.#inside(branch.thenSpan.end, this.#items(branch.then));
      this.#written = branch.thenSpan.end;
      const next: ModelItem | undefined = branch.elseIf ? branch.else?.[0] : undefined;
      at = branch.thenSpan.end;
      kind = "head";
      const word = this.#else(branch, next?.kind === "if" ? next.span.start : (branch.elseSpan?.start ?? null));
      if (next?.kind === "if") {
        head = concat(word, " ", this.#pen.text("if ", next.span.start));
        branch = next;
        continue;
      }
      if (branch.elseSpan !== null) {
        const brace = this.#pen.text("{", branch.elseSpan.start);
        this.#row("head", at, only(concat(word, " ", brace)));
        this.#written = branch.elseSpan.start + 1;
        this.#inside(branch.elseSpan.end, this.#items(branch.else ?? []));
        this.#written = branch.elseSpan.end;
      }
      if (branch.elseSpan !== null || branch.else === null) this.#row("close", this.#written, only("}"));
      branch = null;
    }
  }

  /** `} else`, or `}` and `else` on two lines where a comment stands between. */
  #else(branch: If, until: number | null): Doc {
    if (until === null) return "";
    const { end } = branch.thenSpan;
    const word = findSign(this.#text, "else", end);
    if (!this.#comments.has(end, word)) return "} else";
    this.#row("close", end, only("}"));
    this.#flush(word);
    return "else";
  }

  /** `if c { a }`, then `else { b }` on its own line, if the author had it so and all lines fit. */
  #oneLineIf(item: If): boolean {
    const branches: If[] = [];
    for (let branch: If | undefined = item; branch !== undefined; ) {
      branches.push(branch);
      const next: ModelItem | undefined = branch.elseIf ? branch.else?.[0] : undefined;
      branch = next?.kind === "if" ? next : undefined;
    }
    const last = branches.at(-1);
    const bodies = branches.map((branch) => ({ span: branch.thenSpan, items: branch.then }));
    if (last !== undefined && last.elseSpan !== null) bodies.push({ span: last.elseSpan, items: last.else ?? [] });
    if (!bodies.every(({ span, items }) => this.#isOneLine(span, items.length))) return false;
    if (bodies.some(({ items }) => items.some((inner) => inner.kind === "if" || inner.kind === "entry"))) return false;
    if (this.#comments.has(item.span.start, item.span.end)) return false;

    const heads = branches.map((branch, i) => {
      const words = i === 0 ? (item.override === null ? "if " : "override if ") : "else if ";
      return flatText(concat(words, exprDoc(this.#pen, branch.condition)));
    });
    if (bodies.length > branches.length) heads.push("else");
    const texts = bodies.map(({ items }) => this.#single(this.#items(items)));
    const widest = Math.max(...heads.map((head) => head?.length ?? lineWidth));
    const fits = texts.every((text) => text !== null && this.#indent + widest + text.length + 5 <= lineWidth);
    if (!fits) return false;
    for (const [i, head] of heads.entries()) {
      const text = texts[i] === "" ? "{ }" : `{ ${texts[i] ?? ""} }`;
      const cells = [
        { column: "name", doc: (head ?? "").padEnd(widest) },
        { column: "", doc: text },
      ];
      this.#row("one-line", item.span.start, cells);
      this.#written = Math.max(this.#written, item.span.start + 1);
      this.#bodyStart = i + 1 < heads.length;
    }
    this.#bodyStart = false;
    return true;
  }
}
