/** A recorded model as `dsc compile` packs it, beside its checkpoint, loaded from there. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { writeSafetensors } from "../../../runtime/formats/write-safetensors.ts";
import type { LoadOptions } from "../../../runtime/package/load-options.ts";
import type { Model } from "../../../runtime/package/model.ts";
import { runInside } from "../../cli/run-inside.ts";
import { root } from "../bind-text.ts";

export interface OraclePackage {
  readonly model: Model;
  readonly remove: () => void;
}

export interface Packed {
  readonly config: string;
  readonly weights: () => ReadonlyMap<string, StoredTensor>;
}
interface StoredTensor {
  readonly dtype: keyof typeof tags;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}
const tags = { f32: "F32", i32: "I32", f8_e4m3: "F8_E4M3", f8_e8m0: "F8_E8M0" } as const;

export interface PackageOptions {
  /** `deepseek-v2`; or a text of its own. */
  readonly text: string | { readonly own: string };
  /** Of `dsc compile`. */
  readonly options?: readonly string[];
  readonly load?: Omit<LoadOptions, "weights">;
}

/** A model as `dsc compile` packs it, for any weights. */
export interface CompiledOracle {
  /** Gives what has to be disposed of before `remove`. Throws what loading throws. */
  readonly load: (weights: ReadonlyMap<string, StoredTensor>, options?: PackageOptions["load"]) => Promise<Model>;
  readonly remove: () => void;
}

export async function compileOracle(
  config: string,
  { text, options = [] }: Omit<PackageOptions, "load">,
): Promise<CompiledOracle> {
  const folder = mkdtempSync(join(tmpdir(), "dsc-oracle-"));
  writeFileSync(join(folder, "config.json"), config);
  const entryFile = typeof text === "string" ? join(root, `models/${text}.ds`) : join(folder, "model.ds");
  if (typeof text !== "string") writeFileSync(entryFile, text.own);
  const args = ["compile", entryFile, "--config", join(folder, "config.json"), "--out", "out"];
  const { code, error } = await runInside([...args, "--entry", "forward", ...options], folder);
  if (code !== 0) throw new Error(`dsc compile has ended with ${code}: ${error}`);
  const entry: { readonly load: (o: LoadOptions) => Promise<Model> } = await import(
    pathToFileURL(join(folder, "out/index.js")).href
  );
  return {
    load: async (weights, load = {}) => {
      const checkpoint = mkdtempSync(join(folder, "checkpoint-"));
      writeFileSync(join(checkpoint, "config.json"), config);
      await writeCheckpoint(join(checkpoint, "model.safetensors"), weights);
      return entry.load({ weights: checkpoint, threads: 1, ...load });
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function writeCheckpoint(file: string, weights: ReadonlyMap<string, StoredTensor>): Promise<void> {
  const tensors = [...weights].map(([name, { dtype, shape, data }]) => ({
    name,
    dtype: tags[dtype],
    shape,
    data: () => [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
  }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(tensors)) chunks.push(chunk);
  writeFileSync(file, Buffer.concat(chunks));
}

export async function packOracle(oracle: Packed, { load = {}, ...how }: PackageOptions): Promise<OraclePackage> {
  const compiled = await compileOracle(oracle.config, how);
  const model = await compiled.load(oracle.weights(), load);
  return {
    model,
    remove: () => {
      model.dispose();
      compiled.remove();
    },
  };
}
