/** A trained model from its files to its text: stories260K, against what its authors' C program writes. */
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readTokenizer } from "../../runtime/text/tokenizer.ts";
import { dsc, project } from "../cli/run-dsc.ts";
import { type BoundText, bindText, type Rows, root } from "../conformance/bind-text.ts";
import { readStories, writeStories } from "./stories-checkpoint.ts";
import { readStoriesData, type StoriesData, whyNoStories } from "./stories-data.ts";
import { storiesTokenizerJson } from "./stories-tokenizer.ts";

const full = process.env["DSC_FULL"] === "1";
const model = join(root, "models/deepseek-llm.ds");
const bestOf = (row: readonly number[]): number => row.indexOf(Math.max(...row));

describe.skipIf(whyNoStories !== "")(`stories260K${whyNoStories}`, () => {
  let data: StoriesData;
  let bound: BoundText;
  beforeAll(async () => {
    data = readStoriesData();
    const { config, tensors } = readStories(data.weights);
    bound = await bindText({ entry: "models/deepseek-llm.ds", config, tensors, results: ["logits"] });
  });

  const logitsOf = (ids: readonly number[]): Rows => bound.forward(ids).results.get("logits") ?? [];

  test("writes the recorded ids, token by token, with the recorded logits", () => {
    expect(data.cases.length).toBeGreaterThan(4);
    for (const { prompt_ids, ids, logits, prompt } of data.cases) {
      bound.session.reset();
      const rows = [...logitsOf(prompt_ids)];
      const written = [...prompt_ids];
      while (written.length < ids.length) {
        const best = bestOf(rows.at(-1) ?? []);
        written.push(best);
        rows.push(...logitsOf([best]));
      }
      expect(written, prompt).toEqual(ids);
      for (const { pos, top5, sum } of logits) {
        const row = rows[pos] ?? [];
        for (const [id, logit] of top5) expect(Math.abs((row[id] ?? Number.NaN) - logit)).toBeLessThan(1e-4);
        // 512 of them
        expect(Math.abs(row.reduce((a, b) => a + b, 0) - sum)).toBeLessThan(512 * 1e-4);
      }
    }
  });

  test("loses 1.3435 nats a token on eight stories", () => {
    const tokenizer = readTokenizer({ tokenizer: storiesTokenizerJson(data.tok512) });
    const stories = (data.corpus ?? []).slice(0, 8);
    if (data.corpus === null) throw new Error("DSC_TEST_DATA has no data/corpora/tinystories-sample.txt");
    let [nats, count] = [0, 0];
    for (const story of stories) {
      const ids = tokenizer.encode(story, "as-configured").slice(0, 256);
      bound.session.reset();
      for (const [t, row] of logitsOf(ids.slice(0, -1)).entries()) {
        const most = Math.max(...row);
        const z = row.reduce((sum, x) => sum + Math.exp(x - most), 0);
        nats += most + Math.log(z) - (row[ids[t + 1] ?? 0] ?? Number.NaN);
        count += 1;
      }
    }
    expect(count).toBe(data.loss.tokens);
    expect(Math.abs(nats / count - data.loss.nats_per_token)).toBeLessThan(1e-3);
  });

  test("through the command line", async () => {
    const cwd = project({});
    await writeStories(join(cwd, "stories"), data.weights, data.tok512);
    // A process takes seconds where the other tests keep the machine busy: all six prompts in the full tests only.
    const cases = full ? data.cases : data.cases.filter(({ text }, i) => i === 0 || text === undefined);
    for (const { prompt, prompt_ids, ids, text } of cases) {
      const count = String(ids.length - prompt_ids.length);
      const args = [
        "run",
        model,
        "--weights",
        "stories",
        "--prompt",
        prompt,
        "--max-tokens",
        count,
        "--temperature",
        "0",
      ];
      if (text === undefined) {
        const ran = await dsc([...args, "--json"], { cwd });
        expect(JSON.parse(ran.out)).toMatchObject({ prompt: prompt_ids, ids: ids.slice(prompt_ids.length) });
        continue;
      }
      const { code, out, error } = await dsc(args, { cwd });
      expect({ code, text: prompt + out }).toEqual({ code: 0, text: `${text}\n` });
      expect(error).toMatch(
        /^\d+ prompt tokens in .* s; \d+ tokens at .* a second; stopped: as many tokens as were asked/,
      );
    }
  });
});
