/** The small model as a package and a checkpoint on disk. */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Program } from "../../runtime/artifact/program.ts";
import type { DtypeName } from "../../runtime/formats/dtypes.ts";
import { writeSafetensors } from "../../runtime/formats/write-safetensors.ts";
import { floats } from "../kernels/data.ts";
import { kernelModule, sizes, type TinyWeights, tinyProgram } from "./tiny-program.ts";

const { V, D, L } = sizes;

export const tinyWeights: TinyWeights = {
  embed: floats(V * D, 1),
  g: Array.from({ length: L }, (_, l) => floats(D, 10 + l)),
};

export interface Tensor {
  readonly name: string;
  readonly dtype: DtypeName;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export const f32Tensor = (name: string, shape: readonly number[], values: Float32Array): Tensor => ({
  name,
  dtype: "F32",
  shape,
  bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
});

export const tinyTensors: readonly Tensor[] = [
  f32Tensor("model.embed.weight", [V, D], tinyWeights.embed),
  ...tinyWeights.g.map((g, l) => f32Tensor(`model.layers.${l}.g`, [D], g)),
];

export async function safetensors(tensors: readonly Tensor[]): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  const all = tensors.map(({ bytes, ...tensor }) => ({ ...tensor, data: () => [bytes] }));
  for await (const chunk of writeSafetensors(all)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** The same module over memory that workers share: the limits of its only import say so. */
export function sharedModule(module: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const name = [...new TextEncoder().encode("\u0003env\u0006memory"), 2, 1];
  const at = module.findIndex((_, i) => name.every((byte, j) => module[i + j] === byte));
  if (at < 0) throw new Error("the module imports no memory with a maximum");
  const shared = module.slice();
  shared[at + name.length - 1] = 3;
  return shared;
}

export interface PackageOnDisk {
  readonly folder: string;
  readonly base: URL;
  /** File with the weights, in a folder of its own. */
  readonly weights: string;
  readonly worker: URL;
}

export interface PackageChange {
  readonly program?: Program;
  /** `program.json` as it is to be, whatever it means. */
  readonly json?: string;
  readonly tensors?: readonly Tensor[];
  /** Without the modules for threads. */
  readonly single?: boolean;
  readonly module?: Uint8Array<ArrayBuffer>;
}

let workerText: Promise<string> | null = null;

/** A folder that the caller removes. */
export async function writePackage(change: PackageChange = {}): Promise<PackageOnDisk> {
  const folder = await mkdtemp(join(tmpdir(), "dsc-package-"));
  const put = (name: string, bytes: Uint8Array | string) => writeFile(join(folder, name), bytes);
  await mkdir(join(folder, "kernels"));
  await mkdir(join(folder, "weights"));
  const module = change.module ?? (await kernelModule());
  await put("program.json", change.json ?? JSON.stringify(change.program ?? tinyProgram));
  await put("kernels/simd.wasm", module);
  if (change.single !== true) await put("kernels/simd-threads.wasm", sharedModule(module));
  await put("weights/model.safetensors", await safetensors(change.tensors ?? tinyTensors));
  workerText ??= bundledWorker();
  await put("worker.mjs", await workerText);
  return {
    folder,
    base: pathToFileURL(`${folder}/`),
    weights: join(folder, "weights"),
    worker: pathToFileURL(join(folder, "worker.mjs")),
  };
}

async function bundledWorker(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ["runtime/package/worker.ts"],
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}
