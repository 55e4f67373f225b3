/** Where things stand in a JSON text, for labels. The text has been accepted by JSON.parse. */
import type { Source, Span } from "../diagnostics/source.ts";

/** Span of the value at a path of member names; null where there is none. */
export function jsonSpan(source: Source, path: readonly string[]): Span | null {
  const { text } = source;
  let at = 0;
  const skipSpace = (): void => {
    while (at < text.length && /\s/.test(text[at] ?? "")) at += 1;
  };
  const skipString = (): string => {
    const start = at;
    at += 1;
    while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    at += 1;
    return text.slice(start, at);
  };
  /** Skips one value without recursion. */
  const skipValue = (): void => {
    let depth = 0;
    do {
      skipSpace();
      const c = text[at];
      if (c === '"') skipString();
      else if (c === "{" || c === "[") {
        depth += 1;
        at += 1;
      } else if (c === "}" || c === "]") {
        depth -= 1;
        at += 1;
      } else if (c === "," || c === ":") at += 1;
      else while (at < text.length && !/[\s,\]}:]/.test(text[at] ?? "")) at += 1;
    } while (depth > 0 && at < text.length);
  };
  for (const name of path) {
    skipSpace();
    if (text[at] !== "{") return null;
    at += 1;
    let found = false;
    while (at < text.length && !found) {
      skipSpace();
      if (text[at] !== '"') return null;
      const key = skipString();
      skipSpace();
      at += 1; // the colon
      skipSpace();
      if (decode(key) === name) {
        found = true;
        break;
      }
      skipValue();
      skipSpace();
      if (text[at] !== ",") return null;
      at += 1;
    }
    if (!found) return null;
  }
  skipSpace();
  const start = at;
  skipValue();
  return { source, start, end: Math.min(at, text.length) };
}

function decode(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}
