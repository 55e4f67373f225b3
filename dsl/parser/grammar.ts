/**
 * The grammar of docs/language.md, syntax only. Chains of operators are read flat and get their precedence in
 * `operators.ts`, so that no chain is deep here. A rule that fails is left at once; `#guard` marks the places where
 * reading goes on: after an item, before a body, at a declaration.
 */
import {
  type CstNode,
  CstParser,
  EOF,
  type IParserErrorMessageProvider,
  type IRecognitionException,
  type IToken,
  isRecognitionException,
  type ParserMethod,
  type TokenType,
} from "chevrotain";
import {
  Bar,
  Colon,
  Comma,
  Define,
  Dot,
  declarationTypes,
  Equals,
  FileStray,
  grammarTokens,
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
  ScalarWord,
  Spread,
  Stray,
  StringToken,
  TightOperator,
  Word,
  Write,
  word,
  Yields,
} from "../lexer/tokens.ts";
import { startsItem } from "./item-start.ts";

type Rule = ParserMethod<[], CstNode>;

/** Where reading goes on after an error: at the next declaration, at the next item, or at a body too. */
type Recovery = "declaration" | "item" | "body";

const bodySigns: ReadonlySet<TokenType> = new Set([Define, Write, Colon]);

/** The words of an error are made in `unexpected.ts`; all it needs from here is the name of the expected token. */
const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => expected.name,
  buildNotAllInputParsedMessage: () => "",
  buildNoViableAltMessage: () => "",
  buildEarlyExitMessage: () => "",
};

class Grammar extends CstParser {
  constructor() {
    super([...grammarTokens], {
      recoveryEnabled: false,
      maxLookahead: 2,
      nodeLocationTracking: "onlyOffset",
      errorMessageProvider: messages,
    });
    this.performSelfAnalysis();
  }

  /** Reads with `read`; a syntax error in it is kept in `errors`, and the tokens it spoils are left out. */
  #guard(recovery: Recovery, read: () => void): void {
    const first = this.LA(1);
    try {
      read();
    } catch (error) {
      if (!(error instanceof Error && isRecognitionException(error))) throw error;
      this.#skip(recovery, this.#openBraces(first));
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

  #skip(recovery: Recovery, owed: number): void {
    let left = owed;
    let depth = 0;
    for (;;) {
      const next = this.LA(1);
      const type = next.tokenType;
      if (type === EOF || declarationTypes.has(type) || this.#atBlock()) return;
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
  #atBlock(): boolean {
    return this.LA(1).tokenType === word.block && this.LA(2).tokenType === Name && this.LA(3).tokenType === LeftParen;
  }

  /** Not at a `{` that begins a body, as after a condition that breaks off. */
  #atSet(): boolean {
    return !itemTypes.has(this.LA(2).tokenType) && !bodySigns.has(this.LA(3).tokenType);
  }

  /** A body without its `}` keeps what was read of it. */
  #close(bracket: TokenType): void {
    try {
      this.CONSUME9(bracket);
    } catch (error) {
      if (!(error instanceof Error && isRecognitionException(error))) throw error;
    }
  }

