/** A text with places where it may break, and its layout within a width (after Wadler and prettier). */

export type Doc = string | Line | Concat | Group | Nest | Fill | InnerComment | Either;

/** A space, or nothing, or a line break if the group around it does not fit; a `hard` one always breaks. */
interface Line {
  readonly kind: "line";
  readonly flat: string;
  readonly hard: boolean;
}
interface Concat {
  readonly kind: "concat";
  readonly parts: readonly Doc[];
}
/** All its lines break, or none. */
interface Group {
  readonly kind: "group";
  readonly body: Doc;
}
/** Deeper by `by` columns, or to the column where it begins, shifted by `shift`. */
interface Nest {
  readonly kind: "nest";
  readonly body: Doc;
  readonly by: number | "here";
  readonly shift: number;
}
/** As many parts to a line as fit, a space or a line break between two. */
interface Fill {
  readonly kind: "fill";
  readonly parts: readonly Doc[];
}
/** `flat` if it fits, else `broken`. */
interface Either {
  readonly kind: "either";
  readonly flat: string;
  readonly broken: Doc;
}
/** A comment within a text; what follows it begins a new line. */
interface InnerComment {
  readonly kind: "comment";
  readonly text: string;
  readonly trailing: boolean;
}

export const lineWidth = 120;
const continuation = 4;

export const line: Doc = { kind: "line", flat: " ", hard: false };
export const softLine: Doc = { kind: "line", flat: "", hard: false };
export const hardLine: Doc = { kind: "line", flat: " ", hard: true };
export const concat = (...parts: readonly Doc[]): Doc => ({ kind: "concat", parts });
/** For lists of any length: arguments are limited by the stack. */
export const sequence = (parts: readonly Doc[]): Doc => ({ kind: "concat", parts });
export const group = (...parts: readonly Doc[]): Doc => ({ kind: "group", body: concat(...parts) });
export const nest = (...parts: readonly Doc[]): Doc => ({
  kind: "nest",
  body: concat(...parts),
  by: continuation,
  shift: 0,
});
export const alignHere = (shift: number, ...parts: readonly Doc[]): Doc => ({
  kind: "nest",
  body: concat(...parts),
  by: "here",
  shift,
});
export const fill = (parts: readonly Doc[]): Doc => ({ kind: "fill", parts });
export const either = (flat: string, broken: Doc): Doc => ({ kind: "either", flat, broken });
export const innerComment = (text: string, trailing: boolean): Doc => ({ kind: "comment", text, trailing });

/** The parts with `separator` after each but the last. */
export const separated = (parts: readonly Doc[], separator: string): readonly Doc[] =>
  parts.map((part, i) => (i + 1 < parts.length ? concat(part, separator) : part));

const flatTexts = new WeakMap<object, { readonly text: string | null }>();

/** The text on one line; null if a comment or a wanted break forbids it. */
export function flatText(doc: Doc): string | null {
  if (typeof doc === "string") return doc;
  const known = flatTexts.get(doc);
  if (known !== undefined) return known.text;
  const text = flatten(doc);
  flatTexts.set(doc, { text });
  return text;
}

function flatten(doc: Exclude<Doc, string>): string | null {
  switch (doc.kind) {
    case "line":
      return doc.hard ? null : doc.flat;
    case "comment":
      return null;
    case "either":
      return doc.flat;
    case "concat":
      return joinFlat(doc.parts, "");
    case "fill":
      return joinFlat(doc.parts, " ");
    case "group":
    case "nest":
      return flatText(doc.body);
    default:
      return doc satisfies never;
  }
}

function joinFlat(parts: readonly Doc[], separator: string): string | null {
  const texts: string[] = [];
  for (const part of parts) {
    const text = flatText(part);
    if (text === null) return null;
    texts.push(text);
  }
  return texts.join(separator);
}

/** The lines of a text that begins at column `indent`; the first has no indentation yet. */
export function layOut(doc: Doc, indent: number): readonly string[] {
  const layout = new Layout(indent);
  layout.write(doc, indent, 0);
  return layout.finish();
}

class Layout {
  readonly #lines: string[] = [];
  readonly #base: number;
  #current = "";
  /** Nothing but indentation stands on the current line. */
  #fresh = true;
  #owesBreak = false;
  /** The last line that ends in a comment. */
  #commented = -1;

  constructor(base: number) {
    this.#base = base;
  }

  finish(): readonly string[] {
    return [...this.#lines, this.#current].map((text) => text.trimEnd());
  }

  get #column(): number {
    return this.#current.length + (this.#lines.length === 0 ? this.#base : 0);
  }

