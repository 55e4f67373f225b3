/** Packages for WebGPU as `dsc compile` writes them: what is in them, twice the same, small, and texts that Tint takes in all variants. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { hashBytes, hashText } from "../../runtime/artifact/hash.ts";
import { readKernelChecks } from "../../runtime/artifact/kernel-checks.ts";
import { readProgram } from "../../runtime/artifact/read-program.ts";
import { kernelTexts } from "../../runtime/webgpu/kernel-texts.ts";
import { runInside } from "../cli/run-inside.ts";
import { root } from "../conformance/bind-text.ts";
import { settingsOf, textOf } from "../conformance/text-of.ts";
import { caseNames, loadCase, loadSparseCase, type OracleCase, sparseCaseNames } from "../oracle/cases.ts";
import { loadReferenceCase, moeCaseNames } from "../oracle/references.ts";
import { Gpu } from "./gpu.ts";

const full = process.env["DSC_FULL"] === "1";
const tint = await Gpu.open("null");
const folder = mkdtempSync(join(tmpdir(), "dsc-webgpu-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  if (typeof tint !== "string") tint.close();
}, 60_000);

interface Packed extends Pick<OracleCase, "name" | "config"> {
  /** The file of its text, where that is none of `models/` itself. */
  readonly model?: string;
}
const tinyseek: Packed = {
  name: "TinySeek",
  config: readFileSync(join(root, "models/tinyseek/config.json"), "utf8"),
  model: "models/tinyseek/tinyseek.ds",
};

/** The files of a package, by name. */
async function compiled(
  { name, config, model }: Packed,
  weights: string,
  out: string,
): Promise<Map<string, Uint8Array>> {
  const place = join(folder, out);
  mkdirSync(place);
  writeFileSync(join(place, "config.json"), config);
  const settings = [...settingsOf(config)].flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const line = [
    "compile",
    join(root, model ?? `models/${textOf(config)}.ds`),
    "--config",
    "config.json",
    "--target",
    "webgpu",
    "--weights-type",
    weights,
  ];
  const { code, error } = await runInside([...line, "--out", "package", ...settings], place);
  if (code !== 0) throw new Error(`${name}: ${error}`);
  const names = readdirSync(join(place, "package"), { recursive: true, encoding: "utf8" }).sort();
  const files = names.filter((file) => statSync(join(place, "package", file)).isFile());
  return new Map(files.map((file) => [file, readFileSync(join(place, "package", file))]));
}
const text = (files: ReadonlyMap<string, Uint8Array>, name: string): string =>
  new TextDecoder().decode(files.get(name));
const sum = (files: readonly (readonly [string, Uint8Array])[], size: (bytes: Uint8Array) => number): number =>
  files.reduce((n, [, bytes]) => n + size(bytes), 0);
/** Of scripts and of WGSL: bytes as files, and as a server sends them. */
function sizesOf(files: ReadonlyMap<string, Uint8Array>) {
  const sizes = (end: string): { readonly files: number; readonly sent: number } => {
    const own = [...files].filter(([name]) => name.endsWith(end));
    return { files: sum(own, (bytes) => bytes.length), sent: sum(own, (bytes) => gzipSync(bytes).length) };
  };
  return [sizes(".js"), sizes(".wgsl")] as const;
}

