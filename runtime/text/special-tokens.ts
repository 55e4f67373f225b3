/**
 * Which ids an encoder puts before and after a text, and which token is BOS, EOS, pad or unknown.
 *
 * Two files speak of it. `tokenizer_config.json` has `add_bos_token` and `add_eos_token`, and names the tokens; where it
 * states a flag, that decides, as in the Python class of the Llama family. Otherwise the `TemplateProcessing` step of
 * `tokenizer.json` decides. The published V3 files have only the flags: their post-processor adds nothing.
 */
import { asCount, asFlag, asList, asObject, asString, field, type JsonObject } from "./read-json.ts";
import { TextError } from "./text-error.ts";
import { tokenizerLimits as limits } from "./tokenizer-limits.ts";

export interface SpecialTokens {
  readonly bosId: number | null;
  readonly eosId: number | null;
  readonly padId: number | null;
  readonly unknownId: number | null;
  /** Ids before and after the text when special tokens are added as configured. */
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

interface Frame {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

export function readSpecialTokens(
  postProcessor: unknown,
  config: JsonObject,
  idOf: ReadonlyMap<string, number>,
): SpecialTokens {
  const frame = readFrame(postProcessor, "$.post_processor", 0);
  const known = new Set(idOf.values());
  for (const id of [...frame.prefix, ...frame.suffix]) {
    if (!known.has(id)) throw new TextError("shape", `no token has the id ${id}`, { path: "$.post_processor" });
  }
  const bosId = readNamed(config, "bos_token", idOf) ?? frame.prefix.at(-1) ?? null;
  const eosId = readNamed(config, "eos_token", idOf) ?? frame.suffix[0] ?? null;
  return {
    bosId,
    eosId,
    padId: readNamed(config, "pad_token", idOf, "may-lack-id"),
    unknownId: readNamed(config, "unk_token", idOf, "may-lack-id"),
    prefix: obey(config, "add_bos_token", bosId, frame.prefix),
    suffix: obey(config, "add_eos_token", eosId, frame.suffix),
  };
}

function obey(config: JsonObject, flag: string, id: number | null, template: readonly number[]): readonly number[] {
  const value = field(config, flag);
  if (value === undefined || value === null) return template;
  if (!asFlag(value, false, `$.${flag}`)) return [];
  if (id === null) throw new TextError("shape", "asks for a token that the file does not name", { path: `$.${flag}` });
  return [id];
}

/** `"bos_token": "<s>"`, or an object with `content`. A named BOS or EOS that has no id is an error. */
function readNamed(
  config: JsonObject,
  key: string,
  idOf: ReadonlyMap<string, number>,
  strict: "has-id" | "may-lack-id" = "has-id",
): number | null {
  const value = field(config, key) ?? null;
  if (value === null) return null;
  const content =
    typeof value === "string" ? value : asString(field(asObject(value, `$.${key}`), "content"), `$.${key}.content`);
  const id = idOf.get(content);
  if (id === undefined && strict === "has-id") {
    throw new TextError("shape", "names a token that has no id", { path: `$.${key}` });
  }
  return id ?? null;
}

/** The frame of nested post-processors: the last template that the sequence applies is outermost. */
function readFrame(value: unknown, path: string, depth: number): Frame {
  if (value === undefined || value === null) return { prefix: [], suffix: [] };
  if (depth > 4) throw new TextError("too-deep", "nested post-processors", { path });
  const step = asObject(value, path);
  const type = asString(field(step, "type"), `${path}.type`);
  switch (type) {
    case "ByteLevel": // moves offsets only
      return { prefix: [], suffix: [] };
    case "TemplateProcessing":
      return readTemplate(step, path);
    case "Sequence": {
      const list = asList(field(step, "processors"), `${path}.processors`);
      if (list.length > limits.steps) throw new TextError("too-large", "too many steps", { path });
      return list
        .map((inner, i) => readFrame(inner, `${path}.processors[${i}]`, depth + 1))
        .reduce(
          (inside, outside) => ({
            prefix: [...outside.prefix, ...inside.prefix],
            suffix: [...inside.suffix, ...outside.suffix],
          }),
          { prefix: [], suffix: [] },
        );
    }
    default:
      throw new TextError("unsupported", `the post-processor \`${type.slice(0, 60)}\` is not supported`, {
        path: `${path}.type`,
      });
  }
}

/** The `single` form: special tokens around one `Sequence` named A. */
function readTemplate(step: JsonObject, path: string): Frame {
  const single = asList(field(step, "single"), `${path}.single`);
  if (single.length > limits.steps) throw new TextError("too-large", "a long template", { path: `${path}.single` });
  const tokens = asObject(field(step, "special_tokens"), `${path}.special_tokens`);
  const prefix: number[] = [];
  const suffix: number[] = [];
  let texts = 0;
  for (const [i, value] of single.entries()) {
    const here = `${path}.single[${i}]`;
    const item = asObject(value, here);
    if (field(item, "Sequence") === undefined) {
      (texts === 0 ? prefix : suffix).push(...specialIds(item, tokens, here, path));
      continue;
    }
    const name = field(asObject(field(item, "Sequence"), `${here}.Sequence`), "id");
    if (name !== "A") throw new TextError("shape", "a template for one text names another", { path: here });
    texts += 1;
  }
  if (texts !== 1) throw new TextError("shape", "a template holds the text once", { path: `${path}.single` });
  return { prefix, suffix };
}

function specialIds(item: JsonObject, tokens: JsonObject, here: string, path: string): readonly number[] {
  const token = asObject(field(item, "SpecialToken"), `${here}.SpecialToken`);
  const name = asString(field(token, "id"), `${here}.SpecialToken.id`);
  const where = `${path}.special_tokens[${JSON.stringify(name.slice(0, 60))}]`;
  const ids = asList(field(asObject(field(tokens, name), where), "ids"), `${where}.ids`);
  if (ids.length > limits.steps) throw new TextError("too-large", "many ids", { path: `${where}.ids` });
  return ids.map((id, i) => asCount(id, limits.ids - 1, `${where}.ids[${i}]`));
}
