/**
 * A model that says the alphabet: after each letter the next one is the likeliest, after z the end of text. It has the bytes
 * of `byteLevelFile` for tokens, so everything around a model can be told with it.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TensorData, writeSafetensors } from "../../runtime/formats/write-safetensors.ts";
import { byteLevelFile } from "../text/tiny-tokenizer.ts";

export const chainText = `import fp8_blocks, fp4_groups from "std/quantization"

model chain {
  config {
    V : dim = $.vocab_size
  }
  runtime T : dim in 1..64
  weight table : [V, V] at "table.weight"
  storage e4m3 as fp8_blocks(B: 128)
  storage e2m1 as fp4_groups()
  entry forward(ids: [T] in V) -> (logits: [T, V], next: [V]) {
    logits[t,v] := table[ids[t],v]
    next        := logits[T - 1]
  }
  loop chat = sample forward
}
`;

/** Padded beyond the tokenizer's 261, as published models are. */
export const chainVocabulary = 288;
export const idOfLetter = (letter: string): number => byteLevelFile.model.vocab[letter] ?? -1;
const endId = 259;

/** Tags of reasoning as tokens of their own, flagged special as some published ones are. */
export const thinkIds = { open: 261, close: 262 } as const;
const thinkTokens = [
  { id: thinkIds.open, content: "<think>" },
  { id: thinkIds.close, content: "</think>" },
].map((token) => ({ ...token, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false }));

/** Row: the token before; 1 for the one that follows it, else 0. A chain that thinks writes `b` and `c` to itself behind an `a`. */
function table(thinks: boolean): Float64Array {
  const values = new Float64Array(chainVocabulary * chainVocabulary);
  const letters = [..."abcdefghijklmnopqrstuvwxyz"].flatMap((letter) => [
    ...(thinks && letter === "b" ? [thinkIds.open] : []),
    ...(thinks && letter === "d" ? [thinkIds.close] : []),
    idOfLetter(letter),
  ]);
  for (const [i, id] of letters.entries()) values[id * chainVocabulary + (letters[i + 1] ?? endId)] = 1;
  return values;
}

export type ChainStorage = "F32" | "F8_E4M3" | "F4 as I8";

function tensorsOf(storage: ChainStorage, thinks: boolean): readonly TensorData[] {
  const values = table(thinks);
  const shape = [chainVocabulary, chainVocabulary];
  const whole = (bytes: ArrayBufferView): (() => Uint8Array[]) => {
    const { buffer, byteOffset, byteLength } = bytes;
    return () => [new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)];
  };
  const name = "table.weight";
  switch (storage) {
    case "F32":
      return [{ name, dtype: "F32", shape, data: whole(Float32Array.from(values)) }];
    case "F8_E4M3": {
      // Half of 2, which is code 0x40; three blocks of 128 a side.
      const scale = Float32Array.from({ length: 9 }, () => 0.5);
      return [
        { name, dtype: "F8_E4M3", shape, data: whole(Uint8Array.from(values, (x) => (x === 1 ? 0x40 : 0))) },
        { name: `${name}_scale_inv`, dtype: "F32", shape: [3, 3], data: whole(scale) },
      ];
    }
    case "F4 as I8": {
      // Half of 2, which is code 4; the even element lies in the low half of its byte. 126 stands for 1/2.
      const codes = Uint8Array.from(values, (x) => (x === 1 ? 4 : 0));
      const packed = Uint8Array.from(
        { length: codes.length / 2 },
        (_, i) => (codes[2 * i] ?? 0) | ((codes[2 * i + 1] ?? 0) << 4),
      );
      const scale = new Uint8Array((values.length / 32) | 0).fill(126);
      return [
        { name, dtype: "I8", shape: [chainVocabulary, chainVocabulary / 2], data: whole(packed) },
        { name: "table.scale", dtype: "F8_E8M0", shape: [chainVocabulary, chainVocabulary / 32], data: whole(scale) },
      ];
    }
    default:
      return storage satisfies never;
  }
}

/** `chain.ds`, and a folder `model` with weights, config and tokenizer. */
export async function writeChain(cwd: string, storage: ChainStorage = "F32", thinks = false): Promise<void> {
  const folder = join(cwd, "model");
  mkdirSync(folder, { recursive: true });
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(tensorsOf(storage, thinks))) chunks.push(chunk);
  writeFileSync(join(cwd, "chain.ds"), chainText);
  writeFileSync(join(folder, "model.safetensors"), Buffer.concat(chunks));
  writeFileSync(join(folder, "config.json"), JSON.stringify({ vocab_size: chainVocabulary, eos_token_id: endId }));
  const added = [...byteLevelFile.added_tokens, ...(thinks ? thinkTokens : [])];
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify({ ...byteLevelFile, added_tokens: added }));
  const tokens = { bos_token: "<bos>", eos_token: "<eos>", add_bos_token: true };
  writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify(tokens));
}
