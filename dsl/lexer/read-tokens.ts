/** Text -> tokens and comments, with reports of what is no token. Never fails: what cannot be read is left out. */
import { type IToken, Lexer } from "chevrotain";
import type { Comment } from "../ast/nodes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Source, Span } from "../diagnostics/source.ts";
import { allTokens, OpenString } from "./tokens.ts";

const lexer = new Lexer([...allTokens], { positionTracking: "full", ensureOptimizations: true });

export interface TokenizedText {
  readonly tokens: readonly IToken[];
  readonly comments: readonly Comment[];
  readonly diagnostics: readonly Diagnostic[];
}

export function readTokens(source: Source): TokenizedText {
  const { tokens, groups, errors } = lexer.tokenize(source.text);
  const comments = (groups["comments"] ?? []).map((token) => comment(source, token));
  const diagnostics = errors.map((error) => unknownText(source, error.offset, error.offset + error.length));
  for (const token of tokens) {
    if (token.tokenType === OpenString) diagnostics.push(openString(source, token));
  }
  return { tokens, comments, diagnostics };
}

function comment(source: Source, token: IToken): Comment {
  const start = token.startOffset;
  const lineStart = source.text.lastIndexOf("\n", start - 1) + 1;
  const trailing = start > 0 && /[^ \t\r\uFEFF]/.test(source.text.slice(lineStart, start));
  return { text: token.image, span: { source, start, end: start + token.image.length }, trailing };
}

function report(code: "DS0003" | "DS0009", title: string, span: Span, label: string, help: string | null): Diagnostic {
  return { code, severity: "error", title, primary: { span, text: label }, secondary: [], help, fix: null };
}

/** What people write who come from other languages. */
const wordsFor: Readonly<Record<string, string>> = {
  "&&": "and",
  "&": "and",
  "!": "not",
  "%": "mod",
  "#": "//",
  ";": "a new line",
  "'": '"',
  "`": '"',
};

function unknownText(source: Source, start: number, end: number): Diagnostic {
  const text = source.text.slice(start, end);
  const few = text.length > 24 ? `${Array.from(text).slice(0, 24).join("")}…` : text;
  const shown = Array.from(few, visible).join("");
  const instead = wordsFor[text];
  const many = Array.from(text).length > 1;
  return report(
    "DS0003",
    many ? `unknown characters \`${shown}\`` : `unknown character \`${shown}\``,
    { source, start, end },
    many ? "these belong to no word or sign of the language" : "this belongs to no word or sign of the language",
    instead === undefined ? null : instead === "a new line" ? "leave it out" : `write \`${instead}\``,
  );
}

/** Controls and lone surrogates by their code. */
function visible(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const hidden = code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code < 0xe000);
  return hidden ? `U+${code.toString(16).toUpperCase().padStart(4, "0")}` : char;
}

function openString(source: Source, token: IToken): Diagnostic {
  const start = token.startOffset;
  const span = { source, start, end: start + token.image.length };
  return report("DS0009", "string is not closed", span, 'no `"` before the end of the line', null);
}
