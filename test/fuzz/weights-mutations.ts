/** Safetensors files and indexes, right ones and ones that something happened to. */
import { type TensorData, writeSafetensors } from "../../runtime/formats/write-safetensors.ts";
import type { Random } from "./random.ts";

const tensor = (name: string, dtype: TensorData["dtype"], shape: readonly number[], bytes: number): TensorData => ({
  name,
  dtype,
  shape,
  data: () => [Uint8Array.from({ length: bytes }, (_, i) => (dtype === "BOOL" || i % 8 > 3 ? i & 1 : i * 37))],
});

async function written(
  tensors: readonly TensorData[],
  metadata: ReadonlyMap<string, string> = new Map(),
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(tensors, { metadata })) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** Right files: every kind of dtype, a scalar, an empty tensor, hard names, no tensor at all. */
export const rightFiles: readonly Uint8Array[] = await Promise.all([
  written(
    [
      tensor("model.embed.weight", "F32", [4, 3], 48),
      tensor("model.norm.weight", "BF16", [3], 6),
      tensor("w", "F8_E4M3", [2, 4], 8),
      tensor("w_scale_inv", "F8_E8M0", [2, 1], 2),
      tensor("tid2eid", "I64", [2], 16),
      tensor("scalar", "F64", [], 8),
      tensor("none", "I32", [0, 7], 0),
    ],
    new Map([["format", "pt"]]),
  ),
  written([tensor("__proto__", "F4", [2, 2], 2), tensor('é"\\\n', "BOOL", [2], 2), tensor("", "U8", [1], 1)]),
  written([tensor("a", "C64", [1], 8), tensor("b", "F16", [2, 1, 2], 8), tensor("c", "U64", [1], 8)]),
  written([]),
]);

export const shardNames = ["m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"] as const;
export const shardFiles: readonly Uint8Array[] = await Promise.all([
  written([tensor("a", "U8", [2], 2), tensor("__proto__", "F32", [1], 4)]),
  written([tensor("b", "F32", [2], 8), tensor("c.weight", "BF16", [1, 1], 2)]),
]);
export const rightIndex = JSON.stringify({
  metadata: { total_size: 16 },
  weight_map: Object.fromEntries([
    ["a", shardNames[0]],
    ["c.weight", shardNames[1]],
    ["b", shardNames[1]],
    ["__proto__", shardNames[0]],
  ]),
});

/** A right file with something done to its bytes, to the text of its header, or to what the header says. */
export function mutatedFile(random: Random): Uint8Array {
  const file = random.pick(rightFiles);
  if (random.below(3) === 0) return mutatedBytes(random, file);
  const start = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = new TextDecoder().decode(file.subarray(8, start));
  return withHeader(mutatedJson(random, header), file.subarray(start));
}

export const mutatedIndex = (random: Random): Uint8Array =>
  random.below(3) === 0
    ? mutatedBytes(random, new TextEncoder().encode(rightIndex))
    : new TextEncoder().encode(mutatedJson(random, rightIndex));

function withHeader(header: string, data: Uint8Array): Uint8Array {
  const json = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + json.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(data, 8 + json.length);
  return file;
}

function mutatedBytes(random: Random, right: Uint8Array): Uint8Array {
  const bytes = right.slice();
  const at = random.below(bytes.length + 1);
  const some = Uint8Array.from({ length: 1 + random.below(8) }, () => random.below(256));
  switch (random.below(6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Uint8Array.of(...bytes.subarray(0, at), ...some, ...bytes.subarray(at));
    case 2:
      return Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + some.length));
    case 3: {
      // The length, wrong by little or by everything: up to 90 MB it is within the format's limit.
      if (bytes.length < 8) return bytes;
      const length = random.pick([0, 1, 7, bytes.length - 8, bytes.length - 7, 90_000_000, 100_000_001, 2 ** 53]);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
      return bytes;
    }
    default:
      for (let i = 0; i <= random.below(4); i += 1) {
        const byte = random.below(bytes.length);
        bytes[byte] = (bytes[byte] ?? 0) ^ (1 << random.below(8));
      }
      return bytes;
  }
}

