/** Reading chevrotain's concrete tree: children by key, spans from offsets, documentation from comments. */
import type { CstElement, CstNode, IToken } from "chevrotain";
import type { Comment, Expr, Name, StringLiteral } from "../ast/nodes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Source, Span } from "../diagnostics/source.ts";
import { OpenString } from "../lexer/tokens.ts";

const isNode = (element: CstElement): element is CstNode => "children" in element;

export function nodes(parent: CstNode, key: string): readonly CstNode[] {
  return (parent.children[key] ?? []).filter(isNode);
}

export function node(parent: CstNode, key: string): CstNode | null {
  const element = parent.children[key]?.[0];
  return element !== undefined && isNode(element) ? element : null;
}

export function tokens(parent: CstNode, key: string): readonly IToken[] {
  return (parent.children[key] ?? []).filter((element): element is IToken => !isNode(element));
}

export function token(parent: CstNode, key: string, index = 0): IToken | null {
  const element = parent.children[key]?.[index];
  return element !== undefined && !isNode(element) ? element : null;
}

/** One past the last character. */
export const endOf = (read: IToken): number => read.startOffset + read.image.length;

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/** What a tree is built with: its source, its comments, and the diagnostics found on the way. */
export class BuildContext {
  readonly source: Source;
  readonly comments: readonly Comment[];
  readonly diagnostics: Diagnostic[] = [];

  constructor(source: Source, comments: readonly Comment[]) {
    this.source = source;
    this.comments = comments;
  }

  span(start: number, end: number): Span {
    return { source: this.source, start, end: Math.max(start, end) };
  }

  tokenSpan(read: IToken): Span {
    return this.span(read.startOffset, endOf(read));
  }

  /** Of a node that read nothing: the empty span at `fallback`. */
  nodeSpan(read: CstNode, fallback = 0): Span {
    const start = read.location?.startOffset;
    const end = read.location?.endOffset;
    if (start === undefined || end === undefined || Number.isNaN(start) || Number.isNaN(end)) {
      return this.span(fallback, fallback);
    }
    return this.span(start, end + 1);
  }

  name(read: IToken): Name {
    return { text: read.image, span: this.tokenSpan(read) };
  }

  /** The name of a node, or an empty one at the end of the node where it is missing. */
  nameOf(parent: CstNode, key = "Name", index = 0): Name {
    const read = token(parent, key, index);
    return read === null ? { text: "", span: this.endSpan(parent) } : this.name(read);
  }

  names(parent: CstNode, key = "Name"): readonly Name[] {
    return tokens(parent, key).map((read) => this.name(read));
  }

  endSpan(parent: CstNode): Span {
    const { end } = this.nodeSpan(parent);
    return this.span(end, end);
  }

  missing(parent: CstNode): Expr {
    return { kind: "error", span: this.endSpan(parent) };
  }

  string(read: IToken): StringLiteral {
    const inner = read.tokenType === OpenString ? read.image.slice(1) : read.image.slice(1, -1);
    const value = inner.replace(/\\(.)/gu, (_, escaped: string) => escapes[escaped] ?? escaped);
    return { kind: "string", value, span: this.tokenSpan(read) };
  }

  strings(parent: CstNode): readonly StringLiteral[] {
    return tokens(parent, "String").map((read) => this.string(read));
  }

  stringOf(parent: CstNode): StringLiteral {
    const read = token(parent, "String");
    return read === null ? { kind: "string", value: "", span: this.endSpan(parent) } : this.string(read);
  }

  error(code: Diagnostic["code"], title: string, span: Span, label: string, help: string | null = null): void {
    this.diagnostics.push({
      code,
      severity: "error",
      title,
      primary: { span, text: label },
      secondary: [],
      help: help === null ? null : `write \`${help}\``,
      fix: null,
    });
  }

  /** As `error`, with a text to put in place of `span`. */
  replaceable(code: Diagnostic["code"], title: string, at: Span, label: string, span: Span, replacement: string): void {
    this.diagnostics.push({
      code,
      severity: "error",
      title,
      primary: { span: at, text: label },
      secondary: [],
      help: `write \`${replacement}\``,
      fix: { title: `write \`${replacement}\``, span, replacement },
    });
  }

  /** Documentation of what lies at `span`: the `///` lines that end on the line before it, or the one that trails it. */
  doc(span: Span): string | null {
    return this.#leadingDoc(span.start) ?? this.#trailingDoc(span.end);
  }

  #leadingDoc(start: number): string | null {
    const lines: string[] = [];
    let next = start;
    for (let i = this.#firstCommentFrom(start) - 1; i >= 0; i--) {
      const comment = this.comments[i];
      if (comment === undefined || comment.trailing || !isDoc(comment)) break;
      const between = this.source.text.slice(comment.span.end, next);
      if (!/^[ \t\r]*\n[ \t\r\uFEFF]*$/.test(between)) break;
      lines.unshift(docText(comment));
      next = comment.span.start;
    }
    return lines.length === 0 ? null : lines.join("\n");
  }

  #trailingDoc(end: number): string | null {
    const comment = this.comments[this.#firstCommentFrom(end)];
    if (comment === undefined || !isDoc(comment)) return null;
    return /^[ \t,]*$/.test(this.source.text.slice(end, comment.span.start)) ? docText(comment) : null;
  }

  #firstCommentFrom(offset: number): number {
    let low = 0;
    let high = this.comments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.comments[middle]?.span.start ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const isDoc = (comment: Comment): boolean => comment.text.startsWith("///");
const docText = (comment: Comment): string => comment.text.replace(/^\/\/\/ ?/, "").trimEnd();
