/** A recorded model with an MTP layer as a package, with checkpoints of several seeds and some that lack tensors. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { writeSafetensors } from "../../runtime/formats/write-safetensors.ts";
import { loadPackage, type Model } from "../../runtime/package/entry.ts";
import type { LoadOptions } from "../../runtime/package/load-options.ts";
import type { Ran } from "../cli/run-dsc.ts";
import { runInside } from "../cli/run-inside.ts";
import { root } from "../conformance/bind-text.ts";
import type { OracleTensor } from "../oracle/cases.ts";
import type { MtpCase } from "../oracle/references.ts";
import { seededTensor } from "../oracle/seeded-weights.ts";

export interface MtpPackage {
  readonly load: (weights: ReadonlyMap<string, OracleTensor>, options?: Partial<LoadOptions>) => Promise<Model>;
  /** A command, where the package is `out` and the first weights that were loaded are `weights0`. */
  readonly run: (...args: readonly string[]) => Promise<Ran>;
  readonly remove: () => void;
}

export async function packMtp({ config, settings }: MtpCase, text: string): Promise<MtpPackage> {
  const folder = mkdtempSync(join(tmpdir(), "dsc-mtp-"));
  writeFileSync(join(folder, "config.json"), config);
  const set = [...settings].flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const args = ["compile", join(root, `models/${text}.ds`), "--config", "config.json", "--out", "out", ...set];
  const { code, error } = await runInside(args, folder);
  if (code !== 0) throw new Error(`dsc compile has ended with ${code}: ${error}`);
  const models: Model[] = [];
  let count = 0;
  return {
    load: async (weights, options = {}) => {
      const place = join(folder, `weights${count}`);
      count += 1;
      mkdirSync(place);
      await writeWeights(join(place, "model.safetensors"), weights);
      const model = await loadPackage(pathToFileURL(`${folder}/out/`), {
        weights: place,
        threads: 1,
        worker: pathToFileURL(join(folder, "out/runtime/worker.js")),
        ...options,
      });
      models.push(model);
      return model;
    },
    run: (...of) => runInside(of, folder),
    remove: () => {
      for (const model of models) model.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function writeWeights(file: string, weights: ReadonlyMap<string, OracleTensor>): Promise<void> {
  const tensors = [...weights].map(([name, { shape, data }]) => ({
    name,
    dtype: "F32" as const,
    shape,
    data: () => [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
  }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(tensors)) chunks.push(chunk);
  writeFileSync(file, Buffer.concat(chunks));
}

/**
 * Weights whose drafts are right as far as `scale` is small: what layers add to the residual is so many times less, the draft layer adds
 * nothing and takes the embedding of the token as it is. With 0 both hang on that token alone, in the same way.
 */
export function rigged({ config, weights }: MtpCase, scale: number): ReadonlyMap<string, OracleTensor> {
  const { num_hidden_layers: layers, hidden_size: width } = JSON.parse(config);
  const all = weights();
  const layer = `model.layers.${layers}.`;
  const norm = all.get("model.norm.weight")?.data;
  const numbers = (name: string, data: Float32Array): Float32Array => {
    if (/\.(?:o_proj|down_proj)\.weight$/.test(name)) return data.map((x) => x * (name.startsWith(layer) ? 0 : scale));
    switch (name.startsWith(layer) ? name.slice(layer.length) : "") {
      case "eh_proj.weight":
        return data.map((_, i) => (i % (2 * width) === Math.floor(i / (2 * width)) ? 1 : 0));
      case "enorm.weight":
        return data.map(() => 1);
      case "shared_head.norm.weight":
        return norm ?? data;
      default:
        return data;
    }
  };
  return new Map([...all].map(([name, tensor]) => [name, { ...tensor, data: numbers(name, tensor.data) }]));
}

/** Other weights for the same config. The copies in the MTP layer stay copies. */
export function reseeded({ weights }: MtpCase, seed: number): ReadonlyMap<string, OracleTensor> {
  const of = (name: string): string =>
    name
      .replace(/^model\.layers\.\d+\.embed_tokens\./, "model.embed_tokens.")
      .replace(/^model\.layers\.\d+\.shared_head\.head\./, "lm_head.");
  return new Map(
    [...weights()].map(([name, tensor]) => [name, { ...tensor, data: seededTensor(seed, of(name), tensor.shape) }]),
  );
}
