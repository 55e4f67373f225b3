/** A text with a config as a package for WebGPU on disk, with seeded weights, and what the reference says of it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { webgpuPackages } from "../../backends/wgsl/compile-target.ts";
import { pathKey } from "../../compiler/cli/tiny/json-text.ts";
import { type PlacedTensor, placedTensors } from "../../compiler/cli/tiny/placed-tensors.ts";
import { seededNumbers } from "../../compiler/cli/tiny/seeded-numbers.ts";
import { tinyConfig } from "../../compiler/cli/tiny/tiny-config.ts";
import { type CompileTarget, compileModel } from "../../compiler/driver/compile.ts";
import { type CheckedProject, checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import { hashBytes, hashText } from "../../runtime/artifact/hash.ts";
import type { Program } from "../../runtime/artifact/program.ts";
import { writeSafetensors } from "../../runtime/formats/write-safetensors.ts";
import { type BoundText, bindText, readProject } from "../conformance/bind-text.ts";
import { publishedConfig } from "../models/published-configs.ts";

export interface MadeModel {
  readonly program: Program;
  /** Of the package, as a URL. */
  readonly base: string;
  readonly weights: string;
  /** Logits [ids.length, vocabulary] of a text, in f64. */
  readonly reference: (ids: readonly number[]) => Promise<readonly (readonly number[])[]>;
  /** Changes a file of the package, as if it had been compiled so. */
  readonly rewrite: (file: string, change: (text: string) => string) => void;
  readonly remove: () => void;
}

const cache = newParseCache();

/** A toy twin of a published config, of which the shared files hold a copy; `fixed`: sizes that are taken as they are. */
export function makeTwin(
  model: string,
  config: string,
  fixed: Readonly<Record<string, number>> = {},
): Promise<MadeModel> {
  const entry = `models/${model}.ds`;
  const published = publishedConfig(config);
  const check = (text: string): CheckedProject =>
    checkProject({ entry, read: readProject, cache, config: { path: "config.json", text } });
  const { bound } = check(published);
  if (bound === null) throw new Error("the published config is refused");
  const asked = Object.entries(fixed).map(([name, size]) => ({ path: [name], value: String(size) }));
  const twin = tinyConfig({ published, model: bound, fixed: new Map(asked.map((x) => [pathKey(x.path), x])), check });
  if ("diagnostics" in twin) throw new Error(twin.diagnostics.map(({ title }) => title).join("\n"));
  return makeModel(entry, twin.config);
}

/** The same where weights of more bytes are in pieces: what takes weights of 128 MiB takes these. */
export const targetWithWindows = (bytes: number): CompileTarget => ({
  ...webgpuPackages.target,
  cost: { ...webgpuPackages.target.cost, windowElements: bytes / 4 },
  kernel: { ...webgpuPackages.target.kernel, windowBytes: bytes },
});

interface MadeOf {
  readonly settings?: ReadonlyMap<string, string>;
  /** Numbers for a tensor, of those that its seed gives. */
  readonly numbers?: (t: PlacedTensor, seeded: Float64Array) => Float64Array;
}

/** `checks`: whether the package holds values to try its kernels by. */
export async function makeModel(
  entry: string,
  config: object | string,
  checks = true,
  target: CompileTarget = webgpuPackages.target,
  { settings = new Map(), numbers = (_, seeded) => seeded }: MadeOf = {},
): Promise<MadeModel> {
  const text = typeof config === "string" ? config : JSON.stringify(config);
  const checked = checkProject({
    entry,
    read: readProject,
    cache,
    config: { path: "config.json", text },
    settings,
  });
  const wrong = checked.diagnostics.find((d) => d.severity === "error");
  if (checked.bound === null || wrong !== undefined) throw new Error(wrong?.title ?? "no model");
  const compiled = compileModel({
    ...{ model: checked.bound, declared: checked.declared, target },
    ...{ entry: "forward", weights: "f32", compiler: "0" },
  });
  const { program, modules } = await webgpuPackages.emit(compiled);
  const kept = modules.filter(({ name }) => checks || name !== "checks.json");
  const files = new Map(kept.map(({ name, content }) => [`kernels/${name}`, String(content)]));
  const folder = mkdtempSync(join(tmpdir(), "dsc-webgpu-"));
  const write = (): void => {
    const hashes = [...files].map(([name, content]) => [name, hashText(hashBytes(new TextEncoder().encode(content)))]);
    for (const [name, content] of files) writeFileSync(join(folder, name), content);
    writeFileSync(join(folder, "program.json"), JSON.stringify({ ...program, modules: Object.fromEntries(hashes) }));
  };
  mkdirSync(join(folder, "kernels"));
  write();
  const tensors = placedTensors(checked).map((t) => ({ ...t, data: numbers(t, seededNumbers(1, t)) }));
  const stored = tensors.flatMap(({ name, copies, shape, type, role, data }) => {
    const [bytes, dtype] =
      role.kind === "indices"
        ? ([BigInt64Array.from(data, (x) => BigInt(x)), "I64"] as const)
        : type === "i8"
          ? ([Int8Array.from(data), "I8"] as const)
          : ([Float32Array.from(data), "F32"] as const);
    return [name, ...copies].map((one) => ({ name: one, dtype, shape, data: () => [new Uint8Array(bytes.buffer)] }));
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(stored)) chunks.push(chunk);
  const weights = join(folder, "model.safetensors");
  writeFileSync(weights, Buffer.concat(chunks));
  let bound: Promise<BoundText> | null = null;
  return {
    program,
    base: `${pathToFileURL(folder).href}/`,
    weights,
    reference: async (ids) => {
      bound ??= bindText({
        ...{ entry, config: text, settings, results: ["logits"] },
        tensors: new Map(tensors.map((t) => [t.name, { shape: t.shape, data: t.data }])),
      });
      const { forward, session } = await bound;
      session.reset();
      return forward(ids).results.get("logits") ?? [];
    },
    rewrite: (file, change) => {
      files.set(file, change(files.get(file) ?? ""));
      write();
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
