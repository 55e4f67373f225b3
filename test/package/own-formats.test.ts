/** A weight that the text declares in a format has the numbers of its codes, beside one that a storage block computes: everywhere the same. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Program } from "../../runtime/artifact/program.ts";
import { decodeE8m0 } from "../../runtime/formats/e8m0.ts";
import { decodeFloat, e4m3 } from "../../runtime/formats/float-format.ts";
import { writeSafetensors } from "../../runtime/formats/write-safetensors.ts";
import type { LoadOptions } from "../../runtime/package/load-options.ts";
import type { Model } from "../../runtime/package/model.ts";
import { runInside } from "../cli/run-inside.ts";

const [V, W, O] = [16, 8, 6];
const text = `import fp8_blocks from "std/quantization"

model coded {
  runtime T : dim in 1..16
  storage e4m3 as fp8_blocks(B: 4)
  weight table : [${V}, ${W}] e4m3     at "table.weight"
  weight scale : [${V}, ${W} / 4] e8m0 at "table.scale"
  weight head  : [${O}, ${W}]          at "head.weight"
  entry forward(ids: [T] in ${V}) -> (logits: [T, ${O}], next: [${O}]) {
    e[t,w]      := table[ids[t],w] * scale[ids[t], w div 4]
    logits[t,o] := head[o,w] * e[t,w]
    next        := logits[T - 1]
  }
}
`;
const codes = (count: number, by: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => (((i * by + 3) & 0x7f) % 120) | ((i & 1) << 7));
const [table, head] = [codes(V * W, 29), codes(O * W, 53)];
const scale = Uint8Array.from({ length: (V * W) / 4 }, (_, i) => 120 + (i % 12));
const headScale = Float32Array.from({ length: Math.ceil(O / 4) * (W / 4) }, (_, i) => 0.25 + i / 8);
const ids = [3, 0, 15, 7, 7, 12];
const want = ids.flatMap((id) =>
  Array.from({ length: O }, (_, o) => {
    const terms = Array.from({ length: W }, (_, w) => {
      const e = decodeFloat(e4m3, table[id * W + w] ?? 0) * decodeE8m0(scale[id * (W / 4) + Math.floor(w / 4)] ?? 0);
      const by = headScale[Math.floor(o / 4) * (W / 4) + Math.floor(w / 4)] ?? Number.NaN;
      return decodeFloat(e4m3, head[o * W + w] ?? 0) * by * e;
    });
    return terms.reduce((a, b) => a + b, 0);
  }),
);
const most = Math.max(...want.map(Math.abs));
function expectNear(got: ArrayLike<number>): void {
  expect(got).toHaveLength(want.length);
  for (const [i, x] of want.entries()) expect(Math.abs((got[i] ?? Number.NaN) - x) / most, `${i}`).toBeLessThan(1e-6);
}

const folder = mkdtempSync(join(tmpdir(), "dsc-own-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  writeFileSync(at("coded.ds"), text);
  writeFileSync(at("config.json"), "{}");
  writeFileSync(at("ids.json"), JSON.stringify(ids));
  const tensors = [
    { name: "table.weight", dtype: "F8_E4M3" as const, shape: [V, W], bytes: table },
    { name: "table.scale", dtype: "F8_E8M0" as const, shape: [V, W / 4], bytes: scale },
    { name: "head.weight", dtype: "F8_E4M3" as const, shape: [O, W], bytes: head },
    { name: "head.weight_scale_inv", dtype: "F32" as const, shape: [2, 2], bytes: new Uint8Array(headScale.buffer) },
  ];
  const chunks: Uint8Array[] = [];
  for await (const c of writeSafetensors(tensors.map((t) => ({ ...t, data: () => [t.bytes] })))) chunks.push(c);
  writeFileSync(at("model.safetensors"), Buffer.concat(chunks));
  const header = Object.fromEntries(tensors.map(({ name, dtype, shape }) => [name, { dtype, shape }]));
  writeFileSync(at("header.json"), JSON.stringify(header));
});

test("the text and the checkpoint agree", async () => {
  const { code, out, error } = await runInside(
    ["check", "coded.ds", "--config", "config.json", "--weights", "header.json"],
    folder,
  );
  expect(`${out}${error}`).not.toContain("error");
  expect(code).toBe(0);
});

test("the reference", async () => {
  const { code, error } = await runInside(
    ["logits", "coded.ds", "--weights", ".", "--tokens", "ids.json", "--out", "logits.json"],
    folder,
  );
  expect(code, error).toBe(0);
  const found: { readonly logits: readonly (readonly number[])[] } = JSON.parse(
    readFileSync(at("logits.json"), "utf8"),
  );
  expectNear(found.logits.flat());
});

test.each(["f32", "bf16", "f16"])(
  "a package whose weights are %s keeps codes in half of that, and exactly",
  async (type) => {
    const out = `out-${type}`;
    const args = ["compile", "coded.ds", "--config", "config.json", "--out", out, "--weights-type", type];
    const { code, error } = await runInside([...args, "--entry", "forward"], folder);
    expect(code, error).toBe(0);
    const program: Program = JSON.parse(readFileSync(join(folder, out, "program.json"), "utf8"));
    expect(program.weights.map(({ name, elem, format }) => [name, elem, format])).toEqual(
      expect.arrayContaining([
        ["table", "bf16", "e4m3"],
        ["scale", "bf16", "e8m0"],
        ["head", type, undefined],
      ]),
    );
    const entry: { readonly load: (o: LoadOptions) => Promise<Model> } = await import(
      pathToFileURL(join(folder, out, "index.js")).href
    );
    const model = await entry.load({ weights: folder, threads: 1, narrow: type !== "f32" });
    try {
      expectNear(await model.session().forward(ids, { all: true }));
    } finally {
      model.dispose();
    }
  },
);
