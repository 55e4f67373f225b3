/** Where things stand in a JSON text, for labels. The text has been accepted by JSON.parse. */
import type { Source, Span } from "../diagnostics/source.ts";

/** Span of the value at a path of member names; null where there is none. */
export function jsonSpan(source: Source, path: readonly string[]): Span | null {
  const { text } = source;
  let at = skipSpace(text, 0);
  for (const name of path) {
    const value = membersAt(source, at).get(name);
    if (value === undefined) return null;
    at = value;
  }
  return { source, start: at, end: Math.min(skipValue(text, at), text.length) };
}

/** Where the values of an object begin, by name; of equal names the first. Found once for each object asked about. */
const known = new WeakMap<Source, Map<number, ReadonlyMap<string, number>>>();

function membersAt(source: Source, start: number): ReadonlyMap<string, number> {
  const objects = known.get(source) ?? new Map<number, ReadonlyMap<string, number>>();
  known.set(source, objects);
  const found = objects.get(start) ?? readMembers(source.text, start);
  objects.set(start, found);
  return found;
}

function readMembers(text: string, start: number): ReadonlyMap<string, number> {
  const members = new Map<string, number>();
  if (text[start] !== "{") return members;
  let at = skipSpace(text, start + 1);
  while (text[at] === '"') {
    const end = skipString(text, at);
    const name = decode(text.slice(at, end));
    at = skipSpace(text, skipSpace(text, end) + 1); // the colon
    if (!members.has(name)) members.set(name, at);
    at = skipSpace(text, skipValue(text, at));
    if (text[at] !== ",") break;
    at = skipSpace(text, at + 1);
  }
  return members;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at] ?? "")) at += 1;
  return at;
}

function skipString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Behind one value, without recursion. */
function skipValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    at = skipSpace(text, at);
    const c = text[at];
    if (c === '"') at = skipString(text, at);
    else if (c === "{" || c === "[") {
      depth += 1;
      at += 1;
    } else if (c === "}" || c === "]") {
      depth -= 1;
      at += 1;
    } else if (c === "," || c === ":") at += 1;
    else while (at < text.length && !/[\s,\]}:]/.test(text[at] ?? "")) at += 1;
  } while (depth > 0 && at < text.length);
  return at;
}

function decode(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}
