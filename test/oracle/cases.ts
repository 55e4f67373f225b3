/** Recordings of transformers on tiny models, with their weights made again from the seed. See README.md. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checksum, seededTensor } from "./seeded-weights.ts";

export interface OracleTensor {
  /** Every value is exact in bf16 and f16 too: a file may store any of the three. */
  readonly dtype: "f32";
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

/** [position][channel or token]. Positions count on through the steps: the prompt's, then one for each step. */
export type Rows = readonly (readonly number[])[];

/** What one layer chose for every position: the experts of its router, or the positions its indexer let a token see. */
export interface Choices {
  /** [position], each ascending. */
  readonly sets: readonly (readonly number[])[];
  /** [position]: from the least score taken to the greatest not taken, of a router's groups also; null: nothing was left
   * out. Where a gap is as small as the rounding of a score, another set is as good. Three digits. */
  readonly gaps: readonly (number | null)[];
}

export interface OracleCase {
  readonly name: string;
  /** config.json, as published models spell it. */
  readonly config: string;
  /** Tensors by their names in a checkpoint; those of a tied head are absent, as in a file. */
  readonly weights: () => ReadonlyMap<string, OracleTensor>;
  readonly ids: readonly number[];
  /** The greedy continuation: `steps[0]` is the best token after `ids`, each next one after the one before. */
  readonly steps: readonly number[];
  /** Outputs of `embed`, `block.0` to the last block, and `norm`, in this order: f64, rounded to 9 digits. */
  readonly hidden: ReadonlyMap<string, Rows>;
  /** Row p chooses the token at position p + 1: `logits[ids.length - 1]` has its greatest value at `steps[0]`. */
  readonly logits: Rows;
  /** By layer; none in dense layers. */
  readonly experts: ReadonlyMap<number, Choices>;
  /** By layer; none without an indexer. */
  readonly selected: ReadonlyMap<number, Choices>;
  /** How far the unchanged reference, with its f32 parts, is from these numbers at most. */
  readonly f32Parts: number;
}

interface RecordedTensor {
  readonly shape: readonly number[];
  readonly checksum: string;
  /** The tensor whose values it has: published files hold some twice. */
  readonly as?: string;
}

export interface Recording {
  readonly name: string;
  readonly seed: number;
  readonly config: object;
  readonly tensors: Readonly<Record<string, RecordedTensor>>;
  readonly ids: readonly number[];
  readonly steps: readonly number[];
  readonly f32_parts: number;
  readonly hidden: Readonly<Record<string, Rows>>;
  readonly logits: Rows;
  readonly experts?: Readonly<Record<string, { readonly experts: Sets; readonly gaps: Choices["gaps"] }>>;
  readonly selected?: Readonly<Record<string, { readonly positions: Sets; readonly gaps: Choices["gaps"] }>>;
}
type Sets = Choices["sets"];

/** `recorded` and the like. */
export const folderOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const dense = folderOf("recorded");
const sparse = folderOf("recorded-sparse");

/** Half a unit of the ninth digit, and f64 rounding of sums of numbers up to 10: 100 roundings of 10 · 2^-53. */
export const recordingError = (value: number): number => 5e-9 * Math.abs(value) + 100 * 10 * 2 ** -53;

export const namesIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .sort();

export const caseNames: readonly string[] = namesIn(dense);
/** Those with latent attention and experts. */
export const sparseCaseNames: readonly string[] = namesIn(sparse);

export const loadCase = (name: string): OracleCase => loadFrom(dense, name);
export const loadSparseCase = (name: string): OracleCase => loadFrom(sparse, name);

export const read = <T>(folder: string, name: string): T => JSON.parse(readFileSync(`${folder}/${name}.json`, "utf8"));

const loadFrom = (folder: string, name: string): OracleCase => caseOf(read<Recording>(folder, name));

export function caseOf(recording: Recording): OracleCase {
  const { name } = recording;
  const { ids, steps, logits } = recording;
  return {
    name,
    config: JSON.stringify(recording.config, null, 2),
    weights: () => weightsOf(recording),
    ids,
    steps,
    hidden: new Map(Object.entries(recording.hidden)),
    logits,
    experts: byLayer(recording.experts, ({ experts, gaps }) => ({ sets: experts, gaps })),
    selected: byLayer(recording.selected, ({ positions, gaps }) => ({ sets: positions, gaps })),
    f32Parts: recording.f32_parts,
  };
}

const byLayer = <T>(made: Readonly<Record<string, T>> | undefined, read: (rows: T) => Choices) =>
  new Map(Object.entries(made ?? {}).map(([layer, rows]) => [Number(layer), read(rows)] as const));

function weightsOf({ name, seed, tensors }: Recording): ReadonlyMap<string, OracleTensor> {
  return new Map(
    Object.entries(tensors).map(([tensor, { shape, checksum: recorded, as }]) => {
      const data = seededTensor(seed, as ?? tensor, shape);
      const found = checksum(data);
      if (found !== recorded) throw new Error(`${name}: ${tensor} has checksum ${found}, recorded is ${recorded}`);
      return [tensor, { dtype: "f32", shape, data }];
    }),
  );
}
