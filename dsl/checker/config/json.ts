/** A config.json as static values, and what stands at a path in it. */
import type { Source } from "../../diagnostics/source.ts";
import type { Static } from "../context.ts";
import { parseExactJson } from "../exact-json.ts";
import { type Recorder, report } from "../recorder.ts";
import type { Known } from "../static.ts";

/** A config.json where one is given, with its values; `root` is undefined where it is no JSON object. */
export interface ConfigFile {
  readonly source: Source | null;
  readonly root: Known;
}

/** Deeper nesting than this is no config. */
const mostLevels = 64;

export function parseConfig(source: Source, recorder: Recorder): Known {
  const bad = (label: string, at: number): undefined => {
    report(recorder, "DS0128", {
      title: "config is not a JSON object",
      at: { source, start: at, end: Math.min(at + 1, source.text.length) },
      label,
    });
    return undefined;
  };
  let depth = 0;
  let inString = false;
  for (let i = 0; i < source.text.length; i += 1) {
    const c = source.text[i];
    if (inString) {
      if (c === "\\") i += 1;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === "{" || c === "[") {
      depth += 1;
      if (depth > mostLevels) return bad(`nested deeper than ${mostLevels} levels`, i);
    } else if (c === "}" || c === "]") depth -= 1;
  }
  try {
    const value = parseExactJson(source.text);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return bad("an object `{ … }` should stand here", 0);
    return fromJson(value);
  } catch (error) {
    const place = /position (\d+)/.exec(error instanceof Error ? error.message : "");
    return bad("this is not JSON", place?.[1] === undefined ? 0 : Number(place[1]));
  }
}

/** JSON as static values; whole numbers are integers, but those with an exponent that no double holds exactly. */
function fromJson(value: unknown): Known {
  if (value === null || typeof value === "boolean" || typeof value === "string" || typeof value === "bigint")
    return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return { kind: "list", items: value.map((v) => fromJson(v) as Static) };
  return { kind: "object", members: value as Readonly<Record<string, unknown>> };
}

export const membersOf = (value: Known): Readonly<Record<string, unknown>> | undefined =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "object" ? value.members : undefined;

export function atPath(root: Known, path: readonly string[]): Known {
  let value: Known = root;
  for (const name of path) {
    const members = membersOf(value);
    if (members === undefined || !Object.hasOwn(members, name)) return null;
    value = fromJson(members[name]);
  }
  return value;
}

export const hasPath = (root: Known, path: readonly string[]): boolean => {
  const members = membersOf(atPath(root, path.slice(0, -1)));
  return members !== undefined && Object.hasOwn(members, path.at(-1) ?? "");
};