test("a package has all that it needs, and no WebAssembly; it is small, and the same when it is made again", async () => {
  const oracle = loadCase("llama-gqa");
  const files = await compiled(oracle, "f32", "first");
  const program = readProgram(files.get("program.json") ?? new Uint8Array(0));
  const names = [...files.keys()].filter((name) => !name.startsWith("runtime/"));
  expect(names).toEqual([
    "LICENSES",
    "README.md",
    "index.d.ts",
    "index.js",
    "kernels/checks.json",
    "kernels/kernels.dsk",
    "kernels/plain.wgsl",
    "kernels/subgroups.wgsl",
    "package.json",
    "program.json",
  ]);
  expect(JSON.parse(text(files, "package.json")).dsc.target).toBe("webgpu");
  for (const name of [...files.keys()].filter((n) => n.endsWith(".js")))
    expect(text(files, name), name).not.toMatch(/WebAssembly|\.wasm/);

  expect(program.variants?.map(({ file, features, language }) => [file, features, language])).toEqual([
    ["kernels/subgroups.wgsl", ["subgroups"], ["subgroup_id"]],
    ["kernels/plain.wgsl", [], []],
  ]);
  const hashed = ["kernels/checks.json", "kernels/plain.wgsl", "kernels/subgroups.wgsl"];
  expect(Object.keys(program.modules ?? {}).sort()).toEqual(hashed);
  for (const name of hashed)
    expect(program.modules?.[name]).toBe(hashText(hashBytes(files.get(name) ?? new Uint8Array(0))));
  const [plainText, subgroupsText] = ["plain", "subgroups"].map((v) => text(files, `kernels/${v}.wgsl`));
  const plain = kernelTexts(plainText ?? "", null);
  const subgroups = kernelTexts(plainText ?? "", subgroupsText ?? "");
  let different = 0;
  for (const { name } of program.kernels) {
    expect(plain(name), name).toContain(`\nfn ${name}(`);
    expect(plain(name)).not.toMatch(/^enable|^requires/m);
    if (subgroups(name) === plain(name)) continue;
    expect(subgroups(name)).toMatch(/^enable subgroups;$/m);
    different += 1;
  }
  expect(different).toBeGreaterThan(5);
  expect(readKernelChecks(files.get("kernels/checks.json") ?? new Uint8Array(0), program).length).toBe(
    program.kernels.length,
  );
  // As files, and as a server sends them: more than a third of the scripts are what reads texts.
  const [scripts, texts] = sizesOf(files);
  expect(scripts.files).toBeLessThan(253_000);
  expect(texts.files).toBeLessThan(86_000);
  expect(scripts.sent).toBeLessThan(95_000);
  expect(texts.sent).toBeLessThan(16_000);

  const again = await compiled(oracle, "f32", "second");
  expect([...again.keys()]).toEqual([...files.keys()]);
  for (const [name, bytes] of files) expect(Buffer.compare(again.get(name) ?? Buffer.of(), bytes), name).toBe(0);
}, 180_000);

const recorded = (): readonly Packed[] => [
  ...caseNames.map(loadCase),
  ...sparseCaseNames.map(loadSparseCase),
  ...moeCaseNames.map(loadReferenceCase),
];
const models = full ? [...recorded(), tinyseek] : [loadCase("llama-gqa")];
/** Texts that were accepted: shapes are few. */
const known = new Set<string>();
const why = typeof tint === "string" ? ` (skipped: ${tint})` : full ? "" : " (all of them with DSC_FULL=1)";
describe.skipIf(typeof tint === "string")(`Tint${why}`, () => {
  if (typeof tint === "string") return;
  test.each(models.map((o, i) => [o.name, o, (["bf16", "f16", "f32"] as const)[i % 3] ?? "f32"] as const))(
    "%s",
    async (name, model, weights) => {
      const files = await compiled(model, full ? weights : "f16", `${name}-tint`);
      const { kernels, variants = [] } = readProgram(files.get("program.json") ?? new Uint8Array(0));
      const plain = text(files, variants.at(-1)?.file ?? "");
      const texts = variants.flatMap(({ file }, i) => {
        const textOf = kernelTexts(plain, i === variants.length - 1 ? null : text(files, file));
        return kernels.map((k) => [file, k.name, textOf(k.name) ?? "it is missing"] as const);
      });
      if (model === tinyseek) {
        // Sparse attention, experts, tables and drafts: 160 kernels, in four variants where weights are f16.
        const [scripts, own] = sizesOf(files);
        expect(own.files).toBeLessThan(870_000);
        expect(scripts.sent + own.sent).toBeLessThan(200_000);
      }
      if (full ? weights === "f16" : true) expect(variants.map((v) => v.file)).toContain("kernels/f16-subgroups.wgsl");
      for (const [file, kernel, wgsl] of texts.filter((_, i) => full || i % 5 === 0)) {
        const shape = wgsl.replace(/\/\/ .*$/gm, "").replaceAll(kernel, "run");
        if (known.has(shape)) continue;
        known.add(shape);
        expect(await tint.check(wgsl), `${file} ${kernel}`).toEqual([]);
      }
    },
    600_000,
  );
});
