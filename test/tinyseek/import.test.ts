/** `dsc import` on TinySeek's folder: nothing is wrong with it, and its constants of hashed n-grams are those that follow. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { runInside } from "../cli/run-inside.ts";
import { tinyseek, whyUntrained } from "./golden.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dsc-tinyseek-import-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const copied = (...names: readonly string[]): void => {
  for (const name of names) copyFileSync(join(tinyseek, name), join(folder, name));
};
const importJson = async () => {
  const { code, out } = await runInside(["import", folder, "--json"], folder);
  return { code, report: JSON.parse(out) };
};
async function tokenMapOf(place: string): Promise<readonly number[]> {
  const weights = await openWeights(place);
  const map = await weights.read("model.layers.1.engram.token_map");
  await weights.close();
  return [...map];
}

test("the constants of its config follow from the rest of it and from its tokenizer", async () => {
  copied("tokenizer.json");
  const whole = JSON.parse(readFileSync(join(tinyseek, "config.json"), "utf8"));
  const { multipliers, primes, compressed_vocab_size, ...rest } = whole.engram;
  expect([multipliers, primes, compressed_vocab_size]).not.toContain(undefined);
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...whole, engram: rest }));
  await importJson();
  expect(JSON.parse(readFileSync(join(folder, "config.dsc.json"), "utf8"))).toEqual(whole);
});

test.skipIf(whyUntrained !== "")(`its folder is complete and has no problem${whyUntrained}`, async () => {
  copied("config.json", "tokenizer.json", "model.safetensors");
  const { code, report } = await importJson();
  expect({ code, report }).toMatchObject({ code: 0, report: { ok: true, problems: [], model: { name: "tinyseek" } } });
  expect(report.constants.files).toEqual([]);
  expect(JSON.stringify(report.constants)).not.toContain("differ");
});

test.skipIf(whyUntrained !== "")(
  `the token map that it was trained with is that of its tokenizer${whyUntrained}`,
  async () => {
    copied("config.json", "tokenizer.json");
    await importJson();
    const map = await tokenMapOf(join(folder, "extra.dsc.safetensors"));
    expect(map).toHaveLength(512);
    expect(await tokenMapOf(tinyseek)).toEqual(map);
  },
);
