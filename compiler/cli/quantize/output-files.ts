/** The files of the folder that is written: shards as they were divided, their index, configs, and what says how text is read. */
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { findDtype } from "../../../runtime/formats/dtypes.ts";
import { layOutSafetensors, type TensorData, writeSafetensors } from "../../../runtime/formats/write-safetensors.ts";
import { extraFile } from "../../../runtime/weights/extra-tensors.ts";
import type { TensorInfo } from "../../../runtime/weights/weights.ts";
import type { FileToWrite } from "../tiny/write-folder.ts";
import type { Choice } from "./choose-tensors.ts";
import { type PackOptions, packedData } from "./pack-tensor.ts";

const wholeFile = "model.safetensors";
export const indexFile = "model.safetensors.index.json";

/** Beside weights in a downloaded folder, and as true of the packed ones: tokenizer, templates, endings, licences. */
const carried = [
  /^tokenizer([._-].*)?\.(json|model)$/,
  /^(special_tokens_map|added_tokens|generation_config|vocab)\.json$/,
  /^(merges|vocab)\.txt$/,
  /^chat_template\.(jinja|json)$/,
  /^(licen[cs]e|notice)/i,
];

export interface WrittenFile {
  readonly name: string;
  readonly tensors: readonly TensorData[];
}

/** One for each file of the checkpoint. A checkpoint that is one file is called as usual. */
export function weightFiles({ packed }: Choice, options: PackOptions): readonly WrittenFile[] {
  const { source, signal } = options;
  const forms = new Map(packed.map((tensor) => [tensor.name, tensor]));
  const names = [...source.metadata.keys()];
  const own = names.filter((name) => name !== extraFile);
  const dataOf = ({ name, dtype, shape }: TensorInfo): readonly TensorData[] => {
    const tensor = forms.get(name);
    return tensor === undefined
      ? [{ name, dtype, shape, data: () => source.pieces(name, { signal }) }]
      : packedData(tensor, options);
  };
  return names.map((name) => ({
    name: name !== extraFile && own.length === 1 ? wholeFile : name,
    tensors: [...source.tensors.values()].filter(({ file }) => file === name).flatMap(dataOf),
  }));
}

/** The index of several files; null where there is one. */
export function indexOf(files: readonly WrittenFile[]): string | null {
  const shards = files.filter(({ name }) => name !== extraFile);
  if (shards.length < 2) return null;
  const places = shards.flatMap(({ name, tensors }) => tensors.map((t) => [t.name, name] as const));
  const total = shards.reduce((sum, { tensors }) => sum + tensors.reduce((n, t) => n + bytesOf(t), 0), 0);
  const map = Object.fromEntries(places.sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ metadata: { total_size: total }, weight_map: map }, null, 2)}\n`;
}

export const bytesOf = ({ dtype, shape }: Pick<TensorInfo, "dtype" | "shape">): number =>
  (shape.reduce((n, d) => n * d, 1) * (findDtype(dtype)?.bits ?? 8)) / 8;

/** `metadata`: what the checkpoint's files say of themselves. Throws WeightsError where a file cannot be laid out. */
export function weightsToWrite(
  files: readonly WrittenFile[],
  metadata: ReadonlyMap<string, ReadonlyMap<string, string>>,
): readonly FileToWrite[] {
  const sources = [...metadata.values()];
  return files.map(({ name, tensors }, i) => {
    const options = { file: name, metadata: sources[i] ?? new Map() };
    layOutSafetensors(tensors, options);
    return { name, chunks: () => writeSafetensors(tensors, options) };
  });
}

export const textToWrite = ({ name, text }: { readonly name: string; readonly text: string }): FileToWrite => ({
  name,
  chunks: async function* () {
    yield new TextEncoder().encode(text);
  },
});

export async function carriedFiles(folder: string): Promise<readonly FileToWrite[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && carried.some((name) => name.test(entry.name)))
    .map(({ name }) => name)
    .sort()
    .map((name) => ({ name, chunks: () => createReadStream(join(folder, name)) }));
}
