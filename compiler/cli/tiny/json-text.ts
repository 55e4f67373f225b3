/** A config as text of which single values are replaced: what is not touched keeps its spelling, long integers too. */
import { jsonSpan } from "../../../dsl/checker/json-source.ts";
import { makeSource } from "../../../dsl/diagnostics/source.ts";

export type JsonPath = readonly string[];

export const pathKey = (path: JsonPath): string => path.join(".");

/** The text of the value at a path; null where there is none. */
export function valueText(text: string, path: JsonPath): string | null {
  const span = jsonSpan(makeSource("config.json", text), path);
  return span === null ? null : text.slice(span.start, span.end);
}

/** With another value at a path. A member that is missing is added to its object; null where that is missing too. */
export function withValue(text: string, path: JsonPath, value: string): string | null {
  const source = makeSource("config.json", text);
  const span = jsonSpan(source, path);
  if (span !== null) return text.slice(0, span.start) + value + text.slice(span.end);
  const around = jsonSpan(source, path.slice(0, -1));
  if (around === null || text[around.start] !== "{") return null;
  const inside = text.slice(around.start + 1, around.end - 1);
  // Before the first member, and spaced as that is.
  const [space = ""] = /^\s*/.exec(inside) ?? [];
  const member = `${JSON.stringify(path.at(-1))}: ${value}`;
  const added = space === inside ? member : `${space}${member},${space === "" ? " " : ""}`;
  return text.slice(0, around.start + 1) + added + text.slice(around.start + 1);
}

/** The texts of a list's items; null where the value is no list. The text has been accepted by JSON.parse. */
export function listItems(text: string): readonly string[] | null {
  if (!text.startsWith("[")) return null;
  const items: string[] = [];
  let depth = 0;
  let start = 1;
  let inString = false;
  for (let i = 1; i < text.length - 1; i += 1) {
    const c = text[i];
    if (inString) {
      if (c === "\\") i += 1;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === "[" || c === "{") depth += 1;
    else if (c === "]" || c === "}") depth -= 1;
    else if (c === "," && depth === 0) {
      items.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = text.slice(start, -1).trim();
  return last === "" ? items : [...items, last];
}

/** Paths of all values that are no objects. */
export function leafPaths(value: unknown, path: JsonPath = []): readonly JsonPath[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, member]) => leafPaths(member, [...path, name]));
}
