/**
 * Which ids of a tokenizer spell the same once case, accents and blanks are left out (Engram, arXiv:2601.07372, sec. 2.1;
 * deepseek-ai/Engram `engram_demo_v1.py`, `CompressedTokenizer`). The text of each id goes through NFKC, NFD, without marks
 * (general category M: what `StripAccents` of huggingface/tokenizers takes for accents), in lower case, with runs of blanks as one
 * space, without blanks around it unless a space is all there is. Equal texts have one number, in the order in which they come up.
 *
 * Marks and case are those of this engine's Unicode. The library's are of an older one, which differs on about a hundred
 * characters; none is in a DeepSeek tokenizer (`token-map.test.ts` holds the whole map of V3's against a recorded checksum).
 */
export interface Spelling {
  /** 1 + the highest id. */
  readonly ids: number;
  /** The id alone, special tokens with their text; U+FFFD for bytes that are no character. */
  readonly decode: (id: number) => string;
  /** The token as the tokenizer's file spells it; null where no token has the id. */
  readonly token: (id: number) => string | null;
}

export interface TokenMap {
  /** [id]: the compressed id. */
  readonly map: Int32Array;
  /** How many different ones there are. */
  readonly size: number;
}

export function compressTokens({ ids, decode, token }: Spelling): TokenMap {
  const known = new Map<string, number>();
  const map = new Int32Array(ids);
  for (let id = 0; id < ids; id += 1) {
    const key = keyOf(decode(id), token(id) ?? "");
    const number = known.get(key) ?? known.size;
    known.set(key, number);
    map[id] = number;
  }
  return { map, size: known.size };
}

/** Part of a character has no spelling of its own: it is kept apart by its token. */
function keyOf(text: string, token: string): string {
  if (text.includes("\ufffd")) return token;
  const normal = normalized(text);
  return normal === "" ? text : normal;
}

/** The blanks that `Strip` takes away: Unicode's White_Space, as in Rust. */
const around = /^\p{White_Space}+|\p{White_Space}+$/gu;
/** Stands for a space that is all of a text while blanks around texts are taken away. */
const lone = "\ue000";

function normalized(text: string): string {
  const plain = text.normalize("NFKC").normalize("NFD").replace(/\p{M}/gu, "");
  const spaced = lowerCase(plain).replace(/[ \t\r\n]+/g, " ");
  return (spaced === " " ? lone : spaced).replace(around, "").replaceAll(lone, " ");
}

/** Character by character: JavaScript's whole-text rule writes a final sigma differently, the tokenizers library does not. */
const lowerCase = (text: string): string => [...text].map((character) => character.toLowerCase()).join("");