/** Each stands for a number, a string, an object or anything else of the text. */
const values = [
  "0",
  "1",
  "2",
  "3",
  "8",
  "16",
  "-1",
  "-0",
  "1.0",
  "1e2",
  "4294967296",
  "9007199254740991",
  "9007199254740992",
  "18446744073709551616",
  "1e999",
  '""',
  '"F32"',
  '"BF16"',
  '"F8_E4M3"',
  '"I8"',
  '"f32"',
  '"a"',
  '"\\u0061"',
  '"\\ud800"',
  '"__proto__"',
  '"__metadata__"',
  '"constructor"',
  '"shape"',
  `"${shardNames[0]}"`,
  `"${shardNames[1]}"`,
  '"../m-00001-of-00002.safetensors"',
  '"m-00003-of-00003.safetensors"',
  "null",
  "true",
  "{}",
  "[]",
  "[0]",
  "[0,0]",
  "[2,3]",
  '{"a":"b"}',
  `${"[".repeat(70)}${"]".repeat(70)}`,
  "",
];

/** Strings with their quotes, numbers, and single signs. */
const piecesOf = (text: string): string[] => text.match(/"(?:[^"\\]|\\.)*"|-?\d+|\s+|./gsu) ?? [];

/** One to three changes to the pieces of a JSON text, most of which leave it JSON. */
function mutatedJson(random: Random, text: string): string {
  const pieces = piecesOf(text);
  for (let i = 0; i <= random.below(3); i += 1) mutatePieces(random, pieces);
  return pieces.join("");
}

function mutatePieces(random: Random, pieces: string[]): void {
  const places = (pattern: RegExp): number[] => pieces.flatMap((piece, i) => (pattern.test(piece) ? [i] : []));
  const numbers = places(/^-?\d/);
  const strings = places(/^"/);
  const at = random.below(pieces.length);
  const pickFrom = (list: readonly number[]): number => (list.length === 0 ? at : random.pick(list));
  const swap = (i: number, j: number): void => {
    [pieces[i], pieces[j]] = [pieces[j] ?? "", pieces[i] ?? ""];
  };
  switch (random.below(11)) {
    case 0:
      swap(pickFrom(numbers), pickFrom(numbers));
      break;
    case 1:
      swap(pickFrom(strings), pickFrom(strings));
      break;
    case 2: {
      const i = pickFrom(numbers);
      pieces[i] = String(Number(pieces[i]) + random.pick([-8, -2, -1, 1, 2, 4, 8]));
      break;
    }
    case 3:
      pieces[pickFrom(numbers)] = random.pick(values);
      break;
    case 4:
      pieces[pickFrom(strings)] = random.pick(values);
      break;
    case 5:
      pieces[at] = random.pick(values);
      break;
    case 6:
      pieces.splice(at, 1 + random.below(12));
      break;
    case 7:
      pieces.splice(at, 0, random.pick([" ", "\n", ",", ":", "\0", "\u00e9", '"more":', ...values]));
      break;
    case 8: {
      // A member once more: everything from one comma to the next at its side.
      const commas = places(/^,$/);
      const from = pickFrom(commas);
      const to = commas.find((comma) => comma > from) ?? from;
      pieces.splice(to, 0, ...pieces.slice(from, to));
      break;
    }
    case 9: {
      // The data of a tensor as large as before, elsewhere.
      const offsets = pickFrom(places(/^"data_offsets"$/));
      const by = random.pick([-8, -2, -1, 1, 2, 8]);
      for (const i of numbers.filter((number) => number > offsets).slice(0, 2))
        pieces[i] = String(Number(pieces[i]) + by);
      break;
    }
    default:
      swap(at, random.below(pieces.length));
  }
}
