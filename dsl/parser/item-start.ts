/** Where an item of a body begins, told from neighbouring tokens alone: what recovery and nesting limits go by. */
import { EOF, type IToken, type TokenType } from "chevrotain";
import {
  Bar,
  Colon,
  Comma,
  Define,
  Dot,
  Equals,
  Hole,
  itemTypes,
  LeftBrace,
  LeftParen,
  LeftSquare,
  LooseOperator,
  Name,
  Prefix,
  Question,
  RightParen,
  RightSquare,
  TightOperator,
  Write,
  word,
} from "../lexer/tokens.ts";

const afterTarget: ReadonlySet<TokenType> = new Set([LeftSquare, Define, Write, Colon, Comma, Bar, Equals, Dot]);

const goesOn: ReadonlySet<TokenType> = new Set([
  Colon,
  Comma,
  Bar,
  Define,
  LeftParen,
  LeftSquare,
  word.where,
  word.as,
  word.of,
  word.else,
  word.for,
  word.keep,
  word.at,
]);

const isIn = (token: IToken, category: TokenType): boolean => token.tokenType.CATEGORIES?.includes(category) === true;

export const isOperator = (token: IToken): boolean =>
  isIn(token, TightOperator) || isIn(token, LooseOperator) || isIn(token, Prefix);

export const firstOnLine = (before: IToken, token: IToken): boolean => (token.startLine ?? 0) > (before.startLine ?? 0);

/** `before`, `token` and `after` are neighbours; an end of the text stands as an EOF token. */
export function startsItem(before: IToken, token: IToken, after: IToken): boolean {
  const type = token.tokenType;
  if (type === word.if) return before.tokenType !== word.else;
  if (itemTypes.has(type)) return before.tokenType !== Dot;
  if (type === word.block) return after.tokenType === Name;
  if (type !== Name && type !== Hole) return false;
  if (before.tokenType === LeftBrace) return after.tokenType !== EOF && afterTarget.has(after.tokenType);
  return (
    firstOnLine(before, token) &&
    afterTarget.has(after.tokenType) &&
    !goesOn.has(before.tokenType) &&
    before.tokenType !== Question &&
    (!isOperator(before) || before.tokenType === RightParen || before.tokenType === RightSquare)
  );
}
