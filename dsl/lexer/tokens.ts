/**
 * The tokens of a `.ds` file, in match order. Keywords are a closed list; every other word is a name, so that words such
 * as `position`, `token`, `sample` or `sum` stay free.
 */
import { createToken, Lexer, type TokenType } from "chevrotain";

// Categories: what the grammar asks for where several tokens will do. They match nothing by themselves.

/** A name or any keyword: what may follow a `.`, as in `$.rope_scaling.type`. */
export const Word = createToken({ name: "Word", pattern: Lexer.NA, label: "a word" });
export const ScalarWord = createToken({ name: "ScalarWord", pattern: Lexer.NA, label: "an element type" });
/** Operators of a sum and tighter ones: all that an axis after `in` or `set of` may hold. */
export const TightOperator = createToken({ name: "TightOperator", pattern: Lexer.NA, label: "an operator" });
/** Operators of comparison, logic and ranges. */
export const LooseOperator = createToken({ name: "LooseOperator", pattern: Lexer.NA, label: "an operator" });
export const Prefix = createToken({ name: "Prefix", pattern: Lexer.NA, label: "an operator" });
/** What cannot begin an item of a body: read there only to be reported. */
export const Stray = createToken({ name: "Stray", pattern: Lexer.NA });
/** What cannot begin a declaration of a file. */
export const FileStray = createToken({ name: "FileStray", pattern: Lexer.NA });

export const Name = createToken({
  name: "Name",
  pattern: /[A-Za-z_][A-Za-z0-9_]*/,
  label: "a name",
  categories: [Word, FileStray],
});

const declarationWords = ["fn", "model", "law", "schedule", "import"] as const;
const itemWords = [
  "config",
  "runtime",
  "entry",
  "phase",
  "loop",
  "ignore",
  "storage",
  "numerics",
  "param",
  "weight",
  "state",
  "part",
  "optional",
  "require",
  "override",
  "if",
] as const;
const connectiveWords = [
  "from",
  "extends",
  "else",
  "for",
  "where",
  "at",
  "copy",
  "keep",
  "as",
  "of",
  "set",
  "true",
  "false",
  "null",
] as const;
/** Element types. */
export const scalarWords = [
  "real",
  "f32",
  "f64",
  "bf16",
  "f16",
  "e4m3",
  "e5m2",
  "e2m1",
  "e8m0",
  "i32",
  "i64",
  "i8",
  "u8",
  "bool",
  "int",
  "dim",
  "text",
] as const;
const looseWords = ["or", "and", "in"] as const;
const tightWords = ["xor", "div", "mod"] as const;

type KeywordText =
  | (typeof declarationWords)[number]
  | (typeof itemWords)[number]
  | (typeof connectiveWords)[number]
  | (typeof scalarWords)[number]
  | (typeof looseWords)[number]
  | (typeof tightWords)[number]
  | "block"
  | "not";

/** `longer_alt`: a keyword that is only the beginning of a longer word is part of a name. */
const keyword = (text: KeywordText, ...categories: readonly TokenType[]): readonly [KeywordText, TokenType] => [
  text,
  createToken({
    name: `Keyword_${text}`,
    pattern: new RegExp(text),
    longer_alt: Name,
    label: `\`${text}\``,
    categories: [Word, ...categories],
  }),
];

const keywordEntries: readonly (readonly [KeywordText, TokenType])[] = [
  ...declarationWords.map((word) => keyword(word)),
  keyword("block"),
  ...itemWords.map((word) => keyword(word, FileStray)),
  ...connectiveWords.map((word) => keyword(word, Stray, FileStray)),
  ...scalarWords.map((word) => keyword(word, ScalarWord, Stray, FileStray)),
  ...looseWords.map((word) => keyword(word, LooseOperator, Stray, FileStray)),
  ...tightWords.map((word) => keyword(word, TightOperator, Stray, FileStray)),
  keyword("not", Prefix, Stray, FileStray),
];

/** The token type of each keyword, by its text. */
export const word = Object.fromEntries(keywordEntries) as Readonly<Record<KeywordText, TokenType>>;

/** Reserved words, in the order of the sections of the manual. */
export const keywords: readonly string[] = keywordEntries.map(([text]) => text);
/** Words with a meaning in one place that are free as names everywhere. */
export const contextualWords: readonly string[] = ["draft", "memory"];

