/** JSON from a file that nobody vouches for: bounded in length and nesting before it is parsed. */
import { messageOf, TextError } from "./text-error.ts";

export interface JsonLimits {
  /** UTF-16 units. */
  readonly maxLength: number;
  readonly maxDepth: number;
}

/** An object as `JSON.parse` makes it. */
export type JsonObject = { readonly [key: string]: unknown };

/** Throws {@link TextError} `too-large`, `too-deep` or `not-json`; `file` names the text in messages. */
export function readJson(text: string, file: string, limits: JsonLimits): unknown {
  if (text.length > limits.maxLength) {
    throw new TextError("too-large", `${file} has ${text.length} characters, at most ${limits.maxLength} are read`);
  }
  checkDepth(text, file, limits.maxDepth);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TextError("not-json", `${file} is not JSON: ${messageOf(error)}`);
  }
}

/** `JSON.parse` recurses, so nesting is counted before it runs; brackets inside strings do not count. */
function checkDepth(text: string, file: string, maxDepth: number): void {
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        i = endOfString(text, i);
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        if (depth > maxDepth) throw new TextError("too-deep", `${file} is nested deeper than ${maxDepth} levels`);
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        break;
    }
  }
}

/** The position of the quote that closes the string opened at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit === 0x5c) i += 1;
    else if (unit === 0x22) return i;
  }
  return text.length;
}

const nameOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : typeof value;

function wrong(value: unknown, wanted: string, path: string): TextError {
  return new TextError("shape", `expected ${wanted}, found ${nameOf(value)}`, { path });
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function asObject(value: unknown, path: string): JsonObject {
  if (!isObject(value)) throw wrong(value, "an object", path);
  return value;
}

export function asList(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(value, "a list", path);
  return value;
}

export function asString(value: unknown, path: string): string {
  if (typeof value !== "string") throw wrong(value, "a string", path);
  return value;
}

/** `fallback` stands for an absent or null field. */
export function asFlag(value: unknown, fallback: boolean, path: string): boolean {
  if (value === undefined || value === null) return fallback;
  if (typeof value !== "boolean") throw wrong(value, "true or false", path);
  return value;
}

/** An integer in 0..`max`. */
export function asCount(value: unknown, max: number, path: string): number {
  if (typeof value !== "number") throw wrong(value, "a number", path);
  if (!Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) {
    throw new TextError("shape", `expected an integer from 0, found ${value}`, { path });
  }
  if (value > max) throw new TextError("too-large", `${value} is beyond ${max}`, { path });
  return value;
}

/** Own fields only: a file may name a field `constructor`. */
export function field(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
