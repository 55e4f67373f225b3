/**
 * What is wrong with a text file that came with a model, or with a request made of it.
 *
 * - `too-large`    a text, list or number is beyond a stated limit
 * - `too-deep`     nested beyond a stated limit
 * - `not-json`     the text is not JSON
 * - `shape`        the JSON, or an argument, is not of the expected shape
 * - `unsupported`  well-formed, but names something this runtime does not do
 * - `library`      the tokenizer or template library refused it
 * - `bad-id`       a token id that no vocabulary can have
 * - `syntax`       a chat template that does not parse
 * - `raised`       a chat template called `raise_exception`; the message is the template's own
 * - `render`       a chat template failed while running
 */
export type TextErrorCode =
  | "too-large"
  | "too-deep"
  | "not-json"
  | "shape"
  | "unsupported"
  | "library"
  | "bad-id"
  | "syntax"
  | "raised"
  | "render";

export interface TextErrorPlace {
  /** Where in a JSON file, such as `$.model.merges[12]`. */
  readonly path?: string;
  /** Line of a template, from 1. */
  readonly line?: number;
}

/** The only exception that `runtime/text/` throws on hostile input. */
export class TextError extends Error {
  readonly code: TextErrorCode;
  readonly path: string | undefined;
  readonly line: number | undefined;

  constructor(code: TextErrorCode, message: string, place: TextErrorPlace = {}) {
    const where = place.path ?? (place.line === undefined ? undefined : `line ${place.line}`);
    super(where === undefined ? message : `${where}: ${message}`);
    this.name = "TextError";
    this.code = code;
    this.path = place.path;
    this.line = place.line;
  }
}

/** The message of anything that was thrown, shortened: a library may quote a whole file. */
export function messageOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.length > 300 ? `${message.slice(0, 300)}…` : message;
}
