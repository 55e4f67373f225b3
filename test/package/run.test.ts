/** `dsc run` from packages: compiled into the cache, found there again, and a folder of one as it is. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type BenchResult, benchText } from "../../compiler/cli/bench/report.ts";
import { runInside } from "../cli/run-inside.ts";
import { root } from "../conformance/bind-text.ts";
import { writeStories } from "../real/stories-checkpoint.ts";
import { readStoriesData, type StoriesData, whyNoStories } from "../real/stories-data.ts";

const model = join(root, "models/deepseek-llm.ds");

describe.skipIf(whyNoStories !== "")(`dsc run from a package${whyNoStories}`, () => {
  let folder = "";
  let data: StoriesData;
  const run = (...args: readonly string[]) => runInside(["run", ...args], folder);
  const packages = (): readonly string[] => readdirSync(join(folder, "cache"));
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dsc-run-"));
    vi.stubEnv("DSC_CACHE", join(folder, "cache"));
    data = readStoriesData();
    await writeStories(join(folder, "stories"), data.weights, data.tok512);
    writeFileSync(join(folder, "package.json"), "{}");
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  test("a .ds file is compiled once, and its package runs as it is", { timeout: 60_000 }, async () => {
    const [first] = data.cases;
    if (first === undefined) throw new Error("there are no recorded cases");
    const { prompt, prompt_ids, ids } = first;
    const line = ["--weights", "stories", "--prompt", prompt, "--json", "--threads", "1"];
    const most = ["--max-tokens", String(ids.length - prompt_ids.length)];
    const compiled = await run(model, "--backend", "wasm", ...line, ...most);
    expect(compiled).toMatchObject({ code: 0, error: "" });
    expect(JSON.parse(compiled.out)).toMatchObject({ prompt: prompt_ids, ids: ids.slice(prompt_ids.length) });
    const [found = ""] = packages();
    const again = await run(model, "--backend", "wasm", ...line, "--max-tokens", "3");
    expect(JSON.parse(again.out).ids).toEqual(ids.slice(prompt_ids.length, prompt_ids.length + 3));
    expect(packages()).toEqual([found]);
    const own = await run(join("cache", found), ...line, "--max-tokens", "3");
    expect(JSON.parse(own.out).ids).toEqual(JSON.parse(again.out).ids);

    writeFileSync(join(folder, "ids.json"), JSON.stringify(ids.slice(0, 12)));
    const rows = async (...args: readonly string[]): Promise<readonly (readonly number[])[]> => {
      const ran = await runInside(
        ["logits", ...args, "--weights", "stories", "--tokens", "ids.json", "--out", "-"],
        folder,
      );
      return JSON.parse(ran.out).logits;
    };
    const right = await rows(model);
    expect(right).toHaveLength(12);
    for (const chunk of ["12", "5"])
      for (const [t, row] of (await rows(join("cache", found), "--chunk", chunk)).entries())
        for (const [v, x] of row.entries()) expect(Math.abs(x - (right[t]?.[v] ?? Number.NaN))).toBeLessThan(1e-4);

    const asked = (...args: readonly string[]) =>
      run(join("cache", found), "--weights", "stories", "--ids", "1", ...args);
    expect(await asked("--weights-type", "bf16")).toMatchObject({
      code: 2,
      error: expect.stringContaining("a package is"),
    });
    expect(await asked("--taps", "layer.y", "--json")).toMatchObject({ code: 2 });
    expect(await run(join("cache", found), "--weights", "cache", "--ids", "1")).toMatchObject({
      code: 3,
      error: expect.stringContaining("no .safetensors"),
    });
  });

  test("a bench says how fast, and which share of the machine that is", { timeout: 60_000 }, async () => {
    const line = ["bench", join("cache", packages()[0] ?? ""), "--weights", "stories", "--threads", "1"];
    const few = ["--prompt", "8", "--tokens", "4", "--runs", "1"];
    const { code, out } = await runInside([...line, ...few, "--json"], folder);
    const told: BenchResult = JSON.parse(out);
    expect({ code, told }).toMatchObject({
      code: 0,
      told: { model: "deepseek_llm", threads: 1, compileSeconds: null },
    });
    const { limits, memory, prefillSeconds, decodeSeconds } = told;
    for (const x of [
      (limits?.bytesPerSecond ?? 0) / 1e8,
      (limits?.flopsPerSecond ?? 0) / 1e8,
      prefillSeconds.best,
      decodeSeconds.median,
    ])
      expect(x).toBeGreaterThan(x > 1 ? 1 : 0);
    expect(memory.arenaPeak / memory.arena).toBeGreaterThan(0.95);
    expect(benchText(told)).toMatch(
      /^deepseek_llm: 1 thread, .*\n {2}prefill .* of [\d.]+ GFLOP\/s\n {2}decode .* of [\d.]+ GB\/s\n/,
    );
    const long = await runInside([...line, "--prompt", "600"], folder);
    expect(long).toMatchObject({ code: 2, error: expect.stringContaining("beyond the context of 512") });
  });

  test("a checkpoint in f32 runs with its weights kept in bf16", { timeout: 60_000 }, async () => {
    const line = ["--weights", "stories", "--ids", "1", "--max-tokens", "2", "--json", "--threads", "1"];
    const { code, error, out } = await run(model, "--backend", "wasm", "--weights-type", "bf16", ...line);
    expect({ code, error }).toEqual({ code: 0, error: "" });
    expect(JSON.parse(out).ids).toHaveLength(2);
  });

  test("what is neither is refused, and options of packages for the reference", async () => {
    const line = ["--weights", "stories", "--ids", "1"];
    expect(await run("stories", "--backend", "wasm", ...line)).toMatchObject({
      code: 2,
      error: expect.stringContaining("neither a .ds file nor a package"),
    });
    expect(await run(model, "--threads", "2", ...line)).toMatchObject({ code: 2 });
    mkdirSync(join(folder, "broken"));
    writeFileSync(join(folder, "broken/program.json"), "{}");
    writeFileSync(join(folder, "broken/index.js"), "export const load = 1;");
    expect(await run("broken", ...line)).toMatchObject({
      code: 1,
      error: expect.stringContaining("broken is no package that this dsc runs"),
    });
  });
});
