/** Types, and the headers that are made of them: parameters and results. */
import {
  Bar,
  Colon,
  Comma,
  Equals,
  LeftParen,
  LeftSquare,
  Name,
  Question,
  RightParen,
  RightSquare,
  ScalarWord,
  StringToken,
  word,
  Yields,
} from "../../lexer/tokens.ts";
import { Expressions } from "./expressions.ts";
import type { Rule } from "./recovery.ts";

export abstract class Types extends Expressions {
  readonly type: Rule = this.RULE("type", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(LeftSquare);
          this.SUBRULE(this.axis);
          this.MANY(() => {
            this.CONSUME(Comma);
            this.SUBRULE2(this.axis);
          });
          this.CONSUME(RightSquare);
          // `block` may also begin the next item: a block type goes on with `(` or `?`
          this.OPTION({
            GATE: () => this.LA(1).tokenType !== word.block || this.LA(2).tokenType !== Name,
            DEF: () => this.SUBRULE(this.scalar),
          });
        },
      },
      { ALT: () => this.SUBRULE2(this.scalar) },
      { ALT: () => this.SUBRULE(this.choice) },
    ]);
    this.OPTION2(() => this.CONSUME(Question));
  });

  readonly choice: Rule = this.RULE("choice", () => {
    this.CONSUME(StringToken);
    this.MANY(() => {
      this.CONSUME(Bar);
      this.CONSUME2(StringToken);
    });
  });

  readonly axis: Rule = this.RULE("axis", () => {
    this.SUBRULE(this.expression);
    this.OPTION(() => {
      this.CONSUME(word.of);
      this.SUBRULE2(this.expression);
    });
  });

  readonly scalar: Rule = this.RULE("scalar", () => {
    this.OR([
      { ALT: () => this.CONSUME(ScalarWord) },
      {
        ALT: () => {
          this.CONSUME(word.block);
          this.OPTION(() => this.CONSUME(Question));
          this.SUBRULE(this.params);
          this.SUBRULE(this.outs);
        },
      },
      {
        ALT: () => {
          this.CONSUME(word.in);
          this.SUBRULE(this.sum);
        },
      },
      {
        ALT: () => {
          this.CONSUME(word.set);
          this.CONSUME(word.of);
          this.SUBRULE2(this.sum);
        },
      },
    ]);
  });

  readonly params: Rule = this.RULE("params", () => {
    this.CONSUME(LeftParen);
    this.OPTION(() => {
      this.SUBRULE(this.param);
      this.MANY(() => {
        this.CONSUME(Comma);
        this.SUBRULE2(this.param);
      });
    });
    this.CONSUME(RightParen);
  });

  readonly param: Rule = this.RULE("param", () => {
    this.SUBRULE(this.names);
    this.CONSUME(Colon);
    this.SUBRULE(this.type);
    this.OPTION(() => {
      this.CONSUME(Equals);
      this.SUBRULE(this.expression);
    });
  });

  readonly names: Rule = this.RULE("names", () => {
    this.CONSUME(Name);
    this.MANY(() => {
      this.CONSUME(Comma);
      this.CONSUME2(Name);
    });
  });

  readonly outs: Rule = this.RULE("outs", () => {
    this.CONSUME(Yields);
    this.OR([
      { ALT: () => this.SUBRULE(this.out) },
      {
        ALT: () => {
          this.CONSUME(LeftParen);
          this.SUBRULE2(this.out);
          this.MANY(() => {
            this.CONSUME(Comma);
            this.SUBRULE3(this.out);
          });
          this.CONSUME(RightParen);
        },
      },
    ]);
  });

  readonly out: Rule = this.RULE("out", () => {
    this.CONSUME(Name);
    this.CONSUME(Colon);
    this.SUBRULE(this.type);
  });
}
