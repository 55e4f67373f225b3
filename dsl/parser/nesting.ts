/**
 * A bound on the depth of the tree, found by a linear look at the tokens before any recursion: brackets, operators,
 * suffixes and `else if` each add at most one level. What is deeper is not read, so that neither the parser nor any
 * walker of the tree can run out of stack.
 */
import { EOF, type IToken, type TokenType } from "chevrotain";
import {
  Bar,
  Comma,
  Define,
  Dot,
  declarationTypes,
  Equals,
  LeftBrace,
  LeftParen,
  LeftSquare,
  Question,
  RightBrace,
  RightParen,
  RightSquare,
  word,
  Yields,
} from "../lexer/tokens.ts";
import { isOperator, startsItem } from "./item-start.ts";

export const maxDepth = 256;

const opening: ReadonlySet<TokenType> = new Set([LeftParen, LeftSquare, LeftBrace]);
const closing: ReadonlySet<TokenType> = new Set([RightParen, RightSquare, RightBrace]);
/** After these a new expression or type begins. */
const fresh: ReadonlySet<TokenType> = new Set([Comma, Bar, Define, word.where, word.at]);
const deeper: ReadonlySet<TokenType> = new Set([Question, word.else, word.as, Yields]);

/** What lies between one pair of brackets. */
interface Level {
  /** Depth of all that encloses it. */
  readonly above: number;
  operators: number;
  suffixes: number;
  /** The longest chain of suffixes of the current expression. */
  longest: number;
  /** The deepest closed bracket of the current expression. */
  inner: number;
  branches: number;
}

const level = (above: number): Level => ({ above, operators: 0, suffixes: 0, longest: 0, inner: 0, branches: 0 });

function restart(current: Level): void {
  current.operators = 0;
  current.suffixes = 0;
  current.longest = 0;
  current.inner = 0;
}

const own = (current: Level): number => current.operators + current.longest + current.branches;
const total = (current: Level): number => current.above + own(current) + current.inner;

export interface TooDeep {
  /** The token with which the limit is passed. */
  readonly token: IToken;
  /** Index of the first token of the declaration it stands in. */
  readonly declaration: number;
}

export function findTooDeep(tokens: readonly IToken[], end: IToken): TooDeep | null {
  const stack: Level[] = [];
  let current = level(0);
  let declaration = 0;
  let before = end;
  for (const [i, token] of tokens.entries()) {
    const type = token.tokenType;
    const after = tokens[i + 1] ?? end;
    if (declarationTypes.has(type) || (type === word.block && stack.length === 0)) {
      declaration = i;
      stack.length = 0;
      current = level(0);
    } else if (opening.has(type)) {
      current.suffixes++;
      current.longest = Math.max(current.longest, current.suffixes);
      stack.push(current);
      current = level(current.above + own(current) + 1);
    } else if (closing.has(type)) {
      const depth = total(current);
      const outer = stack.pop();
      if (outer !== undefined) {
        outer.inner = Math.max(outer.inner, depth - outer.above - own(outer));
        current = outer;
      }
    } else if (type === word.if && before.tokenType === word.else) {
      restart(current);
      current.branches++;
    } else if (startsItem(before, token, after)) {
      restart(current);
      current.branches = 0;
    } else if (fresh.has(type)) {
      restart(current);
    } else if (type === Dot) {
      current.suffixes++;
      current.longest = Math.max(current.longest, current.suffixes);
    } else if (isOperator(token) && type !== Equals) {
      current.operators++;
      current.suffixes = 0;
    } else if (deeper.has(type)) {
      current.operators++;
      current.suffixes = 0;
    }
    if (total(current) > maxDepth && token.tokenType !== EOF) return { token, declaration };
    before = token;
  }
  return null;
}
