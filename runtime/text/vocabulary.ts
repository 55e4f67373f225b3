/** The `model` and `added_tokens` sections of a `tokenizer.json`, checked: which token has which id. */
import { asCount, asFlag, asList, asObject, asString, field, type JsonObject } from "./read-json.ts";
import { TextError } from "./text-error.ts";
import { tokenizerLimits as limits } from "./tokenizer-limits.ts";

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Left out of decoded text when the caller asks to skip special tokens. */
  readonly special: boolean;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
}

export interface Vocabulary {
  /** Every token, added ones included. */
  readonly idOf: ReadonlyMap<string, number>;
  /** The same, the other way round. */
  readonly textOf: ReadonlyMap<number, string>;
  readonly added: readonly AddedToken[];
  readonly unknownToken: string | null;
  /** The model section as the library reads it. */
  readonly model: JsonObject;
}

export function readVocabulary(modelValue: unknown, addedValue: unknown): Vocabulary {
  const model = asObject(modelValue, "$.model");
  const type = field(model, "type") ?? "BPE";
  if (type !== "BPE") {
    throw new TextError("unsupported", "only the model `BPE` is supported", { path: "$.model.type" });
  }
  refuseSuffixes(model);
  const vocab = asObject(field(model, "vocab"), "$.model.vocab");
  const { idOf, textOf } = readEntries(vocab);
  const merges = asList(field(model, "merges"), "$.model.merges");
  for (let i = 0; i < merges.length; i += 1) checkMerge(merges[i], i, merges, idOf);
  const unknownToken = readUnknown(model, idOf);
  const added = readAdded(addedValue, idOf, textOf);
  return {
    idOf,
    textOf,
    added,
    unknownToken,
    model: {
      type: "BPE",
      vocab,
      merges,
      unk_token: unknownToken,
      fuse_unk: asFlag(field(model, "fuse_unk"), false, "$.model.fuse_unk"),
      byte_fallback: asFlag(field(model, "byte_fallback"), false, "$.model.byte_fallback"),
      ignore_merges: asFlag(field(model, "ignore_merges"), false, "$.model.ignore_merges"),
    },
  };
}

/** Marks on parts of a word, and random dropping of merges, belong to other families than DeepSeek's. */
function refuseSuffixes(model: JsonObject): void {
  for (const key of ["continuing_subword_prefix", "end_of_word_suffix", "dropout"]) {
    const value = field(model, key);
    if (value === undefined || value === null || value === "" || (key === "dropout" && value === 0)) continue;
    throw new TextError("unsupported", `a model with \`${key}\` is not supported`, { path: `$.model.${key}` });
  }
}

interface Entries {
  readonly idOf: Map<string, number>;
  readonly textOf: Map<number, string>;
}

const entryPath = (token: string): string => `$.model.vocab[${JSON.stringify(token.slice(0, 60))}]`;

function readEntries(vocab: JsonObject): Entries {
  const idOf = new Map<string, number>();
  const textOf = new Map<number, string>();
  for (const token of Object.keys(vocab)) {
    const value = vocab[token];
    // Checked here first: a path for each of 128,000 entries would cost more than reading them.
    const plain = typeof value === "number" && Number.isInteger(value) && value >= 0 && value < limits.ids;
    const id = plain && value !== 0 ? value : asCount(value, limits.ids - 1, entryPath(token));
    if (token.length > limits.entryLength) {
      throw new TextError("too-large", `an entry of ${token.length} characters`, { path: entryPath(token) });
    }
    if (textOf.has(id)) throw new TextError("shape", `two entries have the id ${id}`, { path: entryPath(token) });
    idOf.set(token, id);
    textOf.set(id, token);
  }
  return { idOf, textOf };
}

/** A merge is `"a b"` or `["a", "b"]`, one form in a file; both parts and `ab` are entries. */
function checkMerge(merge: unknown, i: number, merges: readonly unknown[], idOf: ReadonlyMap<string, number>): void {
  const wrong = (why: string): TextError => new TextError("shape", why, { path: `$.model.merges[${i}]` });
  if (Array.isArray(merge) !== Array.isArray(merges[0])) throw wrong("merges of two forms");
  const parts: readonly unknown[] = typeof merge === "string" ? merge.split(" ") : Array.isArray(merge) ? merge : [];
  const [left, right] = parts;
  if (parts.length !== 2 || typeof left !== "string" || typeof right !== "string" || left === "" || right === "") {
    throw wrong("a merge joins two parts");
  }
  if (!idOf.has(left) || !idOf.has(right) || !idOf.has(left + right)) {
    throw wrong("a merge of parts that are not in the vocabulary");
  }
}

function readUnknown(model: JsonObject, idOf: ReadonlyMap<string, number>): string | null {
  const value = field(model, "unk_token") ?? null;
  if (value === null) return null;
  const token = asString(value, "$.model.unk_token");
  if (!idOf.has(token)) {
    throw new TextError("shape", "the unknown token is not in the vocabulary", { path: "$.model.unk_token" });
  }
  return token;
}

/** Adds to both maps. A token that the vocabulary has already keeps its id; an id has one token. */
function readAdded(value: unknown, idOf: Map<string, number>, textOf: Map<number, string>): readonly AddedToken[] {
  if (value === undefined || value === null) return [];
  const list = asList(value, "$.added_tokens");
  if (list.length > limits.addedTokens) {
    throw new TextError("too-large", `${list.length} added tokens`, { path: "$.added_tokens" });
  }
  const seen = new Set<string>();
  return list.map((item, i) => {
    const path = `$.added_tokens[${i}]`;
    const token = readAddedToken(asObject(item, path), path);
    if (seen.has(token.content)) throw new TextError("shape", "a token added twice", { path });
    seen.add(token.content);
    const known = idOf.get(token.content);
    if (known !== undefined ? known !== token.id : textOf.has(token.id)) {
      throw new TextError("shape", `the id ${token.id} and the vocabulary contradict each other`, { path });
    }
    idOf.set(token.content, token.id);
    textOf.set(token.id, token.content);
    return token;
  });
}

function readAddedToken(item: JsonObject, path: string): AddedToken {
  const content = asString(field(item, "content"), `${path}.content`);
  if (content === "") throw new TextError("shape", "an empty token", { path: `${path}.content` });
  if (content.length > limits.addedTokenLength) {
    throw new TextError("too-large", `an added token of ${content.length} characters`, { path: `${path}.content` });
  }
  const flag = (key: string, fallback: boolean): boolean => asFlag(field(item, key), fallback, `${path}.${key}`);
  const special = flag("special", false);
  return {
    id: asCount(field(item, "id"), limits.ids - 1, `${path}.id`),
    content,
    special,
    single_word: flag("single_word", false),
    lstrip: flag("lstrip", false),
    rstrip: flag("rstrip", false),
    normalized: flag("normalized", !special),
  };
}
