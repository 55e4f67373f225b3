/** Bodies, and all that may stand in one. */
import {
  Bar,
  Colon,
  Comma,
  Define,
  Dot,
  Equals,
  Hole,
  LeftBrace,
  Name,
  RightBrace,
  ScalarWord,
  Stray,
  StringToken,
  Word,
  Write,
  word,
  Yields,
} from "../../lexer/tokens.ts";
import type { Rule } from "./recovery.ts";
import { Types } from "./types.ts";

export abstract class Items extends Types {
  readonly body: Rule = this.RULE("body", () => {
    this.CONSUME(LeftBrace);
    this.MANY({
      GATE: () => !this.atBlock(),
      DEF: () => this.guard("item", () => this.SUBRULE(this.item)),
    });
    this.close(RightBrace);
  });

  /** All items of all bodies: which may stand where is said by `build-items.ts`, in better words. */
  readonly item: Rule = this.RULE("item", () => {
    this.OPTION(() => this.CONSUME(word.override));
    this.OR([
      { ALT: () => this.SUBRULE(this.equation) },
      { ALT: () => this.SUBRULE(this.paramDecl) },
      { ALT: () => this.SUBRULE(this.weight) },
      { ALT: () => this.SUBRULE(this.state) },
      { ALT: () => this.SUBRULE(this.part) },
      { ALT: () => this.SUBRULE(this.require) },
      { ALT: () => this.SUBRULE(this.if) },
      { ALT: () => this.SUBRULE(this.config) },
      { ALT: () => this.SUBRULE(this.runtime) },
      { ALT: () => this.SUBRULE(this.entry) },
      { ALT: () => this.SUBRULE(this.phase) },
      { ALT: () => this.SUBRULE(this.loop) },
      { ALT: () => this.SUBRULE(this.ignore) },
      { ALT: () => this.SUBRULE(this.storage) },
      { ALT: () => this.SUBRULE(this.numerics) },
      { ALT: () => this.SUBRULE(this.slot) },
      { ALT: () => this.SUBRULE(this.stray) },
    ]);
  });

  readonly stray: Rule = this.RULE("stray", () => {
    this.CONSUME(Stray);
    this.ACTION(() => this.skip("item", 0));
  });

  readonly paramDecl: Rule = this.RULE("paramDecl", () => {
    this.CONSUME(word.param);
    this.SUBRULE(this.names);
    this.CONSUME(Colon);
    this.guard("item", () => {
      this.SUBRULE(this.type);
      this.OPTION(() => {
        this.CONSUME(Equals);
        this.SUBRULE(this.expression);
      });
      this.OPTION2(() => this.SUBRULE(this.where));
    });
  });

  readonly weight: Rule = this.RULE("weight", () => {
    this.CONSUME(word.weight);
    this.CONSUME(Name);
    this.CONSUME(Colon);
    this.guard("item", () => {
      this.SUBRULE(this.type);
      this.CONSUME(word.at);
      this.CONSUME(StringToken);
      this.MANY(() => {
        this.CONSUME(word.or);
        this.CONSUME2(StringToken);
      });
      this.MANY2(() => this.SUBRULE(this.copy));
    });
  });

  readonly copy: Rule = this.RULE("copy", () => {
    this.CONSUME(word.copy);
    this.CONSUME(word.at);
    this.CONSUME(StringToken);
  });

  readonly state: Rule = this.RULE("state", () => {
    this.CONSUME(word.state);
    this.CONSUME(Name);
    this.CONSUME(Colon);
    this.guard("item", () => {
      this.SUBRULE(this.type);
      this.OPTION(() => {
        this.CONSUME(word.keep);
        this.SUBRULE(this.expression);
      });
    });
  });

  readonly part: Rule = this.RULE("part", () => {
    this.OPTION(() => this.CONSUME(word.optional));
    this.CONSUME(word.part);
    this.CONSUME(Name);
    this.OPTION2(() => this.SUBRULE(this.subscript));
    this.CONSUME(Colon);
    this.guard("item", () => {
      this.SUBRULE(this.expression);
      this.OPTION3(() => {
        this.CONSUME(word.at);
        this.CONSUME(StringToken);
      });
    });
  });

  readonly require: Rule = this.RULE("require", () => {
    this.CONSUME(word.require);
    this.SUBRULE(this.expression);
  });

  readonly if: Rule = this.RULE("if", () => {
    this.SUBRULE(this.branch);
    this.MANY(() => {
      this.CONSUME(word.else);
      this.SUBRULE2(this.branch);
    });
    this.OPTION(() => {
      this.CONSUME2(word.else);
      this.SUBRULE(this.body);
    });
  });

  readonly branch: Rule = this.RULE("branch", () => {
    this.CONSUME(word.if);
    this.guard("body", () => this.SUBRULE(this.expression));
    this.SUBRULE(this.body);
  });

