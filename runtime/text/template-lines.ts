/** In which line of a template an error stands; the library's errors and tokens name no place. */
import { jinja, type TemplateToken } from "./jinja-library.ts";
import { messageOf } from "./text-error.ts";

export const tokenizeOptions = { lstrip_blocks: true, trim_blocks: true } as const;

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length;

/**
 * The lexer reads from left to right, so any beginning of the text that holds the wrong character fails with the same
 * message, and a shorter one does not: halve until the character is found. An early end fails at the end.
 */
export function lineOfLexerError(text: string, message: string): number {
  if (/end of/i.test(message)) return lineAt(text, text.trimEnd().length);
  let good = 0;
  let bad = text.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (lexerMessage(text.slice(0, middle)) === message) bad = middle;
    else good = middle;
  }
  return lineAt(text, bad - 1);
}

function lexerMessage(text: string): string | undefined {
  try {
    jinja.tokenize(text, tokenizeOptions);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Finds the tokens one after the other in the text; the last one found is the place. */
export function lineOfParserError(text: string, tokens: readonly TemplateToken[], reached: number): number {
  let cursor = 0;
  let start = 0;
  for (const token of tokens.slice(0, reached + 1)) {
    if (token.type === "StringLiteral") {
      start = firstQuote(text, cursor);
      cursor = afterString(text, start);
      continue;
    }
    const found = text.indexOf(token.value, cursor);
    // A text from which something was cut is not found; the tags around it are.
    if (found < 0) continue;
    start = found;
    cursor = found + token.value.length;
  }
  return lineAt(text, start);
}

function firstQuote(text: string, from: number): number {
  for (let i = from; i < text.length; i += 1) if (text.charAt(i) === '"' || text.charAt(i) === "'") return i;
  return text.length;
}

function afterString(text: string, open: number): number {
  for (let i = open + 1; i < text.length; i += 1) {
    if (text.charAt(i) === "\\") i += 1;
    else if (text.charAt(i) === text.charAt(open)) return i + 1;
  }
  return text.length;
}
