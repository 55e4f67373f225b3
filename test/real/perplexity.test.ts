/** `dsc perplexity` on trained weights, against the loss that was recorded beside them. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runInside } from "../cli/run-inside.ts";
import { root } from "../conformance/bind-text.ts";
import { makeStoriesPackage, type StoriesPackage } from "../package/stories-package.ts";
import { storiesCorpus, whyNoStories } from "./stories-data.ts";

const why =
  whyNoStories !== "" || storiesCorpus !== null
    ? whyNoStories
    : " (skipped: DSC_TEST_DATA has no data/corpora/tinystories-sample.txt)";

describe.skipIf(why !== "")(`perplexity of stories260K${why}`, () => {
  let stories: StoriesPackage;
  beforeAll(async () => {
    stories = await makeStoriesPackage();
  }, 300_000);
  afterAll(() => stories?.remove());

  // Threads that wait for each other crawl where other tests hold the cores.
  const alone = ["--threads", "1"];
  const losses = async (model: string, ...args: readonly string[]) => {
    const text = ["--text", storiesCorpus ?? "", "--separator", "<|endoftext|>"];
    const ran = await runInside(
      ["perplexity", model, "--weights", "checkpoint", ...text, ...args, "--json"],
      stories.folder,
    );
    expect(ran).toMatchObject({ code: 0, error: "" });
    return JSON.parse(ran.out);
  };

  test("eight stories, each cut to 256 ids, on both ways to run the model", async () => {
    const { tokens, nats_per_token } = stories.data.loss;
    const cut = ["--first", "8", "--context", "256", "--cut"];
    const [compiled, reference] = [
      await losses("package", ...cut, ...alone),
      await losses(join(root, "models/deepseek-llm.ds"), ...cut),
    ];
    for (const found of [compiled, reference]) {
      expect(found).toMatchObject({ predictions: tokens, windows: 8 });
      expect(Math.abs(found.natsPerToken - nats_per_token)).toBeLessThan(1e-3);
    }
    expect(Math.abs(compiled.natsPerToken - reference.natsPerToken)).toBeLessThan(1e-5);
    expect(compiled.bytes).toBe(reference.bytes);
  });

  test("whole stories: every token once, and the bytes of the file", async () => {
    const whole = await losses("package", "--last", "2", ...alone);
    const own = (stories.data.corpus ?? []).slice(-2);
    expect(whole.documents.map((d: { readonly bytes: number }) => d.bytes)).toEqual(
      own.map((story) => Buffer.byteLength(story)),
    );
    const tokens = whole.documents.map((d: { readonly tokens: number }) => d.tokens);
    expect(whole.documents.map((d: { readonly predictions: number }) => d.predictions)).toEqual(tokens);
    expect(Math.max(...tokens)).toBeGreaterThan(whole.context);
    // What stands before a token helps: half of each window is told twice.
    const overlapping = await losses("package", "--last", "2", "--stride", "256", ...alone);
    expect(overlapping.predictions).toBe(whole.predictions);
    expect(overlapping.windows).toBeGreaterThan(whole.windows);
    expect(overlapping.natsPerToken).toBeLessThan(whole.natsPerToken);
  });
});
