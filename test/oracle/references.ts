/** Recordings of what transformers drafts, and of the references in reference/. See README.md. */
import {
  caseOf,
  folderOf,
  namesIn,
  type OracleCase,
  type OracleTensor,
  type Recording,
  type Rows,
  read,
} from "./cases.ts";
import { checksum, seededCodes, seededTensor } from "./seeded-weights.ts";

/** One draft of the loop that drafts one token, verifies it and goes on behind it or behind what came instead. */
export interface Draft {
  /** How many tokens there were: the draft is of the token at this position. */
  readonly known: number;
  readonly token: number;
  /** Whether this token came; null: the text ended first. */
  readonly accepted: boolean | null;
}

interface Drafted {
  readonly drafts: readonly Draft[];
  readonly draft_hidden: Rows;
  readonly draft_logits: Rows;
}

/** A model with an MTP layer behind its last. `hidden` and `logits` are the main model's, and of plain greedy steps. */
export interface MtpCase extends OracleCase {
  readonly settings: ReadonlyMap<string, string>;
  readonly drafts: readonly Draft[];
  /** Row i is of the layer, normed, from the main model's normed hidden state at i and the token at i + 1. */
  readonly draftHidden: Rows;
  /** Row j is of `drafts[j]`: the head of `draftHidden[known - 2]`. */
  readonly draftLogits: Rows;
}

/** Of a whole model. `settings`: params of the text with which it computes the same. */
export interface ReferenceCase extends OracleCase {
  readonly settings: ReadonlyMap<string, string>;
}

/** Engram at one layer. Axes: T positions, J order and head in this order, M streams. */
export interface Memory {
  /** By how many tokens back. */
  readonly multipliers: readonly bigint[];
  /** [order - 2][head] */
  readonly primes: readonly (readonly number[])[];
  /** [J]: the first row of each head's range. */
  readonly offsets: readonly number[];
  /** [T][J], without the offset. */
  readonly rows: Rows;
  /** [T][M]: what a gate is of, before the signed root. */
  readonly z: Rows;
  /** [T][M] */
  readonly gates: Rows;
  /** [T][M * D]: what is added to the streams. */
  readonly added: Rows;
}

export interface CodeTensor {
  readonly dtype: "f8_e4m3" | "f8_e8m0";
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

interface Remembered {
  /** A compressed id for every token. */
  readonly tokenMap: readonly number[];
  readonly memories: ReadonlyMap<number, Memory>;
}

/** Engram alone, at some layers; `streams.N` among the tensors is its input at layer N, [T, M, D]. */
export interface EngramCase extends Remembered {
  readonly name: string;
  readonly config: string;
  readonly ids: readonly number[];
  readonly tensors: () => ReadonlyMap<string, OracleTensor | CodeTensor>;
}

/** A language model with Engram. `hidden` and `experts` are of the first stream. */
export interface EngramLmCase extends OracleCase, Remembered {}

interface RecordedMemories {
  readonly token_map: readonly number[];
  readonly memories: Readonly<
    Record<string, Omit<Memory, "multipliers"> & { readonly multipliers: readonly string[] }>
  >;
}

interface RecordedEngram extends Pick<Recording, "name" | "seed" | "config" | "ids">, RecordedMemories {
  readonly tensors: Readonly<
    Record<
      string,
      { readonly shape: readonly number[]; readonly checksum: string; readonly kind?: CodeTensor["dtype"] }
    >
  >;
}

interface Settings {
  readonly settings?: Readonly<Record<string, boolean>>;
}

const mtp = folderOf("recorded-mtp");
const references = folderOf("recorded-references");
const those = (start: RegExp): readonly string[] => namesIn(references).filter((name) => start.test(name));

/** Recordings of transformers: V3. */
export const mtpCaseNames: readonly string[] = namesIn(mtp);
/** Of the reference: V3.2. */
export const referenceMtpCaseNames: readonly string[] = those(/^v3\.2-mtp/);
export const moeCaseNames: readonly string[] = those(/^moe-/);
/** V3.2 with the numerics of the official code. */
export const officialCaseNames: readonly string[] = those(/^v3\.2-fp8/);
export const engramCaseNames: readonly string[] = those(/^engram-(?!lm)/);
export const engramLmCaseNames: readonly string[] = those(/^engram-lm/);

export const loadMtpCase = (name: string): MtpCase => draftedFrom(mtp, name);
export const loadReferenceMtpCase = (name: string): MtpCase => draftedFrom(references, name);

export function loadReferenceCase(name: string): ReferenceCase {
  const recording = read<Recording & Settings>(references, name);
  return { ...caseOf(recording), settings: settingsOf(recording) };
}

export function loadEngramCase(name: string): EngramCase {
  const recording = read<RecordedEngram>(references, name);
  const { config, ids } = recording;
  return {
    name,
    config: JSON.stringify(config, null, 2),
    ids,
    tensors: () => tensorsOf(recording),
    ...rememberedOf(recording),
  };
}

export function loadEngramLmCase(name: string): EngramLmCase {
  const recording = read<Recording & RecordedMemories>(references, name);
  return { ...caseOf(recording), ...rememberedOf(recording) };
}

function draftedFrom(folder: string, name: string): MtpCase {
  const recording = read<Recording & Settings & Drafted>(folder, name);
  const { drafts, draft_hidden: draftHidden, draft_logits: draftLogits } = recording;
  return { ...caseOf(recording), settings: settingsOf(recording), drafts, draftHidden, draftLogits };
}

const settingsOf = ({ settings = {} }: Settings): ReadonlyMap<string, string> =>
  new Map(Object.entries(settings).map(([key, value]) => [key, String(value)]));

const rememberedOf = ({ token_map: tokenMap, memories }: RecordedMemories): Remembered => ({
  tokenMap,
  memories: new Map(
    Object.entries(memories).map(([layer, memory]) => [
      Number(layer),
      { ...memory, multipliers: memory.multipliers.map(BigInt) },
    ]),
  ),
});

function tensorsOf({ name, seed, tensors }: RecordedEngram): ReadonlyMap<string, OracleTensor | CodeTensor> {
  return new Map(
    Object.entries(tensors).map(([tensor, { shape, checksum: recorded, kind }]) => {
      const made =
        kind === undefined
          ? { dtype: "f32" as const, shape, data: seededTensor(seed, tensor, shape) }
          : { dtype: kind, shape, data: seededCodes(seed, tensor, shape, kind) };
      const found = checksum(made.data);
      if (found !== recorded) throw new Error(`${name}: ${tensor} has checksum ${found}, recorded is ${recorded}`);
      return [tensor, made];
    }),
  );
}
