/** Tokens of the graph's text form, and a cursor over them. */
import { printNumber } from "./text-form.ts";

/** `text` and `comment` are tokens of kernels only. */
export type TokenKind = "node" | "graph" | "bound" | "number" | "word" | "sign" | "text" | "comment" | "end" | "bad";
export interface Token {
  readonly kind: TokenKind;
  /** As written, quotes and prefixes included. */
  readonly text: string;
  /** Offset in the text. */
  readonly at: number;
}

const label = String.raw`(?:[A-Za-z_]\w*(?:\.\w+)*|"(?:[^"\\\n]|\\.)*")`;
const token = new RegExp(
  [
    String.raw`(?<space>\s+|//[^\n]*)`,
    `(?<node>%${label}(?:#[0-9]+)?)`,
    `(?<graph>@${label})`,
    "(?<bound>`(?:[^`\\\\\\n]|\\\\.)+`)",
    String.raw`(?<number>[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)`,
    String.raw`(?<word>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)`,
    String.raw`(?<sign>\.\.|&&|\|\||==|<=|[-+*/<=:;,()[\]{}^])`,
  ].join("|"),
  "y",
);
const kinds = ["node", "graph", "bound", "number", "word", "sign"] as const;

const tokenize = (text: string): readonly Token[] => scan(text, token, kinds);

/**
 * Tokens by a sticky pattern with a named group for each kind, and `space` for what is skipped. Ends with an `end`; what
 * is no token is a `bad` one of one character.
 */
export function scan(text: string, pattern: RegExp, wanted: readonly TokenKind[]): readonly Token[] {
  const out: Token[] = [];
  let at = 0;
  while (at < text.length) {
    pattern.lastIndex = at;
    const groups = pattern.exec(text)?.groups;
    const kind = wanted.find((k) => groups?.[k] !== undefined);
    const found = groups?.["space"] ?? (kind === undefined ? undefined : groups?.[kind]);
    if (found === undefined) out.push({ kind: "bad", text: text.slice(at, at + 1), at });
    else if (kind !== undefined) out.push({ kind, text: found, at });
    at += found?.length ?? 1;
  }
  out.push({ kind: "end", text: "the end of the text", at: text.length });
  return out;
}

/** Carries a mistake in the text from where it is found to the entry of the parser, and no further. */
export class TextMistake extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

const end: Token = { kind: "end", text: "the end of the text", at: 0 };

export class Cursor {
  readonly #tokens: readonly Token[];
  #at = 0;
  constructor(text: string, tokens: readonly Token[] = tokenize(text)) {
    this.#tokens = tokens;
  }
  get next(): Token {
    return this.#tokens[this.#at] ?? end;
  }
  take(): Token {
    const t = this.next;
    if (t.kind !== "end") this.#at += 1;
    return t;
  }
  fail(message: string, at: Token = this.next): never {
    throw new TextMistake(at.at, message);
  }
  is(text: string): boolean {
    const { kind } = this.next;
    return this.next.text === text && (kind === "sign" || kind === "word");
  }
  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.#at += 1;
    return true;
  }
  expect(text: string): void {
    if (!this.accept(text)) this.fail(`expected ${text}, found ${this.next.text}`);
  }
  of(kind: TokenKind, what: string): Token {
    if (this.next.kind !== kind) this.fail(`expected ${what}, found ${this.next.text}`);
    return this.take();
  }
  /** A whole number >= 0 that a double holds exactly. */
  whole(what: string): number {
    const t = this.of("number", what);
    const value = Number(t.text);
    if (!Number.isSafeInteger(value)) this.fail(`expected ${what}, found ${printNumber(value)}`, t);
    return value;
  }
  /** Items up to `close`, with commas between them. */
  list<X>(close: string, item: () => X): readonly X[] {
    if (this.accept(close)) return [];
    const out = [item()];
    while (this.accept(",")) out.push(item());
    this.expect(close);
    return out;
  }
}
