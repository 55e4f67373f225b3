/** Text to tree: the one way in. */
import { createTokenInstance, EOF, type IToken } from "chevrotain";
import type { File } from "../ast/nodes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { sortDiagnostics } from "../diagnostics/sort.ts";
import type { Source } from "../diagnostics/source.ts";
import { readTokens } from "../lexer/read-tokens.ts";
import { matchBrackets } from "./brackets.ts";
import { buildFile } from "./build-ast.ts";
import { BuildContext } from "./cst.ts";
import { readGrammar } from "./grammar.ts";
import { findTooDeep, maxDepth } from "./nesting.ts";
import { explainError, isExplained } from "./unexpected.ts";

export interface ParseResult {
  readonly file: File;
  readonly diagnostics: readonly Diagnostic[];
}

/** Stands before the first token and after the last. */
const end: IToken = createTokenInstance(
  EOF,
  "",
  Number.NaN,
  Number.NaN,
  Number.NaN,
  Number.NaN,
  Number.NaN,
  Number.NaN,
);

/**
 * Reads any text whatever: never throws, always gives a tree, and takes time in proportion to the text. All syntax errors
 * are reported, each cause once, in text order.
 */
export function parse(source: Source): ParseResult {
  const lexed = readTokens(source);
  const context = new BuildContext(source, lexed.comments);
  for (const diagnostic of lexed.diagnostics) context.diagnostics.push(diagnostic);

  const tooDeep = findTooDeep(lexed.tokens, end);
  if (tooDeep !== null) {
    const label = `more than ${maxDepth} levels of brackets and operators`;
    context.error("DS0008", "nested too deeply", context.tokenSpan(tooDeep.token), label);
  }
  // what stands before the declaration that is too deep is read all the same
  const tokens = tooDeep === null ? lexed.tokens : lexed.tokens.slice(0, tooDeep.declaration);

  const { tree, errors } = readGrammar(tokens);
  reportErrors(context, tokens, errors, lexed.diagnostics);
  const file = buildFile(context, tree);
  return { file, diagnostics: sortDiagnostics(context.diagnostics) };
}

function reportErrors(
  context: BuildContext,
  tokens: readonly IToken[],
  errors: ReturnType<typeof readGrammar>["errors"],
  lexical: readonly Diagnostic[],
): void {
  if (errors.length === 0) return;
  const indexOf = new Map(tokens.map((token, i) => [token, i]));
  const around = { build: context, tokens, end, brackets: matchBrackets(tokens, end) };
  const seen = new Set<number>();
  for (const error of errors) {
    const offset = error.token.tokenType === EOF ? context.source.text.length : error.token.startOffset;
    if (seen.has(offset)) continue;
    seen.add(offset);
    const index = indexOf.get(error.token) ?? tokens.length;
    if (!isExplained(tokens[index - 1], error.token, lexical)) {
      context.diagnostics.push(explainError(around, index, error));
    }
  }
}
