/** Which bracket belongs to which, told from the tokens of a text that may be broken. Only used once something failed. */
import type { IToken, TokenType } from "chevrotain";
import {
  declarationTypes,
  LeftBrace,
  LeftParen,
  LeftSquare,
  RightBrace,
  RightParen,
  RightSquare,
} from "../lexer/tokens.ts";
import { firstOnLine, startsItem } from "./item-start.ts";

export const closerOf: ReadonlyMap<TokenType, TokenType> = new Map([
  [LeftParen, RightParen],
  [LeftSquare, RightSquare],
  [LeftBrace, RightBrace],
]);
const openerOf: ReadonlyMap<TokenType, TokenType> = new Map([...closerOf].map(([open, close]) => [close, open]));

export interface Brackets {
  /** The innermost bracket that is open before token `index`. */
  readonly enclosing: (index: number) => IToken | null;
  readonly isClosed: (opener: IToken) => boolean;
  /**
   * Of a bracket that is never closed: the one that lacks its partner. That may be a `{` further in, as indentation
   * tells; `taken` is then the `}` it was paired with.
   */
  readonly unclosed: (opener: IToken) => { readonly open: IToken; readonly taken: IToken | null };
}

export function matchBrackets(tokens: readonly IToken[], end: IToken): Brackets {
  const enclosing: (IToken | null)[] = [];
  const closers = new Map<IToken, IToken>();
  const indents = new Map<IToken, number>();
  const open: IToken[] = [];
  let indent = 0;
  let before = end;
  for (const [i, token] of tokens.entries()) {
    if (i === 0 || firstOnLine(before, token)) indent = token.startColumn ?? 0;
    enclosing.push(open.at(-1) ?? null);
    const type = token.tokenType;
    if (declarationTypes.has(type)) open.length = 0;
    else if (startsItem(before, token, tokens[i + 1] ?? end)) {
      while (open.length > 0 && open.at(-1)?.tokenType !== LeftBrace) open.pop();
    }
    if (closerOf.has(type)) {
      open.push(token);
      indents.set(token, indent);
    }
    const opener = openerOf.get(type);
    if (opener !== undefined && open.some((bracket) => bracket.tokenType === opener)) {
      let last = open.pop();
      while (last !== undefined && last.tokenType !== opener) last = open.pop();
      if (last !== undefined) closers.set(last, token);
    }
    before = token;
  }
  enclosing.push(open.at(-1) ?? null);
  const misplaced = (opener: IToken): boolean => {
    const closer = closers.get(opener);
    if (closer === undefined || opener.tokenType !== LeftBrace) return false;
    return closer.startLine !== opener.startLine && closer.startColumn !== indents.get(opener);
  };
  return {
    enclosing: (index) => enclosing[index] ?? null,
    isClosed: (opener) => closers.has(opener),
    unclosed: (opener) => {
      if (opener.tokenType !== LeftBrace) return { open: opener, taken: null };
      let open = opener;
      for (const inner of closers.keys()) {
        if (inner.startOffset > open.startOffset && misplaced(inner)) open = inner;
      }
      return { open, taken: open === opener ? null : (closers.get(open) ?? null) };
    },
  };
}