export const keywordTypes: ReadonlySet<TokenType> = new Set(keywordEntries.map(([, type]) => type));
export const declarationTypes: ReadonlySet<TokenType> = new Set(declarationWords.map((text) => word[text]));
/** Words that begin an item wherever they stand; `block` and `if` also have other places. */
export const itemTypes: ReadonlySet<TokenType> = new Set(itemWords.map((text) => word[text]));

const symbol = (name: string, text: string, ...categories: readonly TokenType[]): TokenType =>
  createToken({ name, pattern: text, label: `\`${text}\``, categories: [Stray, FileStray, ...categories] });

export const Define = symbol("Define", ":=");
export const Colon = symbol("Colon", ":");
export const Yields = symbol("Yields", "->");
/** Wins over `<` and `-`; as an operator of an expression it is always reported (DS0007). */
export const Write = symbol("Write", "<-", LooseOperator);
export const Equals = symbol("Equals", "=", LooseOperator);
export const Minus = symbol("Minus", "-", TightOperator, Prefix);
export const Power = symbol("Power", "^", TightOperator);
export const Spread = symbol("Spread", "..", LooseOperator);
export const Dot = symbol("Dot", ".");
export const Coalesce = symbol("Coalesce", "??", LooseOperator);
export const Question = symbol("Question", "?");
export const Comma = symbol("Comma", ",");
export const Bar = symbol("Bar", "|");
export const Root = symbol("Root", "$");
export const LeftParen = symbol("LeftParen", "(");
export const RightParen = symbol("RightParen", ")");
export const LeftSquare = symbol("LeftSquare", "[");
export const RightSquare = symbol("RightSquare", "]");
export const LeftBrace = symbol("LeftBrace", "{");
/** No stray of a body: it ends the body. */
export const RightBrace = createToken({ name: "RightBrace", pattern: "}", label: "`}`", categories: [FileStray] });

/** Matched before `Name`, which it is part of where more letters follow. */
export const Hole = createToken({
  name: "Hole",
  pattern: /_/,
  longer_alt: Name,
  label: "`_`",
  categories: [FileStray],
});

/** A digit must follow the dot: `1..9` is `1`, `..`, `9`. */
export const NumberToken = createToken({
  name: "Number",
  pattern: /[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/,
  label: "a number",
  categories: [Stray, FileStray],
});

export const StringToken = createToken({
  name: "String",
  pattern: /"(?:[^"\\\n\r]|\\[^\n\r])*"/,
  label: "a string",
  categories: [Stray, FileStray],
});
/** Ends with its line, so that one forgotten quote spoils one line. It is a string to the grammar. */
export const OpenString = createToken({
  name: "OpenString",
  pattern: /"[^\n\r]*/,
  label: "a string",
  categories: [StringToken, Stray, FileStray],
});

/** A carriage return alone does not end a comment: lines end at line feeds. */
const Comment = createToken({ name: "Comment", pattern: /\/\/(?:[^\n\r]|\r(?!\n))*/, group: "comments" });
const WhiteSpace = createToken({
  name: "WhiteSpace",
  pattern: /[ \t\n\r\uFEFF]+/,
  line_breaks: true,
  group: Lexer.SKIPPED,
});

/** In match order: the first that matches wins, save that `longer_alt` prefers a longer name. */
export const allTokens: readonly TokenType[] = [
  WhiteSpace,
  Comment, // before `/`
  ...keywordEntries.map(([, type]) => type), // before names
  Hole, // before names
  Name,
  NumberToken,
  StringToken,
  OpenString, // after whole strings
  Define, // before `:`
  Colon,
  Yields, // before `-`
  symbol("NotEqual", "!=", LooseOperator),
  symbol("Equal", "==", LooseOperator), // before `=`
  Equals,
  Write, // before `<`
  symbol("AtMost", "<=", LooseOperator), // before `<`
  symbol("Less", "<", LooseOperator),
  symbol("AtLeast", ">=", LooseOperator), // before `>`
  symbol("Greater", ">", LooseOperator),
  symbol("Similar", "~", LooseOperator),
  Spread, // before `.`
  Dot,
  Coalesce, // before `?`
  Question,
  symbol("Plus", "+", TightOperator),
  Minus,
  symbol("Times", "*", TightOperator),
  symbol("Over", "/", TightOperator),
  Power,
  Comma,
  Bar,
  Root,
  LeftParen,
  RightParen,
  LeftSquare,
  RightSquare,
  LeftBrace,
  RightBrace,
];

export const grammarTokens: readonly TokenType[] = [
  ...allTokens,
  Word,
  ScalarWord,
  TightOperator,
  LooseOperator,
  Prefix,
  Stray,
  FileStray,
];
