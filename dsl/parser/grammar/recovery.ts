/**
 * Where reading goes on after a syntax error. A rule that fails is left at once; `guard` marks the places where reading
 * goes on: after an item, before a body, at a declaration.
 */
import {
  type CstNode,
  CstParser,
  EOF,
  type IParserErrorMessageProvider,
  type IToken,
  isRecognitionException,
  type ParserMethod,
  type TokenType,
} from "chevrotain";
import { declarationTypes, grammarTokens, LeftBrace, LeftParen, Name, RightBrace, word } from "../../lexer/tokens.ts";
import { startsItem } from "../item-start.ts";

export type Rule = ParserMethod<[], CstNode>;

/** Where reading goes on after an error: at the next declaration, at the next item, or at a body too. */
type Recovery = "declaration" | "item" | "body";

/** The words of an error are made in `unexpected.ts`; all it needs from here is the name of the expected token. */
const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => expected.name,
  buildNotAllInputParsedMessage: () => "",
  buildNoViableAltMessage: () => "",
  buildEarlyExitMessage: () => "",
};

export abstract class Recovering extends CstParser {
  constructor() {
    super([...grammarTokens], {
      recoveryEnabled: false,
      maxLookahead: 2,
      nodeLocationTracking: "onlyOffset",
      errorMessageProvider: messages,
    });
  }

  /** Reads with `read`; a syntax error in it is kept in `errors`, and the tokens it spoils are left out. */
  protected guard(recovery: Recovery, read: () => void): void {
    const first = this.LA(1);
    try {
      read();
    } catch (error) {
      if (!(error instanceof Error && isRecognitionException(error))) throw error;
      this.skip(recovery, this.#openBraces(first));
    }
  }

  /** Braces opened since `first` and still open: their `}` belongs to what failed. */
  #openBraces(first: IToken): number {
    let open = 0;
    for (let back = 0; this.LA(back + 1) !== first; back--) {
      const type = this.LA(back).tokenType;
      if (type === EOF) return 0;
      if (type === LeftBrace) open++;
      if (type === RightBrace) open--;
    }
    return Math.max(0, open);
  }

  protected skip(recovery: Recovery, owed: number): void {
    let left = owed;
    let depth = 0;
    for (;;) {
      const next = this.LA(1);
      const type = next.tokenType;
      if (type === EOF || declarationTypes.has(type) || this.atBlock()) return;
      if (recovery !== "declaration" && depth === 0) {
        if (type === RightBrace && left === 0) return;
        if (startsItem(this.LA(0), next, this.LA(2))) return;
        if (recovery === "body" && type === LeftBrace) return;
      }
      if (type === LeftBrace) depth++;
      if (type === RightBrace) {
        if (depth > 0) depth--;
        else if (left > 0) left--;
      }
      this.SKIP_TOKEN();
    }
  }

  /** At `block name(`: a declaration, where `block name =` is an item of a model. */
  protected atBlock(): boolean {
    return this.LA(1).tokenType === word.block && this.LA(2).tokenType === Name && this.LA(3).tokenType === LeftParen;
  }

  /** A body without its `}` keeps what was read of it. */
  protected close(bracket: TokenType): void {
    try {
      this.CONSUME9(bracket);
    } catch (error) {
      if (!(error instanceof Error && isRecognitionException(error))) throw error;
    }
  }
}
