/**
 * Expressions. Chains of operators are read flat and get their precedence in `operators.ts`, so that no chain is deep here.
 */
import type { TokenType } from "chevrotain";
import {
  Bar,
  Colon,
  Comma,
  Define,
  Dot,
  Hole,
  itemTypes,
  LeftBrace,
  LeftParen,
  LeftSquare,
  LooseOperator,
  Name,
  NumberToken,
  Prefix,
  Question,
  RightBrace,
  RightParen,
  RightSquare,
  Root,
  Spread,
  StringToken,
  TightOperator,
  Word,
  Write,
  word,
} from "../../lexer/tokens.ts";
import { Recovering, type Rule } from "./recovery.ts";

const bodySigns: ReadonlySet<TokenType> = new Set([Define, Write, Colon]);

export abstract class Expressions extends Recovering {
  /** Of `types.ts`: types have expressions in them, and expressions types. */
  abstract readonly scalar: Rule;

  /** `c ? a : d ? b : e`, flat. */
  readonly expression: Rule = this.RULE("expression", () => {
    this.SUBRULE(this.chain);
    this.MANY(() => {
      this.CONSUME(Question);
      this.SUBRULE(this.expression);
      this.CONSUME(Colon);
      this.SUBRULE2(this.chain);
    });
  });

  readonly chain: Rule = this.RULE("chain", () => {
    this.SUBRULE(this.operand);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(TightOperator, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(LooseOperator, { LABEL: "operator" }) },
      ]);
      this.SUBRULE2(this.operand);
    });
  });

  readonly sum: Rule = this.RULE("sum", () => {
    this.SUBRULE(this.operand);
    this.MANY(() => {
      this.CONSUME(TightOperator, { LABEL: "operator" });
      this.SUBRULE2(this.operand);
    });
  });

  readonly operand: Rule = this.RULE("operand", () => {
    this.MANY(() => this.CONSUME(Prefix));
    this.SUBRULE(this.place);
    this.OPTION(() => {
      this.CONSUME(word.else);
      this.SUBRULE2(this.place);
    });
    this.MANY2(() => {
      this.CONSUME(word.as);
      this.SUBRULE(this.scalar);
    });
  });

  readonly place: Rule = this.RULE("place", () => {
    this.OR([
      { ALT: () => this.CONSUME(Name) },
      { ALT: () => this.CONSUME(NumberToken) },
      { ALT: () => this.CONSUME(Hole) },
      { ALT: () => this.SUBRULE(this.group) },
      { ALT: () => this.CONSUME(Root) },
      { ALT: () => this.CONSUME(StringToken) },
      { ALT: () => this.CONSUME(word.true) },
      { ALT: () => this.CONSUME(word.false) },
      { ALT: () => this.CONSUME(word.null) },
      { GATE: () => this.#atSet(), ALT: () => this.SUBRULE(this.set) },
    ]);
    this.MANY(() =>
      this.OR2([
        { ALT: () => this.SUBRULE(this.subscript, { LABEL: "suffix" }) },
        { ALT: () => this.SUBRULE(this.args, { LABEL: "suffix" }) },
        { ALT: () => this.SUBRULE(this.member, { LABEL: "suffix" }) },
      ]),
    );
  });

  readonly subscript: Rule = this.RULE("subscript", () => {
    this.CONSUME(LeftSquare);
    this.SUBRULE(this.expression);
    this.MANY(() => {
      this.CONSUME(Comma);
      this.SUBRULE2(this.expression);
    });
    this.OPTION(() => this.SUBRULE(this.where));
    this.CONSUME(RightSquare);
  });

  readonly args: Rule = this.RULE("args", () => {
    this.CONSUME(LeftParen);
    this.OPTION(() => {
      this.SUBRULE(this.arg);
      this.MANY(() => {
        this.CONSUME(Comma);
        this.SUBRULE2(this.arg);
      });
    });
    this.CONSUME(RightParen);
  });

  readonly arg: Rule = this.RULE("arg", () => {
    this.OR([
      { ALT: () => this.CONSUME(Spread) },
      {
        ALT: () => {
          this.CONSUME(Name);
          this.CONSUME(Colon);
          this.SUBRULE(this.expression);
        },
      },
      { ALT: () => this.SUBRULE2(this.expression) },
    ]);
  });

  readonly member: Rule = this.RULE("member", () => {
    this.CONSUME(Dot);
    this.CONSUME(Word);
  });

  readonly group: Rule = this.RULE("group", () => {
    this.CONSUME(LeftParen);
    this.SUBRULE(this.expression);
    this.OR([
      {
        ALT: () => {
          this.AT_LEAST_ONE(() => {
            this.CONSUME(Bar);
            this.SUBRULE3(this.expression);
          });
        },
      },
      {
        ALT: () => {
          this.MANY(() => {
            this.CONSUME(Comma);
            this.SUBRULE2(this.expression);
          });
        },
      },
    ]);
    this.CONSUME(RightParen);
  });

  readonly set: Rule = this.RULE("set", () => {
    this.CONSUME(LeftBrace);
    this.SUBRULE(this.expression);
    this.MANY(() => {
      this.CONSUME(Comma);
      this.SUBRULE2(this.expression);
    });
    this.OPTION(() => {
      this.CONSUME(word.for);
      this.SUBRULE3(this.expression);
    });
    this.OPTION2(() => this.SUBRULE(this.where));
    this.CONSUME(RightBrace);
  });

  readonly where: Rule = this.RULE("where", () => {
    this.CONSUME(word.where);
    this.SUBRULE(this.expression);
  });

  /** Not at a `{` that begins a body, as after a condition that breaks off. */
  #atSet(): boolean {
    return !itemTypes.has(this.LA(2).tokenType) && !bodySigns.has(this.LA(3).tokenType);
  }
}
