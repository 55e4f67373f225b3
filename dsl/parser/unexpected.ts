/** What a syntax error says: the reader's words for what was found and what should have stood there. */
import { type CstNode, EOF, type IRecognitionException, type IToken, type TokenType } from "chevrotain";
import type { Diagnostic, Label } from "../diagnostics/diagnostic.ts";
import { closest } from "../diagnostics/suggest.ts";
import {
  declarationTypes,
  itemTypes,
  keywordTypes,
  LeftBrace,
  OpenString,
  RightBrace,
  RightParen,
  RightSquare,
  ScalarWord,
  word,
} from "../lexer/tokens.ts";
import { type Brackets, closerOf } from "./brackets.ts";
import { type BuildContext, endOf, token } from "./cst.ts";
import { firstOnLine, startsItem } from "./item-start.ts";

type StrayPlace = "file" | "model" | "body" | "config" | "numerics" | "schedule";

const belongsHere: Readonly<Record<StrayPlace, string>> = {
  file: "a declaration should stand here: `import`, `fn`, `block`, `model`, `law` or `schedule`",
  model: "a declaration or an equation should stand here",
  body: "a declaration or an equation should stand here",
  config: "a field or a `require` should stand here",
  numerics: "a path and its element type should stand here",
  schedule: "a path and its strategy should stand here",
};

