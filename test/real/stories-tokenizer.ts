/**
 * The tokenizer of the stories260K model as a `tokenizer.json`.
 *
 * `tok512.bin`, little-endian: int32 longest piece; then for each id float32 score, int32 byte length, the bytes. Ids 0, 1
 * and 2 are unknown, BOS and EOS; 3 to 258 are the bytes `<0x00>` to `<0xFF>`; the rest are pieces with real spaces.
 *
 * The C program encodes by joining, again and again, the neighbouring pair whose joined piece has the best score, the
 * leftmost of equals. As byte-pair merges that is: all pairs of pieces that join to a piece, best score first. A space is
 * put before the text and one is dropped after decoding; a character without a piece becomes its bytes.
 */
interface Piece {
  readonly text: string;
  readonly score: number;
}

const firstPlainId = 259;

/** Throws an `Error` for bytes that are no such file. */
export function storiesTokenizerJson(tok512: Uint8Array): string {
  const pieces = readPieces(tok512);
  const vocab = Object.fromEntries(pieces.map((piece, id) => [nameOf(piece, id), id]));
  const special = ["<unk>", "<s>", "</s>"];
  return JSON.stringify({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: { type: "Prepend", prepend: " " },
    pre_tokenizer: null,
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [
        { SpecialToken: { id: "<s>", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "<s>", type_id: 1 } },
        { Sequence: { id: "B", type_id: 1 } },
      ],
      special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
    },
    decoder: {
      type: "Sequence",
      decoders: [{ type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", content: " ", start: 1, stop: 0 }],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: "<unk>",
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      vocab,
      merges: mergesOf(pieces),
    },
  });
}

function readPieces(bytes: Uint8Array): readonly Piece[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const pieces: Piece[] = [];
  for (let at = 4; at < bytes.length; ) {
    const score = view.getFloat32(at, true);
    const length = view.getInt32(at + 4, true);
    at += 8;
    if (length < 0 || at + length > bytes.length) throw new Error(`piece ${pieces.length} leads out of the file`);
    pieces.push({ text: utf8.decode(bytes.subarray(at, at + length)), score });
    at += length;
  }
  if (pieces.length <= firstPlainId) throw new Error("the file holds no pieces but bytes");
  return pieces;
}

/** The file spells ids 0 to 2 with line breaks around them, for the C program's own printing. */
function nameOf(piece: Piece, id: number): string {
  const special = ["<unk>", "<s>", "</s>"][id];
  if (special !== undefined) return special;
  if (id >= firstPlainId) return piece.text;
  return `<0x${(id - 3).toString(16).toUpperCase().padStart(2, "0")}>`;
}

function mergesOf(pieces: readonly Piece[]): readonly (readonly [string, string])[] {
  const plain = pieces.slice(firstPlainId);
  const known = new Set(plain.map((piece) => piece.text));
  return plain
    .flatMap(({ text, score }) =>
      Array.from({ length: text.length - 1 }, (_, i) => [text.slice(0, i + 1), text.slice(i + 1)] as const)
        .filter(([left, right]) => known.has(left) && known.has(right))
        .map((pair) => ({ pair, score })),
    )
    .sort((a, b) => b.score - a.score)
    .map(({ pair }) => pair);
}
