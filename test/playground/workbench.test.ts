/** The compiler over texts in memory, as the playground holds it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { playgroundFiles } from "../../compiler/cli/playground/playground-files.ts";
import type { Draft, RunEvent } from "../../compiler/cli/playground/protocol.ts";
import { runDraft } from "../../compiler/cli/playground/run-draft.ts";
import type { Texts } from "../../compiler/cli/playground/texts.ts";
import { Workbench } from "../../compiler/cli/playground/workbench.ts";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { chat, tokenizer } from "../../runtime/package/parts.ts";
import { readTextFiles } from "../../runtime/text/text-files.ts";
import type { Weights } from "../../runtime/weights/weights.ts";
import { chainText } from "../cli/chain-model.ts";
import { root } from "../conformance/bind-text.ts";
import { goldenPrompt, readGolden, tinyseek, whyUntrained } from "../tinyseek/golden.ts";

const files = await playgroundFiles({ folder: root, version: "0.0.0" });
const contentOf = (name: string): string | undefined => {
  if (!Array.isArray(files)) throw new Error("the playground's files could not be made");
  const content = files.find((file) => file.name === name)?.content;
  return typeof content === "string" || content === undefined ? content : new TextDecoder().decode(content);
};
const texts: Texts = JSON.parse(contentOf("texts.json") ?? "{}");
const bench = new Workbench(new Map(Object.entries(texts.texts)), texts.compiler);
const first: Draft = { entry: texts.first, edits: {}, config: texts.configs[texts.first] ?? null };
const chain: Draft = { entry: "chain.ds", edits: { "chain.ds": chainText }, config: `{ "vocab_size": 288 }` };

/** All but the first in the full tests only: they are checked elsewhere as well, from their files. */
const full = process.env["DSC_FULL"] === "1";

test("every text that comes along is right, and the one it opens with has a picture", { timeout: 120_000 }, () => {
  const models = Object.keys(texts.texts).filter(
    (path) => path.startsWith("models/") && (full || path === texts.first),
  );
  expect(models.length).toBeGreaterThan(full ? 8 : 0);
  for (const entry of models) expect(bench.check({ entry, edits: {}, config: null }).diagnostics).toEqual([]);
  const { picture, parameters } = bench.check(first);
  expect(picture?.svg).toMatch(/^<svg /);
  expect(picture?.text).toContain("tinyseek");
  expect(parameters).toBe(2_106_568);
});

test("an edit of the library is told where it is wrong; undone it is forgotten", () => {
  const text = texts.texts["std/mla.ds"] ?? "";
  const edits = { "std/mla.ds": text.replace("o[t,h,e] := p[t,h,s]", "o[t,h,e] := q[t,h,s]") };
  const { diagnostics, picture } = bench.check({ ...first, edits });
  const line = text.split("\n").findIndex((row) => row.includes("o[t,h,e] := p[t,h,s]")) + 1;
  expect(diagnostics[0]).toMatchObject({ severity: "error", path: "std/mla.ds", line });
  expect(diagnostics[0]?.text).toContain("unknown name `q`");
  expect(picture).toBeNull();
  expect(bench.check(first).diagnostics).toEqual([]);
});

test("kernels stand beside the lines that they come from", async () => {
  const phases = bench.plan(chain, false);
  const kernels = phases.flatMap((phase) => phase.kernels);
  const logits = kernels.find(({ definition }) => definition === "logits");
  const line = chainText.split("\n").findIndex((row) => row.includes("logits[t,v] :=")) + 1;
  expect(logits?.at).toEqual({ path: "chain.ds", line });
  expect(await bench.kernel(logits?.kernel ?? "")).toMatch(/^\/\/ .*logits \(chain\.ds:\d+:\d+\)[\s\S]*@compute/);
  for (const { kernels: own } of phases) expect(own.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
  await expect(bench.kernel("nobody")).rejects.toThrow("there is no kernel nobody");
  expect(() => bench.plan({ ...chain, config: null }, false)).toThrow("give the model a config.json");
});

describe("running", () => {
  const opened = async (): Promise<Weights> => {
    const weights = await openWeights(tinyseek);
    onTestFinished(weights.close);
    return weights;
  };
  const run = async (draft: Draft, weights: "own" | "seed", prompt: string, tokens: number): Promise<RunEvent[]> => {
    const events: RunEvent[] = [];
    await runDraft({
      ...{ bench, draft, ask: { weights, seed: 0, prompt, tokens } },
      own: async () => ({
        weights: await opened(),
        text: await readTextFiles(
          async (name) => {
            const known = name === "tokenizer.json" || name === "config.json";
            return known ? readFileSync(join(tinyseek, name), "utf8") : null;
          },
          { chat, tokenizer },
        ),
      }),
      tell: (event) => events.push(event),
      signal: new AbortController().signal,
      pause: async () => undefined,
    });
    return events;
  };

  test.skipIf(whyUntrained !== "")(
    `the trained weights write what is recorded${whyUntrained}`,
    { timeout: 120_000 },
    async () => {
      const { text, ids } = goldenPrompt(readGolden(), "opening");
      const events = await run(first, "own", text, 8);
      expect(events.flatMap(({ token }) => token ?? [])).toEqual(ids.slice(0, 8));
      expect(events.at(-1)?.best).toHaveLength(5);
    },
  );

  test("a large model is shrunk, and runs with numbers from a seed", { timeout: 120_000 }, async () => {
    const entry = "models/deepseek-v3.2.ds";
    const draft: Draft = { entry, edits: {}, config: texts.configs[entry] ?? null };
    const events = await run(draft, "seed", "1, 2, 3", 2);
    expect(events[0]?.about).toMatch(/^a toy twin .*hidden_size 7168 → \d+/);
    expect(events.flatMap(({ token }) => token ?? [])).toHaveLength(2);
    expect(await run(draft, "seed", "1 2 3", 2)).toMatchObject([
      {},
      ...events.slice(1).map(({ token }) => ({ token })),
    ]);
  });

  test("what cannot be run is said", async () => {
    await expect(run(chain, "seed", "1, 999", 1)).rejects.toThrow("ids of 0 … 287");
    await expect(run({ ...chain, config: null }, "seed", "1", 1)).rejects.toThrow("give the model a config.json");
    await expect(run(chain, "own", "a", 1)).rejects.toThrow("table.weight");
  });
});
