/** Finds and opens the weights that a path means: a folder as it is downloaded, an index, or one file. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { WeightsError, type WeightsErrorCode } from "../formats/weights-error.ts";
import type { ByteSource } from "../weights/byte-source.ts";
import { extraFile, withExtra } from "../weights/extra-tensors.ts";
import { type OpenOptions, openSafetensors, openShardedSafetensors } from "../weights/open-safetensors.ts";
import type { Weights } from "../weights/weights.ts";
import { isMissing, openFileSource, unreadable } from "./file-source.ts";

const single = ".safetensors";
const index = ".safetensors.index.json";
const pickles = [".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"];
const shardName = /-\d{5,}-of-\d{5,}\.safetensors$/;

/**
 * Opens a `.safetensors` file, a `.safetensors.index.json` with the shards beside it, or a folder that holds one of them. In a
 * folder `model.safetensors` or `model.safetensors.index.json` is taken; without them, a file of another name if it is
 * the only one. What is in `extraFile` beside it is part of it. Errors besides those of opening: not-found, ambiguous,
 * missing-index, pickle, unknown-format.
 */
export async function openWeights(path: string, options: OpenOptions = {}): Promise<Weights> {
  options.signal?.throwIfAborted();
  const file = await weightsFile(path);
  const weights = await openCheckpoint(file, options);
  if (basename(file) === extraFile) return weights;
  try {
    const source = await openIfThere(join(dirname(file), extraFile));
    return source === null ? weights : await withExtra(weights, await openSafetensors(source, options));
  } catch (error) {
    await weights.close();
    throw error;
  }
}

async function openCheckpoint(file: string, options: OpenOptions): Promise<Weights> {
  const source = await openFileSource(file);
  if (!file.endsWith(index)) return openSafetensors(source, options);
  return openShardedSafetensors(source, (shard) => openIfThere(join(dirname(file), shard)), options);
}

/** The one file to open. */
async function weightsFile(path: string): Promise<string> {
  const name = basename(path);
  const found = await stat(path).catch((cause: unknown) => {
    if (!isMissing(cause)) throw unreadable(name, cause);
    throw fault("not-found", name, "there is no such file or folder");
  });
  if (found.isDirectory()) return join(path, chooseFile(await filesIn(path), name));
  if (isPickle(name)) throw pickle(name);
  if (name.endsWith(single) || name.endsWith(index)) return path;
  throw fault("unknown-format", name, `weights are read from ${single} files and ${index} files`);
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(basename(folder), cause);
  });
  // Download caches hold links to the files.
  const files = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink());
  return files.map((entry) => entry.name).sort();
}

/** Which of a folder's files holds the weights. */
export function chooseFile(files: readonly string[], folder: string): string {
  const usual = files.filter((name) => name === `model${single}` || name === `model${index}`);
  const whole = files.filter((name) => name.endsWith(single) && name !== extraFile && !shardName.test(name));
  const indexes = files.filter((name) => name.endsWith(index));
  const candidates = usual.length > 0 ? usual : [...whole, ...indexes];
  const [first] = candidates;
  if (first !== undefined && candidates.length === 1) return first;
  if (candidates.length > 1)
    throw fault("ambiguous", folder, `the folder has several weights: ${shown(candidates)}; name the one to open`);
  const shard = files.find((name) => shardName.test(name));
  if (shard !== undefined)
    throw fault(
      "missing-index",
      folder,
      `the folder has shards such as ${shard}, but no model${index} that lists them`,
    );
  const pickled = files.find(isPickle);
  if (pickled !== undefined) throw pickle(pickled);
  throw fault("not-found", folder, `the folder has no ${single} file`);
}

const isPickle = (name: string): boolean => pickles.some((ending) => name.toLowerCase().endsWith(ending));

function pickle(name: string): WeightsError {
  const why = "this is a pickle file: reading it can run any code that was put into it, so it is refused";
  return fault("pickle", name, `${why}; convert it to safetensors where you trust it`);
}

async function openIfThere(path: string): Promise<ByteSource | null> {
  return openFileSource(path).catch((error: unknown) => {
    if (error instanceof WeightsError && error.code === "not-found") return null;
    throw error;
  });
}

const shown = (names: readonly string[]): string => names.slice(0, 4).join(", ") + (names.length > 4 ? ", …" : "");

const fault = (code: WeightsErrorCode, file: string, message: string): WeightsError =>
  new WeightsError({ code, file, message });