  #break(indent: number): void {
    this.#lines.push(this.#current);
    this.#current = " ".repeat(indent);
    this.#fresh = true;
    this.#owesBreak = false;
  }

  #text(text: string, indent: number): void {
    if (text === "") return;
    if (this.#owesBreak) this.#break(this.#afterComment(text, indent));
    if (this.#fresh && this.#lines.length > 0 && text.trim() === "") return;
    this.#current += text;
    this.#fresh = false;
  }

  /** What a comment has pushed to a new line is a continuation, save the brace of a body. */
  #afterComment(text: string, indent: number): number {
    return text === "{" ? this.#base : Math.max(indent, this.#base + continuation);
  }

  /** `after`: columns that what follows on the same line needs. */
  write(doc: Doc, indent: number, after: number): void {
    if (typeof doc === "string") return this.#text(doc, indent);
    switch (doc.kind) {
      case "line":
        if (!(this.#fresh && this.#lines.length > 0)) this.#break(indent);
        return;
      case "comment":
        return this.#comment(doc, indent);
      case "concat":
        return this.#sequence(doc.parts, indent, after);
      case "nest": {
        const inner = doc.by === "here" ? Math.max(0, this.#column + doc.shift) : indent + doc.by;
        return this.write(doc.body, inner, after);
      }
      case "group": {
        const flat = this.#fitting(doc, indent, after);
        if (flat === null) this.write(doc.body, indent, after);
        else this.#text(flat, indent);
        return;
      }
      case "either": {
        const flat = this.#fitting(doc, indent, after);
        if (flat === null) this.write(doc.broken, indent, after);
        else this.#text(flat, indent);
        return;
      }
      case "fill":
        return this.#fill(doc.parts, indent, after);
      default:
        return doc satisfies never;
    }
  }

  #fitting(doc: Doc, indent: number, after: number): string | null {
    const flat = flatText(doc);
    const column = this.#owesBreak ? this.#afterComment("", indent) : this.#column;
    return flat !== null && column + flat.length + after <= lineWidth ? flat : null;
  }

  #sequence(parts: readonly Doc[], indent: number, after: number): void {
    // widths of what follows each part up to the next place where the line may break
    const following: number[] = [];
    let width = after;
    for (let i = parts.length - 1; i >= 0; i--) {
      following[i] = width;
      const part = parts[i] ?? "";
      width = isBreak(part) ? 0 : leadWidth(part) + (hasBreak(part) ? 0 : width);
    }
    for (const [i, part] of parts.entries()) this.write(part, indent, following[i] ?? 0);
  }

  #fill(parts: readonly Doc[], indent: number, after: number): void {
    for (const [i, part] of parts.entries()) {
      const rest = i + 1 === parts.length ? after : 0;
      if (i > 0) {
        const flat = flatText(part);
        const fits = flat !== null && this.#column + 1 + flat.length + rest <= lineWidth;
        if (fits && !this.#owesBreak) this.#text(" ", indent);
        else if (!(this.#fresh && this.#lines.length > 0)) this.#break(indent);
      }
      this.write(part, indent, rest);
    }
  }

  #comment(doc: InnerComment, indent: number): void {
    const last = this.#lines.length - 1;
    const before = this.#lines[last];
    if (doc.trailing && !this.#owesBreak && this.#fresh && before !== undefined && this.#commented !== last) {
      // the line has just been broken: the comment trails what stands before the break
      this.#lines[last] = `${before.trimEnd()}  ${doc.text}`;
      this.#commented = last;
      return;
    }
    if (doc.trailing && !this.#fresh && !this.#owesBreak) this.#current = `${this.#current.trimEnd()}  ${doc.text}`;
    else {
      if (!this.#fresh || this.#owesBreak) this.#break(this.#afterComment(doc.text, indent));
      this.#current += doc.text;
    }
    this.#fresh = false;
    this.#owesBreak = true;
    this.#commented = this.#lines.length;
  }
}

const isBreak = (doc: Doc): boolean => typeof doc !== "string" && doc.kind === "line";

/** Whether a line break is possible, or certain, within. */
function hasBreak(doc: Doc): boolean {
  if (typeof doc === "string") return false;
  if (doc.kind === "line" || doc.kind === "comment" || doc.kind === "either") return true;
  if (doc.kind === "concat" || doc.kind === "fill") return doc.parts.some(hasBreak);
  return hasBreak(doc.body);
}

/** Columns up to the first place where a text may break. */
function leadWidth(doc: Doc): number {
  if (typeof doc === "string") return doc.length;
  if (doc.kind === "line" || doc.kind === "comment") return 0;
  if (doc.kind === "either") return leadWidth(doc.broken);
  if (doc.kind === "group" || doc.kind === "nest") return leadWidth(doc.body);
  let width = 0;
  for (const part of doc.parts) {
    width += leadWidth(part);
    if (hasBreak(part)) break;
  }
  return width;
}
