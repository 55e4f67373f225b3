/**
 * A conversation to the text of a prompt, by the Jinja template that comes with a model.
 *
 * Parsing and the language are `@huggingface/jinja`'s, with blocks trimmed as `transformers` does. Templates are not
 * trusted: length, output, work and nesting are bounded (`template-limits.ts`, `metered-interpreter.ts`), the same on
 * every machine, so an endless recursion or a loop of loops ends with a {@link TextError}. A template reaches nothing but
 * its request: no clock, no files, no host functions. Not bounded to the last byte: one operation may use several
 * times the memory of its output limit before it is refused.
 *
 * Rendered text holds BOS where the template puts it: encode it with `"nothing"` around it.
 */
import { jinja, type Scope, type TemplateNode, type TemplateToken } from "./jinja-library.ts";
import { MeteredInterpreter } from "./metered-interpreter.ts";
import { templateLimits as limits } from "./template-limits.ts";
import { lineOfLexerError, lineOfParserError, tokenizeOptions } from "./template-lines.ts";
import { messageOf, TextError } from "./text-error.ts";

/** Plain data, as `JSON.parse` gives it. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** `role`, `content`, `tool_calls` and whatever else the template reads. */
export type ChatMessage = { readonly [key: string]: JsonValue | undefined };

export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly JsonValue[];
  /** Ends the prompt where the assistant's turn begins. */
  readonly addGenerationPrompt?: boolean;
  /** The texts of the tokens, such as `<｜begin▁of▁sentence｜>`. */
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** Further names that the template reads, such as `thinking`. */
  readonly variables?: { readonly [name: string]: JsonValue };
  /** Answers `strftime_now(format)`; without it the template does not see that function. */
  readonly strftimeNow?: (format: string) => string;
}

export interface ChatTemplate {
  /** Throws {@link TextError} `raised`, `render`, `too-large`, `too-deep`, `unsupported` or `shape`. */
  readonly render: (request: ChatRequest) => string;
}

/** Throws {@link TextError} `syntax`, with the line, or `too-large`. */
export function parseChatTemplate(text: string): ChatTemplate {
  checkText(text);
  const program = parseTokens(text, lex(text));
  return {
    render: (request) => {
      const scope = scopeOf(request);
      try {
        const result = new MeteredInterpreter(scope, text.length).run(program);
        return String(result.value);
      } catch (error) {
        throw renderError(error);
      }
    },
  };
}

function checkText(text: string): void {
  if (text.length > limits.length) {
    throw new TextError("too-large", `a template of ${text.length} characters, at most ${limits.length} are read`);
  }
  // Written without backtracking: `\s{1001}` is tried anew at each position otherwise.
  let blanks = 0;
  for (let i = 0; i < text.length; i += 1) {
    blanks = /\s/.test(text.charAt(i)) ? blanks + 1 : 0;
    if (blanks > limits.blankRun) {
      throw new TextError("too-large", `more than ${limits.blankRun} blanks in a row in a template`);
    }
  }
}

function lex(text: string): readonly TemplateToken[] {
  try {
    return jinja.tokenize(text, tokenizeOptions);
  } catch (error) {
    throw new TextError("syntax", messageOf(error), { line: lineOfLexerError(text, messageOf(error)) });
  }
}

function parseTokens(text: string, tokens: readonly TemplateToken[]): TemplateNode {
  let reached = 0;
  // The parser's errors name no place, but it reads its tokens by index: the farthest one is where it stopped.
  const watched = new Proxy(tokens, {
    get: (target, key) => {
      const index = typeof key === "string" ? Number(key) : Number.NaN;
      if (index > reached) reached = index;
      return Reflect.get(target, key) as unknown;
    },
  });
  try {
    return jinja.parse(watched);
  } catch (error) {
    const why = error instanceof RangeError ? "nested too deep" : messageOf(error);
    const message = reached >= tokens.length ? "the template ends inside a block" : why;
    throw new TextError("syntax", message, { line: lineOfParserError(text, tokens, reached) });
  }
}

/** Thrown by `raise_exception`, so that a template's own refusal is told from a failure. */
class Raised extends Error {}

function scopeOf(request: ChatRequest): Scope {
  const { variables = {}, strftimeNow } = request;
  const scope = new jinja.Environment();
  const given: { readonly [name: string]: unknown } = {
    ...variables,
    messages: request.messages,
    // As `transformers` does, a request without tools has `tools`, and it is none.
    tools: request.tools ?? null,
    add_generation_prompt: request.addGenerationPrompt ?? false,
    ...(request.bosToken === undefined ? {} : { bos_token: request.bosToken }),
    ...(request.eosToken === undefined ? {} : { eos_token: request.eosToken }),
  };
  for (const [name, value] of Object.entries(given)) checkPlain(value, `$.${name}`, 0);
  try {
    for (const [name, value] of Object.entries(given)) scope.set(name, value);
    for (const [name, value] of Object.entries(builtIn)) scope.set(name, value);
    if (strftimeNow !== undefined) scope.set("strftime_now", (format: unknown) => strftimeNow(String(format)));
  } catch (error) {
    throw new TextError("shape", `the request cannot be rendered: ${messageOf(error)}`);
  }
  return scope;
}

const builtIn: { readonly [name: string]: unknown } = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  range: boundedRange,
  raise_exception: (message: unknown) => {
    throw new Raised(String(message));
  },
};

function boundedRange(...args: readonly unknown[]): readonly number[] {
  const numbers = args.map((arg) => {
    if (typeof arg !== "number" || !Number.isSafeInteger(arg)) throw new TextError("render", "`range` takes integers");
    return arg;
  });
  const [first = 0, second, step = 1] = numbers;
  const start = second === undefined ? 0 : first;
  const stop = second ?? first;
  if (numbers.length === 0 || step === 0) throw new TextError("render", "`range` takes a stop and a step other than 0");
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > limits.range) throw new TextError("too-large", `a range of more than ${limits.range} numbers`);
  return Array.from({ length }, (_, i) => start + i * step);
}

/** The library would take functions as well, and call them. */
function checkPlain(value: unknown, path: string, depth: number): void {
  if (depth > limits.depth) throw new TextError("too-deep", `nested deeper than ${limits.depth} levels`, { path });
  switch (typeof value) {
    case "string":
    case "boolean":
    case "number":
    case "undefined":
      return;
    case "object":
      if (value === null) return;
      for (const [key, inner] of Object.entries(value)) checkPlain(inner, `${path}.${key}`, depth + 1);
      return;
    default:
      throw new TextError("shape", "expected plain data", { path });
  }
}

function renderError(error: unknown): TextError {
  if (error instanceof TextError) return error;
  if (error instanceof Raised) return new TextError("raised", messageOf(error));
  // The stack is what runs out in a RangeError, or the length of a string.
  if (error instanceof RangeError)
    return new TextError("too-large", `the template does not end well: ${messageOf(error)}`);
  return new TextError("render", messageOf(error));
}
