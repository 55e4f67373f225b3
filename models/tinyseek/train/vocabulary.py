"""The 512 tokens of stories260K, as a `tokenizer.json`, and what Engram makes of them.

`tok512.bin`, little-endian: int32 longest piece; then for each id float32 score, int32 byte length, the bytes. The C
program joins, again and again, the neighbouring pair whose joined piece has the best score; as merges of byte-pair
encoding that is every pair of pieces that join to a piece, best score first."""

import json
import struct
import sys
from pathlib import Path

from tokenizers import Regex, Tokenizer
from tokenizers.normalizers import NFD, NFKC, Lowercase, Replace, Sequence, Strip, StripAccents

SPECIAL = ("<unk>", "<s>", "</s>")
BEGIN = 1  # stands before a story, and so also behind the one before it
FIRST_PLAIN = 259


class Vocabulary:
    def __init__(self, file: Path):
        self.tokenizer = Tokenizer.from_file(str(file))
        self.size = self.tokenizer.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=True)

    def compressed(self) -> list[int]:
        """By id, a number that spellings share which differ in case, accents and surrounding spaces only. engram.md, sec. 1."""
        lone = "\ue000"
        spelling = Sequence(
            [
                NFKC(),
                NFD(),
                StripAccents(),
                Lowercase(),
                Replace(Regex(r"[ \t\r\n]+"), " "),
                Replace(Regex(r"^ $"), lone),
                Strip(),
                Replace(lone, " "),
            ]
        )
        seen: dict[str, int] = {}
        found = []
        for token in range(self.size):
            text = self.tokenizer.decode([token], skip_special_tokens=False)
            key = self.tokenizer.id_to_token(token) if "\ufffd" in text else spelling.normalize_str(text) or text
            found.append(seen.setdefault(key, len(seen)))
        return found


def tokenizer_json(tok512: bytes) -> str:
    pieces = pieces_of(tok512)
    plain = [text for text, _ in pieces[FIRST_PLAIN:]]
    scores = dict(pieces[FIRST_PLAIN:])
    names = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *plain]
    halves = [(text[:i], text[i:]) for text in plain for i in range(1, len(text))]
    merges = [list(pair) for pair in halves if all(half in scores for half in pair)]
    merges.sort(key=lambda pair: -scores["".join(pair)])
    begin = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    of = lambda name, kind: {"Sequence": {"id": name, "type_id": kind}}  # noqa: E731
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [{"id": i, "content": name, **flags} for i, name in enumerate(SPECIAL)],
            "normalizer": {"type": "Prepend", "prepend": " "},
            "pre_tokenizer": None,
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [begin, of("A", 0)],
                "pair": [begin, of("A", 0), {"SpecialToken": {"id": "<s>", "type_id": 1}}, of("B", 1)],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [BEGIN], "tokens": ["<s>"]}},
            },
            "decoder": {
                "type": "Sequence",
                "decoders": [
                    {"type": "ByteFallback"},
                    {"type": "Fuse"},
                    {"type": "Strip", "content": " ", "start": 1, "stop": 0},
                ],
            },
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": "<unk>",
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": True,
                "byte_fallback": True,
                "vocab": {name: i for i, name in enumerate(names)},
                "merges": merges,
            },
        },
        ensure_ascii=False,
        indent=1,
    ) + "\n"


def pieces_of(tok512: bytes) -> list[tuple[str, float]]:
    pieces, at = [], 4
    while at < len(tok512):
        score, length = struct.unpack_from("<fi", tok512, at)
        at += 8 + length
        pieces.append((tok512[at - length : at].decode(), score))
    return pieces


if __name__ == "__main__":
    print(tokenizer_json(Path(sys.argv[1]).read_bytes()), end="")
