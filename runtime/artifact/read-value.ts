/** Pieces of a JSON file that nobody vouches for: each reader takes a value with its path and gives it typed, or throws. */
import { CorruptPackageError } from "./errors.ts";

export const programFile = "program.json";

/** A value and where it stands: `$.phases[0].steps`; of another file than the program `kernels/checks.json$[0]`. */
export interface At {
  readonly value: unknown;
  readonly path: string;
}

export function corrupt(path: string, message: string): CorruptPackageError {
  const root = Math.max(0, path.indexOf("$"));
  return new CorruptPackageError(root === 0 ? programFile : path.slice(0, root), `${path.slice(root)}: ${message}`);
}

/** JSON in UTF-8. */
export function parsedJson(bytes: Uint8Array, path: string, most: number): At {
  if (bytes.length > most) throw corrupt(path, `${bytes.length} bytes are too many`);
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), path };
  } catch (error) {
    throw corrupt(path, `no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const found = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : typeof value;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Own members only: a file may name one `constructor`. Undefined where it is missing. */
export function member({ value, path }: At, key: string): At {
  if (!isObject(value)) throw corrupt(path, `expected an object, found ${found(value)}`);
  return { value: Object.hasOwn(value, key) ? value[key] : undefined, path: `${path}.${key}` };
}

export function memberNames({ value, path }: At, most: number): readonly string[] {
  if (!isObject(value)) throw corrupt(path, `expected an object, found ${found(value)}`);
  const names = Object.keys(value);
  if (names.length > most) throw corrupt(path, `${names.length} members, at most ${most} are read`);
  return names;
}

export function list<T>({ value, path }: At, most: number, item: (at: At, index: number) => T): readonly T[] {
  if (!Array.isArray(value)) throw corrupt(path, `expected a list, found ${found(value)}`);
  if (value.length > most) throw corrupt(path, `${value.length} items, at most ${most} are read`);
  return value.map((one: unknown, index) => item({ value: one, path: `${path}[${index}]` }, index));
}

export function text({ value, path }: At, longest = 4096): string {
  if (typeof value !== "string") throw corrupt(path, `expected a text, found ${found(value)}`);
  if (value.length > longest) throw corrupt(path, `a text of ${value.length} characters`);
  return value;
}

export function word<T extends string>(at: At, words: readonly T[]): T {
  const given = text(at);
  const match = words.find((w) => w === given);
  if (match === undefined) throw corrupt(at.path, `expected ${words.join(", ")}, found ${JSON.stringify(given)}`);
  return match;
}

/** An integer in `least` … `most`. */
export function count({ value, path }: At, most: number, least = 0): number {
  if (typeof value !== "number") throw corrupt(path, `expected a number, found ${found(value)}`);
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw corrupt(path, `expected an integer in ${least} … ${most}, found ${value}`);
  return value;
}

export function orNull<T>(at: At, read: (at: At) => T): T | null {
  return at.value === undefined || at.value === null ? null : read(at);
}
