/**
 * Ids to text, a token at a time.
 *
 * Decoding a list is defined as pushing its ids one by one, so a stream and a list cannot differ. Nothing is tidied:
 * no space is removed before punctuation (`clean_up_tokenization_spaces` is never obeyed), so the text of encoded ids is
 * the text that was encoded, wherever the tokenizer's own normalizer keeps it.
 *
 * Two families are known. Byte-level (all DeepSeek files): the characters of a token stand for bytes, and the bytes of
 * neighbouring tokens make UTF-8; an added token is its own text. SentencePiece style: `Replace` per token, then byte
 * tokens `<0x..>` make UTF-8, then leading blanks of the whole text go.
 *
 * Bytes that are no UTF-8 become U+FFFD by the WHATWG rule (one for each maximal part), as in the Rust library for the
 * byte-level family. For a run of `<0x..>` tokens that library gives one for each byte of the whole run instead, which
 * cannot be known before the run ends.
 */
import { asCount, asFlag, asList, asObject, asString, field, type JsonObject } from "./read-json.ts";
import { TextError } from "./text-error.ts";
import { tokenizerLimits as limits } from "./tokenizer-limits.ts";

/** What a decoder makes of tokens. */
export type DecodePlan =
  | { readonly kind: "byte-level" }
  | {
      readonly kind: "pieces";
      /** Text to find in each token, and what stands for it. */
      readonly replace: readonly (readonly [find: string, put: string])[];
      readonly byteTokens: boolean;
      /** A text and how many of it are dropped at the very start. */
      readonly strip: readonly [text: string, count: number];
    };

export function readDecoder(value: unknown): DecodePlan {
  const path = "$.decoder";
  const step = asObject(value ?? null, path);
  switch (asString(field(step, "type"), `${path}.type`)) {
    case "ByteLevel":
      return { kind: "byte-level" };
    case "Metaspace": {
      const mark = asString(field(step, "replacement") ?? "▁", `${path}.replacement`);
      if (mark === "") throw new TextError("shape", "an empty mark", { path: `${path}.replacement` });
      const legacy = asFlag(field(step, "add_prefix_space"), true, `${path}.add_prefix_space`);
      const scheme = field(step, "prepend_scheme") ?? (legacy ? "always" : "never");
      return { kind: "pieces", replace: [[mark, " "]], byteTokens: false, strip: [" ", scheme === "never" ? 0 : 1] };
    }
    case "Sequence":
      return readSequence(asList(field(step, "decoders"), `${path}.decoders`), `${path}.decoders`);
    default:
      throw new TextError("unsupported", "only ByteLevel, Metaspace and Sequence decoders are supported", {
        path: `${path}.type`,
      });
  }
}

/** `Replace`*, `ByteFallback`?, `Fuse`?, `Strip`?, in this order: what SentencePiece conversions hold. */
function readSequence(list: readonly unknown[], path: string): DecodePlan {
  if (list.length > limits.steps) throw new TextError("too-large", `more than ${limits.steps} steps`, { path });
  const steps = list.map((value, i) => asObject(value, `${path}[${i}]`));
  const types = steps.map((step, i) => asString(field(step, "type"), `${path}[${i}].type`));
  if (types.length === 1 && types[0] === "ByteLevel") return { kind: "byte-level" };
  if (!/^(?:Replace,)*(?:ByteFallback,)?(?:Fuse,(?:Strip,)?)?$/.test(types.map((type) => `${type},`).join(""))) {
    throw new TextError("unsupported", "expected Replace, ByteFallback, Fuse, Strip, in this order", { path });
  }
  let strip: readonly [string, number] = ["", 0];
  const replace: (readonly [string, string])[] = [];
  for (const [i, step] of steps.entries()) {
    if (types[i] === "Replace") replace.push(readReplace(step, `${path}[${i}]`));
    if (types[i] === "Strip") strip = readStrip(step, `${path}[${i}]`);
  }
  return { kind: "pieces", replace, byteTokens: types.includes("ByteFallback"), strip };
}