  readonly file: Rule = this.RULE("file", () => {
    this.MANY(() =>
      this.#guard("declaration", () =>
        this.OR([
          { ALT: () => this.SUBRULE(this.importLine) },
          { ALT: () => this.SUBRULE(this.fn) },
          { ALT: () => this.SUBRULE(this.block) },
          { ALT: () => this.SUBRULE(this.model) },
          { ALT: () => this.SUBRULE(this.law) },
          { ALT: () => this.SUBRULE(this.schedule) },
          { ALT: () => this.SUBRULE(this.fileStray) },
        ]),
      ),
    );
  });

  readonly fileStray: Rule = this.RULE("fileStray", () => {
    this.CONSUME(FileStray);
    this.ACTION(() => this.#skip("declaration", 0));
  });

  readonly stray: Rule = this.RULE("stray", () => {
    this.CONSUME(Stray);
    this.ACTION(() => this.#skip("item", 0));
  });

  readonly importLine: Rule = this.RULE("importLine", () => {
    this.CONSUME(word.import);
    this.SUBRULE(this.names);
    this.CONSUME(word.from);
    this.CONSUME(StringToken);
  });

  readonly names: Rule = this.RULE("names", () => {
    this.CONSUME(Name);
    this.MANY(() => {
      this.CONSUME(Comma);
      this.CONSUME2(Name);
    });
  });

  readonly fn: Rule = this.RULE("fn", () => {
    this.CONSUME(word.fn);
    this.#guard("body", () => {
      this.CONSUME(Name);
      this.SUBRULE(this.params);
      this.OR([
        {
          ALT: () => {
            this.CONSUME(Equals);
            this.SUBRULE(this.expression);
          },
        },
        { ALT: () => this.SUBRULE(this.outs) },
      ]);
    });
    this.OPTION(() => this.SUBRULE(this.body));
  });

  readonly block: Rule = this.RULE("block", () => {
    this.CONSUME(word.block);
    this.#guard("body", () => {
      this.CONSUME(Name);
      this.SUBRULE(this.params);
      this.SUBRULE(this.outs);
    });
    this.SUBRULE(this.body);
  });

  readonly model: Rule = this.RULE("model", () => {
    this.CONSUME(word.model);
    this.#guard("body", () => {
      this.CONSUME(Name);
      this.OPTION(() => this.SUBRULE(this.parent));
    });
    this.SUBRULE(this.body);
  });

  readonly parent: Rule = this.RULE("parent", () => {
    this.CONSUME(word.extends);
    this.CONSUME(Name);
    this.OPTION(() => {
      this.CONSUME(word.from);
      this.SUBRULE(this.expression);
      this.CONSUME(word.at);
      this.CONSUME(StringToken);
    });
  });

  readonly law: Rule = this.RULE("law", () => {
    this.CONSUME(word.law);
    this.CONSUME(Name);
    this.SUBRULE(this.params);
    this.CONSUME(Colon);
    this.SUBRULE(this.expression);
  });

  readonly schedule: Rule = this.RULE("schedule", () => {
    this.CONSUME(word.schedule);
    this.CONSUME(word.for);
    this.CONSUME(Name);
    this.CONSUME(LeftBrace);
    this.MANY(() =>
      this.#guard("item", () =>
        this.OR([
          { ALT: () => this.SUBRULE(this.rule) },
          { ALT: () => this.SUBRULE(this.schedulePhase) },
          { ALT: () => this.SUBRULE(this.stray) },
        ]),
      ),
    );
    this.#close(RightBrace);
  });

  readonly schedulePhase: Rule = this.RULE("schedulePhase", () => {
    this.CONSUME(word.phase);
    this.CONSUME(Name);
    this.CONSUME(LeftBrace);
    this.MANY(() =>
      this.#guard("item", () =>
        this.OR([{ ALT: () => this.SUBRULE(this.rule) }, { ALT: () => this.SUBRULE(this.stray) }]),
      ),
    );
    this.#close(RightBrace);
  });

  readonly rule: Rule = this.RULE("rule", () => {
    this.SUBRULE(this.path);
    this.CONSUME(Colon);
    this.SUBRULE(this.expression);
  });

  readonly path: Rule = this.RULE("path", () => {
    this.CONSUME(Name);
    this.MANY(() => {
      this.CONSUME(Dot);
      this.CONSUME(Word);
    });
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

  readonly body: Rule = this.RULE("body", () => {
    this.CONSUME(LeftBrace);
    this.MANY({
      GATE: () => !this.#atBlock(),
      DEF: () => this.#guard("item", () => this.SUBRULE(this.item)),
    });
    this.#close(RightBrace);
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

  readonly paramDecl: Rule = this.RULE("paramDecl", () => {
    this.CONSUME(word.param);
    this.SUBRULE(this.names);
    this.CONSUME(Colon);
    this.#guard("item", () => {
      this.SUBRULE(this.type);
      this.OPTION(() => {
        this.CONSUME(Equals);
        this.SUBRULE(this.expression);
      });
      this.OPTION2(() => this.SUBRULE(this.where));
    });
  });

  readonly where: Rule = this.RULE("where", () => {
    this.CONSUME(word.where);
    this.SUBRULE(this.expression);
  });

  readonly weight: Rule = this.RULE("weight", () => {
    this.CONSUME(word.weight);
    this.CONSUME(Name);
    this.CONSUME(Colon);
    this.#guard("item", () => {
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
    this.#guard("item", () => {
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
    this.#guard("item", () => {
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
    this.#guard("body", () => this.SUBRULE(this.expression));
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
    this.#guard("item", () => {
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
    this.MANY(() => this.#guard("item", () => this.SUBRULE(this.configEntry)));
    this.#close(RightBrace);
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
    this.#guard("item", () => {
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
    this.#guard("body", () => {
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
      this.#guard("item", () =>
        this.OR([{ ALT: () => this.SUBRULE(this.numericsRule) }, { ALT: () => this.SUBRULE(this.stray) }]),
      ),
    );
    this.#close(RightBrace);
  });

  readonly numericsRule: Rule = this.RULE("numericsRule", () => {
    this.SUBRULE(this.path);
    this.CONSUME(Colon);
    this.CONSUME(ScalarWord);
  });

  readonly slot: Rule = this.RULE("slot", () => {
    this.CONSUME(word.block);
    this.CONSUME(Name);
    this.CONSUME(Equals);
    this.SUBRULE(this.expression);
  });

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
}

/** Built once: the analysis of the grammar takes far longer than reading a file. */
const grammar = new Grammar();

export interface GrammarResult {
  readonly tree: CstNode;
  readonly errors: readonly IRecognitionException[];
}

export function readGrammar(tokens: readonly IToken[]): GrammarResult {
  grammar.input = [...tokens];
  const tree = grammar.file();
  return { tree, errors: grammar.errors };
}
