/**
 * The grammar of docs/language.md, syntax only: files and their declarations over `grammar/`, where each class adds rules
 * to those it needs.
 */
import type { CstNode, IRecognitionException, IToken } from "chevrotain";
import { Colon, Equals, FileStray, LeftBrace, Name, RightBrace, StringToken, word } from "../lexer/tokens.ts";
import { Items } from "./grammar/items.ts";
import type { Rule } from "./grammar/recovery.ts";

class Grammar extends Items {
  constructor() {
    super();
    this.performSelfAnalysis();
  }

  readonly file: Rule = this.RULE("file", () => {
    this.MANY(() =>
      this.guard("declaration", () =>
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
    this.ACTION(() => this.skip("declaration", 0));
  });

  readonly importLine: Rule = this.RULE("importLine", () => {
    this.CONSUME(word.import);
    this.SUBRULE(this.names);
    this.CONSUME(word.from);
    this.CONSUME(StringToken);
  });

  readonly fn: Rule = this.RULE("fn", () => {
    this.CONSUME(word.fn);
    this.guard("body", () => {
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
    this.guard("body", () => {
      this.CONSUME(Name);
      this.SUBRULE(this.params);
      this.SUBRULE(this.outs);
    });
    this.SUBRULE(this.body);
  });

  readonly model: Rule = this.RULE("model", () => {
    this.CONSUME(word.model);
    this.guard("body", () => {
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
      this.guard("item", () =>
        this.OR([
          { ALT: () => this.SUBRULE(this.rule) },
          { ALT: () => this.SUBRULE(this.schedulePhase) },
          { ALT: () => this.SUBRULE(this.stray) },
        ]),
      ),
    );
    this.close(RightBrace);
  });

  readonly schedulePhase: Rule = this.RULE("schedulePhase", () => {
    this.CONSUME(word.phase);
    this.CONSUME(Name);
    this.CONSUME(LeftBrace);
    this.MANY(() =>
      this.guard("item", () =>
        this.OR([{ ALT: () => this.SUBRULE(this.rule) }, { ALT: () => this.SUBRULE(this.stray) }]),
      ),
    );
    this.close(RightBrace);
  });

  readonly rule: Rule = this.RULE("rule", () => {
    this.SUBRULE(this.path);
    this.CONSUME(Colon);
    this.SUBRULE(this.expression);
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