function readReplace(step: JsonObject, path: string): readonly [string, string] {
  const pattern = asObject(field(step, "pattern"), `${path}.pattern`);
  if (field(pattern, "Regex") !== undefined) {
    throw new TextError("unsupported", "a decoder replaces plain text only", { path: `${path}.pattern.Regex` });
  }
  const find = asString(field(pattern, "String"), `${path}.pattern.String`);
  const put = asString(field(step, "content"), `${path}.content`);
  if (find === "") throw new TextError("shape", "an empty pattern", { path: `${path}.pattern.String` });
  if (put.length > find.length) {
    throw new TextError("unsupported", "a decoder's replacement is no longer than what it replaces", {
      path: `${path}.content`,
    });
  }
  return [find, put];
}

function readStrip(step: JsonObject, path: string): readonly [string, number] {
  const content = asString(field(step, "content"), `${path}.content`);
  if (content.length !== 1) throw new TextError("shape", "expected one character", { path: `${path}.content` });
  const stop = asCount(field(step, "stop") ?? 0, 0, `${path}.stop`);
  return [content, asCount(field(step, "start") ?? 0, limits.entryLength, `${path}.start`) + stop];
}

/** Turns tokens into text; holds back bytes that do not make a whole character yet. */
export interface TokenTextStream {
  /** `literal` is true for an added token: its own text in the byte-level family. */
  readonly push: (token: string, literal: boolean) => string;
  /** What was held back, as U+FFFD; the stream starts anew. */
  readonly end: () => string;
}

export function newTokenTextStream(plan: DecodePlan): TokenTextStream {
  return plan.kind === "byte-level" ? byteLevelStream() : pieceStream(plan);
}

const utf8 = (): TextDecoder => new TextDecoder("utf-8", { ignoreBOM: true });

function byteLevelStream(): TokenTextStream {
  const decoder = utf8();
  return {
    push: (token, literal) =>
      literal ? decoder.decode() + token : decoder.decode(bytesOfToken(token), { stream: true }),
    end: () => decoder.decode(),
  };
}

/**
 * The byte alphabet of GPT-2: printable Latin-1 characters stand for their own code, the other 68 bytes for U+0100
 * onwards in ascending order (openai/gpt-2, `src/encoder.py`, `bytes_to_unicode`).
 */
const byteOf: ReadonlyMap<string, number> = (() => {
  const map = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte += 1) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    map.set(String.fromCharCode(printable ? byte : next), byte);
    if (!printable) next += 1;
  }
  return map;
})();

/** A token with a character outside the alphabet stands for its own UTF-8 bytes. */
function bytesOfToken(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i += 1) {
    const byte = byteOf.get(token.charAt(i));
    if (byte === undefined) return new TextEncoder().encode(token);
    bytes[i] = byte;
  }
  return bytes;
}

function pieceStream(plan: Extract<DecodePlan, { kind: "pieces" }>): TokenTextStream {
  const decoder = utf8();
  const [strip, count] = plan.strip;
  let toStrip = count;
  const stripped = (text: string): string => {
    let at = 0;
    while (toStrip > 0 && at < text.length) {
      toStrip = text.charAt(at) === strip ? toStrip - 1 : 0;
      if (text.charAt(at) !== strip) break;
      at += 1;
    }
    return text.slice(at);
  };
  return {
    push: (token) => {
      const piece = plan.replace.reduce((text, [find, put]) => text.replaceAll(find, () => put), token);
      const byte = plan.byteTokens ? /^<0x([0-9A-Fa-f]{2})>$/.exec(piece)?.[1] : undefined;
      if (byte !== undefined) {
        return stripped(decoder.decode(Uint8Array.of(Number.parseInt(byte, 16)), { stream: true }));
      }
      return stripped(decoder.decode() + piece);
    },
    end: () => {
      const text = stripped(decoder.decode());
      toStrip = count;
      return text;
    },
  };
}