const closers: ReadonlySet<TokenType> = new Set([RightParen, RightSquare, RightBrace]);
const usedAsName = /^[ \t]*(?:\[|:=|<-|:|\||,)/;

function found(read: IToken): string {
  if (read.tokenType === EOF) return "unexpected end of file";
  const text = read.image.length > 32 ? `${read.image.slice(0, 31)}…` : read.image;
  return `unexpected \`${text}\``;
}

/** A token where no item or declaration begins; what follows it up to the next one has been left out. */
export function reportStray(context: BuildContext, stray: CstNode, place: StrayPlace): void {
  const read = token(stray, "Stray") ?? token(stray, "FileStray");
  if (read === null) return;
  const span = context.tokenSpan(read);
  const type = read.tokenType;
  if (closers.has(type)) {
    context.error("DS0001", found(read), span, "no bracket is open here");
  } else if (place === "file" && itemTypes.has(type)) {
    context.error("DS0001", found(read), span, `\`${read.image}\` stands inside a declaration`);
  } else if (operatorAtEnd(context, read)) {
    const { start, end } = operatorAtEnd(context, read) ?? span;
    const operator = context.source.text.slice(start, end);
    const label = `a value should stand after \`${operator}\``;
    context.error("DS0001", "unexpected end of line", context.span(start, end), label);
  } else if (keywordTypes.has(type) && usedAsName.test(context.source.text.slice(span.end, span.end + 80))) {
    context.diagnostics.push(keywordAsName(context, read));
  } else {
    const meant = place === "file" ? closest(read.image, ["import", "block", "model", "schedule", "law", "fn"]) : null;
    context.error("DS0001", found(read), span, belongsHere[place], meant);
  }
}

/** Of `:=` or `<-`: the operator at the end of the line before, which took the target for its operand. */
function operatorAtEnd(context: BuildContext, read: IToken): Label["span"] | null {
  if (read.image !== ":=" && read.image !== "<-") return null;
  const before = context.source.text.slice(Math.max(0, read.startOffset - 2000), read.startOffset);
  const match =
    /(\.\.|[-+*/^<>=~(,[?]|\b(?:in|and|or|div|mod|xor|not))[ \t\r]*((?:\/\/[^\n]*)?\n\s*[A-Za-z_]\w*(?:\[[^\n]*\])?[ \t]*)$/.exec(
      before,
    );
  if (match === null) return null;
  const start = read.startOffset - match[0].length;
  return context.span(start, start + (match[1]?.length ?? 0));
}

function keywordAsName(context: BuildContext, read: IToken): Diagnostic {
  const other = `${read.image}_of`;
  const span = context.tokenSpan(read);
  return {
    code: "DS0005",
    severity: "error",
    title: `\`${read.image}\` is a keyword`,
    primary: { span, text: "a name should stand here" },
    secondary: [],
    help: `choose another name, such as \`${other}\``,
    fix: null,
  };
}

/** All tokens of a text, to tell what stands around an error. */
export interface ErrorContext {
  readonly build: BuildContext;
  readonly tokens: readonly IToken[];
  readonly end: IToken;
  readonly brackets: Brackets;
}

/** `index` is that of the token at which reading failed. */
export function explainError(around: ErrorContext, index: number, error: IRecognitionException): Diagnostic {
  const { build, tokens, end, brackets } = around;
  const read = tokens[index] ?? end;
  const before = tokens[index - 1] ?? end;
  const after = tokens[index + 1] ?? end;
  // `message` is the name of the expected token: see the grammar's message provider
  const expected = error.message;
  const rules = error.context.ruleStack;

  const opener = brackets.enclosing(index);
  const closer = opener === null ? undefined : closerOf.get(opener.tokenType);
  if (opener !== null && closer !== undefined && !brackets.isClosed(opener)) {
    const ends = read.tokenType === EOF || declarationTypes.has(read.tokenType) || startsItem(before, read, after);
    if (expected === closer.name || (ends && opener.tokenType !== LeftBrace) || closers.has(read.tokenType)) {
      return unclosed(build, brackets, opener, closer, before, read);
    }
  }
  const keyword = keywordInPlaceOfName(expected, rules.at(-1) ?? "", before, read, after);
  if (keyword !== null) return keywordAsName(build, keyword);

  const lineEnds = read.tokenType === EOF || (firstOnLine(before, read) && before !== end);
  const next = read.tokenType === RightBrace || declarationTypes.has(read.tokenType) || startsItem(before, read, after);
  const atEnd = before !== end && (read.tokenType === EOF || (lineEnds && next));
  const span = atEnd ? build.span(endOf(before), endOf(before)) : spanOf(build, read);
  const title = atEnd && read.tokenType !== EOF ? "unexpected end of line" : found(read);
  return plain("DS0001", title, { span, text: `${expectation(expected, rules)} should stand here` }, []);
}

function plain(code: Diagnostic["code"], title: string, primary: Label, secondary: readonly Label[]): Diagnostic {
  return { code, severity: "error", title, primary, secondary, help: null, fix: null };
}

function spanOf(build: BuildContext, read: IToken): Label["span"] {
  if (read.tokenType !== EOF) return build.tokenSpan(read);
  const end = build.source.text.length;
  return build.span(end, end);
}

function unclosed(
  build: BuildContext,
  brackets: Brackets,
  opener: IToken,
  closer: TokenType,
  before: IToken,
  read: IToken,
): Diagnostic {
  const { open, taken } = brackets.unclosed(opener);
  const text = closer.LABEL ?? "";
  const at =
    read.tokenType === EOF || firstOnLine(before, read)
      ? build.span(endOf(before), endOf(before))
      : spanOf(build, read);
  const primary = { span: build.tokenSpan(open), text: `this bracket has no ${text}` };
  const missed =
    taken === null
      ? { span: at, text: `${text} is missing here, at the latest` }
      : {
          span: build.tokenSpan(taken),
          text: `${text} is missing before this one, which closes a bracket further out`,
        };
  return plain("DS0002", `\`${open.image}\` is not closed`, primary, [missed]);
}

const isWordForItems = (type: TokenType): boolean =>
  itemTypes.has(type) ||
  declarationTypes.has(type) ||
  type === word.block ||
  type === word.set ||
  type.CATEGORIES?.includes(ScalarWord) === true;

/** The keyword that was meant as a name: `param state : dim`, `state := x`, `a * text`. */
function keywordInPlaceOfName(
  expected: string,
  rule: string,
  before: IToken,
  read: IToken,
  after: IToken,
): IToken | null {
  const sameLine = !firstOnLine(before, read);
  if (expected === "Name" && keywordTypes.has(before.tokenType) && afterName.has(read.image)) return before;
  if (expected === "Name" && sameLine) {
    if (isWordForItems(read.tokenType) || (keywordTypes.has(read.tokenType) && afterName.has(after.image))) return read;
  }
  if ((rule === "place" || rule === "target") && sameLine && isWordForItems(read.tokenType)) return read;
  return null;
}

const afterName: ReadonlySet<string> = new Set([":=", "<-", "[", ":", "|", ",", ".", "="]);

const tokenNames: Readonly<Record<string, string>> = {
  Name: "a name",
  String: "a text in quotes",
  Number: "a number",
  ScalarWord: "an element type, such as `f32`,",
  Word: "a name",
  Define: "`:=`",
  Colon: "`:` and a type",
  Yields: "`->` and a result",
  Equals: "`=`",
  LeftParen: "`(`",
  LeftSquare: "`[`",
  LeftBrace: "`{`",
  RightParen: "`)`",
  RightSquare: "`]`",
  RightBrace: "`}`",
  Keyword_at: '`at` and the name of a tensor, such as `at "weight"`,',
};

/** What stands in brackets or after a word: by the innermost rule that gives a value its role. */
const values: Readonly<Record<string, string>> = {
  subscript: "an index",
  axis: "a size or an index",
  args: "an argument",
  arg: "an argument",
  set: "a member",
  where: "a condition",
  branch: "a condition",
  require: "a condition",
  scalar: "an axis",
  runtime: "a range, such as `1..4096`,",
};

const choices: Readonly<Record<string, string>> = {
  equation: "`:=` or `<-` after the target",
  fn: "`=` or `->` after the parameters",
  outs: "a result, such as `y: [D]`,",
  type: "a type",
  scalar: "an element type",
  item: "a declaration or an equation",
  runtime: "`dim` or `memory`",
  target: "a name or `_`",
  configEntry: "a field or a `require`",
};

function expectation(expected: string, rules: readonly string[]): string {
  const rule = rules.at(-1) ?? "";
  if (expected === "RightSquare" && rules.includes("subscript")) return "`,` or `]`";
  if (expected === "RightParen" && (rule === "args" || rule === "params")) return "`,` or `)`";
  if (expected === "Colon" && rule === "expression") return "`:` and what holds otherwise";
  if (expected === "Colon" && (rule === "rule" || rule === "law")) return "`:`";
  if (expected !== "") return tokenNames[expected] ?? `\`${expected.replace(/^Keyword_/, "")}\``;
  const role = rule === "place" || rule === "arg" ? rules.findLast((name) => Object.hasOwn(values, name)) : undefined;
  if (rule === "place" || rule === "arg") {
    const body = rules.lastIndexOf("body");
    return role !== undefined && rules.lastIndexOf(role) > body ? (values[role] ?? "a value") : "a value";
  }
  return choices[rule] ?? "something else";
}

/** The string that was not closed explains what follows it, and so does a character that was left out. */
export function isExplained(before: IToken | undefined, read: IToken, lexical: readonly Diagnostic[]): boolean {
  if (before?.tokenType === OpenString) return true;
  const from = before === undefined ? 0 : before.startOffset - (before.startColumn ?? 1) + 1;
  const to = read.tokenType === EOF ? Number.POSITIVE_INFINITY : endOf(read);
  return lexical.some(({ primary }) => primary.span.start >= from && primary.span.start < to);
}
