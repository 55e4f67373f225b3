/**
 * Which ids end a text. `eos_token_id` is a number or a list of numbers; the first source that names any decides, in
 * this order: `generation_config.json`, `config.json`, then the ids that the caller falls back on (usually the EOS
 * token of the tokenizer). A caller who knows better passes its own ids to `newStopper` instead.
 */
import { asCount, asList, asObject, field, readJson } from "./read-json.ts";
import { TextError } from "./text-error.ts";
import { tokenizerLimits as limits } from "./tokenizer-limits.ts";

export interface EndOfTextSources {
  /** The text of `generation_config.json`. */
  readonly generationConfig?: string;
  /** The text of `config.json`. */
  readonly config?: string;
  readonly fallback?: readonly number[];
}

/** Empty when no source names any. Throws {@link TextError}. */
export function endOfTextIds(sources: EndOfTextSources): readonly number[] {
  const files = [
    ["generation_config.json", sources.generationConfig],
    ["config.json", sources.config],
  ] as const;
  for (const [name, text] of files) {
    const ids = text === undefined ? undefined : namedIds(text, name);
    if (ids !== undefined) return ids;
  }
  return sources.fallback ?? [];
}

function namedIds(text: string, file: string): readonly number[] | undefined {
  const bounds = { maxLength: limits.configLength, maxDepth: limits.depth };
  const value = field(asObject(readJson(text, file, bounds), `$ of ${file}`), "eos_token_id") ?? null;
  const path = `$.eos_token_id of ${file}`;
  if (value === null) return undefined;
  if (!Array.isArray(value)) return [asCount(value, limits.ids - 1, path)];
  const list = asList(value, path);
  if (list.length > 1024) throw new TextError("too-large", "more than 1024 ids", { path });
  return list.length === 0 ? undefined : list.map((id, i) => asCount(id, limits.ids - 1, `${path}[${i}]`));
}
