/** Constants that a config leaves to be worked out, and tensors that a checkpoint lacks: what they are for this folder. */
import type { TensorData } from "../../../runtime/formats/write-safetensors.ts";
import { type HashedNgrams, mostNgramRows, ngramConstants } from "../../constants/hashed-ngrams.ts";
import { compressTokens, type Spelling, type TokenMap } from "../../constants/token-map.ts";
import { type Json, type ModelTable, meets, memberAt, type NgramPlaces } from "./model-table.ts";

export interface PlannedConstants {
  /** Members that the config lacks, with their values as JSON. */
  readonly members: readonly { readonly path: string; readonly value: string }[];
  /** Tensors that the checkpoint lacks. */
  readonly tensors: readonly TensorData[];
  /** What they follow from, a line each. */
  readonly notes: readonly string[];
  /** Why some cannot be worked out, or are not what they should be. */
  readonly problems: readonly string[];
}

export interface Surroundings {
  readonly config: Json;
  /** Null where the folder has no tokenizer that can be read. */
  readonly spelling: Spelling | null;
  readonly hasTensor: (name: string) => boolean;
}

export function planConstants(table: ModelTable, around: Surroundings): PlannedConstants {
  const places = table.hashed_ngrams.find((one) => meets(one, around.config));
  return places === undefined ? { members: [], tensors: [], notes: [], problems: [] } : planNgrams(places, around);
}

function planNgrams(places: NgramPlaces, { config, spelling, hasTensor }: Surroundings): PlannedConstants {
  const problems: string[] = [];
  const read = readNumbers(places, config, problems);
  if (read === null) return { members: [], tensors: [], notes: [], problems };
  const stated = memberAt(config, places.compressed);
  const tokens = spelling === null ? null : compressTokens(spelling);
  const compressed = tokens?.size ?? (isCount(stated, 1, 2 ** 31) ? stated : null);
  if (compressed === null)
    problems.push(`${places.multipliers} follow from the tokenizer, which is not there, or from ${places.compressed}`);
  else if (stated !== undefined && stated !== compressed)
    problems.push(
      `${places.compressed} is ${JSON.stringify(stated)}, and this tokenizer has ${compressed} different spellings: every hash would be another`,
    );
  if (compressed === null || problems.length > 0) return { members: [], tensors: [], notes: [], problems };
  const options: HashedNgrams = { ...read, compressed };
  const { multipliers, primes } = ngramConstants(options);
  const row = <T>(layer: number, rows: readonly T[], none: T): T => rows[options.layers.indexOf(layer)] ?? none;
  const layers = Array.from({ length: read.depth }, (_, layer) => layer);
  const none = Array.from({ length: options.longest - 1 }, () => new Array<number>(options.heads).fill(0));
  const zeros = new Array<bigint>(options.longest).fill(0n);
  const known = new Map<string, Json>([
    [places.multipliers, layers.map((layer) => row(layer, multipliers, zeros).map(String))],
    [places.primes, layers.map((layer) => row(layer, primes, none))],
    [places.compressed, compressed],
  ]);
  const notes = [
    `hashed n-grams at layers ${options.layers.join(", ")}: seed ${options.seed}, ${compressed} compressed ids`,
  ];
  const members = [...known].flatMap(([path, value]) => {
    const there = memberAt(config, path);
    if (there === undefined) return [{ path, value: JSON.stringify(value) }];
    if (path !== places.compressed && plainText(there) !== plainText(value))
      notes.push(`${path} of config.json differ from what follows from its other numbers; they stay`);
    return [];
  });
  const names = options.layers
    .map((layer) => places.token_map.replace("{layer}", String(layer)))
    .filter((n) => !hasTensor(n));
  if (names.length > 0 && tokens === null) problems.push(`${names[0]} follows from the tokenizer, which is not there`);
  return { members, tensors: tokens === null ? [] : tokenMaps(names, tokens, read), notes, problems };
}

/** Integers may be written as decimal strings. */
const plainText = (value: Json): string => JSON.stringify(value).replaceAll('"', "");

interface Numbers extends Omit<HashedNgrams, "compressed"> {
  readonly depth: number;
  readonly vocabulary: number;
  readonly pad: number;
}

const isCount = (value: Json | undefined, least: number, most: number): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most;

/** Null where one is missing or cannot be, which `problems` tells. A missing seed is 0, as published. */
function readNumbers(places: NgramPlaces, config: Json, problems: string[]): Numbers | null {
  const before = problems.length;
  const wrong = (path: string, wanted: string): void => {
    const value = memberAt(config, path);
    const found = value === undefined ? "is not there" : `is ${JSON.stringify(value).slice(0, 60)}`;
    problems.push(`${path} ${found}; ${wanted} is expected`);
  };
  const count = (path: string, least: number, most: number): number => {
    const value = memberAt(config, path);
    if (isCount(value, least, most)) return value;
    wrong(path, `a whole number of ${least} … ${most}`);
    return most;
  };
  const counts = (path: string, most: number, length: number | null): readonly number[] => {
    const value = memberAt(config, path);
    const list = typeof value === "number" && length !== null ? new Array<Json>(length).fill(value) : value;
    if (
      Array.isArray(list) &&
      list.length === (length ?? list.length) &&
      list.length <= 100_000 &&
      list.every((one) => isCount(one, 0, most))
    )
      return list;
    wrong(path, `${length === null ? "a list" : `a list of ${length}`} of whole numbers up to ${most}`);
    return [];
  };
  const longest = count(places.longest, 2, 64);
  const depth = count(places.layers, 1, 100_000);
  const vocabulary = count(places.vocabulary, 1, 2 ** 31);
  const numbers: Numbers = {
    longest,
    depth,
    vocabulary,
    layers: counts(places.layer_ids, depth - 1, null),
    heads: count(places.heads, 1, 1024),
    rows: counts(places.rows, mostNgramRows, longest - 1),
    seed: BigInt(memberAt(config, places.seed) === undefined ? 0 : count(places.seed, 0, Number.MAX_SAFE_INTEGER)),
    pad: count(places.pad_id, 0, vocabulary - 1),
  };
  return problems.length === before ? numbers : null;
}

/** [vocabulary] int32. Ids that no token has never come; they count as padding. */
function tokenMaps(names: readonly string[], { map }: TokenMap, { vocabulary, pad }: Numbers): readonly TensorData[] {
  const bytes = new Uint8Array(4 * vocabulary);
  const view = new DataView(bytes.buffer);
  for (let id = 0; id < vocabulary; id += 1) view.setInt32(4 * id, map[id] ?? map[pad] ?? 0, true);
  return names.map((name) => ({ name, dtype: "I32", shape: [vocabulary], data: () => [bytes] }));
}
