/** A recorded model as `dsc compile` packs it, beside its checkpoint, loaded from there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { writeSafetensors } from "../../../runtime/formats/write-safetensors.ts";
import type { LoadOptions } from "../../../runtime/package/load-options.ts";
import type { Model } from "../../../runtime/package/model.ts";
import { runInside } from "../../cli/run-inside.ts";
import type { OracleCase } from "../../oracle/cases.ts";
import { root } from "../bind-text.ts";

export interface OraclePackage {
  readonly model: Model;
  readonly remove: () => void;
}

export interface PackageOptions {
  /** `deepseek-v2`. */
  readonly text: string;
  /** Of `dsc compile`. */
  readonly options?: readonly string[];
  readonly load?: Omit<LoadOptions, "weights">;
}

export async function packOracle(
  oracle: OracleCase,
  { text, options = [], load = {} }: PackageOptions,
): Promise<OraclePackage> {
  const folder = mkdtempSync(join(tmpdir(), "dsc-oracle-"));
  const checkpoint = join(folder, "checkpoint");
  mkdirSync(checkpoint);
  writeFileSync(join(checkpoint, "config.json"), oracle.config);
  const tensors = [...oracle.weights()].map(([name, { shape, data }]) => ({
    name,
    dtype: "F32" as const,
    shape,
    data: () => [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
  }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(tensors)) chunks.push(chunk);
  writeFileSync(join(checkpoint, "model.safetensors"), Buffer.concat(chunks));
  const args = [
    "compile",
    join(root, `models/${text}.ds`),
    "--config",
    join(checkpoint, "config.json"),
    "--out",
    "out",
  ];
  const { code, error } = await runInside([...args, "--entry", "forward", ...options], folder);
  if (code !== 0) throw new Error(`dsc compile has ended with ${code}: ${error}`);
  const entry: { readonly load: (o: LoadOptions) => Promise<Model> } = await import(
    pathToFileURL(join(folder, "out/index.js")).href
  );
  const model = await entry.load({ weights: checkpoint, threads: 1, ...load });
  return {
    model,
    remove: () => {
      model.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