  readonly equation: Rule = this.RULE("equation", () => {
    this.SUBRULE(this.target);
    this.OR([
      {
        ALT: () => {
          this.AT_LEAST_ONE(() => {
            this.CONSUME(Comma);
            this.SUBRULE3(this.target);
          });
        },
      },
      {
        ALT: () => {
          this.MANY(() => {
            this.CONSUME(Bar);
            this.SUBRULE2(this.target);
          });
        },
      },
    ]);
    this.OPTION(() => {
      this.CONSUME(Colon);
      this.SUBRULE(this.type);
    });
    this.OR2([{ ALT: () => this.CONSUME(Define) }, { ALT: () => this.CONSUME(Write) }]);
    this.guard("item", () => {
      this.SUBRULE(this.expression);
      this.OPTION2(() => this.SUBRULE(this.where));
    });
  });

  readonly target: Rule = this.RULE("target", () => {
    this.OR([{ ALT: () => this.CONSUME(Name) }, { ALT: () => this.CONSUME(Hole) }]);
    this.OPTION(() => this.SUBRULE(this.subscript));
  });

  readonly config: Rule = this.RULE("config", () => {
    this.CONSUME(word.config);
    this.CONSUME(LeftBrace);
    this.MANY(() => this.guard("item", () => this.SUBRULE(this.configEntry)));
    this.close(RightBrace);
  });

  readonly configEntry: Rule = this.RULE("configEntry", () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.require) },
      { ALT: () => this.SUBRULE(this.field) },
      { ALT: () => this.SUBRULE(this.stray) },
    ]);
  });

  readonly field: Rule = this.RULE("field", () => {
    this.SUBRULE(this.names);
    this.CONSUME(Colon);
    this.guard("item", () => {
      this.SUBRULE(this.type);
      this.CONSUME(Equals);
      this.SUBRULE(this.expression);
      this.OPTION(() => this.SUBRULE(this.where));
    });
  });

  readonly runtime: Rule = this.RULE("runtime", () => {
    this.CONSUME(word.runtime);
    this.CONSUME(Name);
    this.CONSUME(Colon);
    this.OR([{ ALT: () => this.CONSUME(ScalarWord) }, { ALT: () => this.CONSUME2(Name, { LABEL: "memory" }) }]);
    this.CONSUME(word.in);
    this.SUBRULE(this.expression);
  });

  readonly entry: Rule = this.RULE("entry", () => {
    this.CONSUME(word.entry);
    this.guard("body", () => {
      this.CONSUME(Name);
      this.SUBRULE(this.params);
      this.SUBRULE(this.outs);
    });
    this.SUBRULE(this.body);
  });

  readonly phase: Rule = this.RULE("phase", () => {
    this.CONSUME(word.phase);
    this.CONSUME(Name);
    this.CONSUME(Equals);
    this.CONSUME2(Name);
    this.CONSUME(Yields);
    this.SUBRULE(this.names);
    this.OPTION(() => this.SUBRULE(this.where));
  });

  readonly loop: Rule = this.RULE("loop", () => {
    this.CONSUME(word.loop);
    this.CONSUME(Name);
    this.CONSUME(Equals);
    this.CONSUME2(Name);
    this.CONSUME3(Name);
    this.OPTION(() => {
      this.CONSUME(word.for);
      this.SUBRULE(this.expression);
    });
    this.OPTION2({
      GATE: () => this.LA(1).image === "draft" && this.LA(2).tokenType === Name,
      DEF: () => {
        this.CONSUME4(Name);
        this.CONSUME5(Name, { LABEL: "draft" });
      },
    });
  });

  readonly ignore: Rule = this.RULE("ignore", () => {
    this.CONSUME(word.ignore);
    this.CONSUME(StringToken);
    this.MANY(() => {
      this.CONSUME(Comma);
      this.CONSUME2(StringToken);
    });
  });

  readonly storage: Rule = this.RULE("storage", () => {
    this.CONSUME(word.storage);
    this.CONSUME(ScalarWord);
    this.CONSUME(word.as);
    this.SUBRULE(this.expression);
    this.OPTION(() => {
      this.CONSUME(word.not);
      this.CONSUME(word.at);
      this.CONSUME(StringToken);
      this.MANY(() => {
        this.CONSUME(Comma);
        this.CONSUME2(StringToken);
      });
    });
  });

  readonly numerics: Rule = this.RULE("numerics", () => {
    this.CONSUME(word.numerics);
    this.CONSUME(LeftBrace);
    this.MANY(() =>
      this.guard("item", () =>
        this.OR([{ ALT: () => this.SUBRULE(this.numericsRule) }, { ALT: () => this.SUBRULE(this.stray) }]),
      ),
    );
    this.close(RightBrace);
  });

  readonly numericsRule: Rule = this.RULE("numericsRule", () => {
    this.SUBRULE(this.path);
    this.CONSUME(Colon);
    this.CONSUME(ScalarWord);
  });

  readonly path: Rule = this.RULE("path", () => {
    this.CONSUME(Name);
    this.MANY(() => {
      this.CONSUME(Dot);
      this.CONSUME(Word);
    });
  });

  readonly slot: Rule = this.RULE("slot", () => {
    this.CONSUME(word.block);
    this.CONSUME(Name);
    this.CONSUME(Equals);
    this.SUBRULE(this.expression);
  });
}
