/** What each part of TinySeek is worth: with one thing off or wrong, stories that it has not seen become less likely. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storiesCorpus } from "../real/stories-data.ts";
import { ablations, type Commands, openCommands, targets, whole } from "./commands.ts";
import { type Golden, goldenPrompt, readGolden, whyUntrained } from "./golden.ts";

const why =
  process.env["DSC_FULL"] !== "1"
    ? " (skipped: in full mode only)"
    : whyUntrained !== ""
      ? whyUntrained
      : storiesCorpus === null
        ? " (skipped: DSC_TEST_DATA has no data/corpora/tinystories-sample.txt)"
        : "";

/** Nats a token that stories become less likely by: at least and at most. Of the wrong ones about half of what was seen. */
interface Effect {
  readonly least: number;
  readonly most: number;
}
const anything = Number.POSITIVE_INFINITY;
const effects: Readonly<Record<string, Effect>> = {
  "attention-halves": { least: 0.3, most: anything },
  // what an indexer leaves out is hardly missed: that is what it is for
  "dense-attention": { least: -0.02, most: 0.02 },
  "indexer-pairs": { least: 0.04, most: anything },
  "no-engram": { least: 0.9, most: anything },
  "no-router-bias": { least: 0.001, most: anything },
  "no-shared-expert": { least: 0.12, most: anything },
  "one-expert": { least: 0.025, most: anything },
  "random-selection": { least: 0.3, most: anything },
  // the draft module is no part of what is said
  "swapped-draft": { least: 0, most: 0 },
  "unnormed-experts": { least: 0.03, most: anything },
};
/** Of a hundred drafts so many fewer are right where the projection takes its two halves the other way round. */
const leastFewerDrafts = 45;
const stories = 10;

describe.skipIf(why !== "").each(targets)(`what TinySeek is made of, %s${why}`, (backend) => {
  let golden: Golden;
  let commands: Commands;
  let plain: number;
  const lossOf = async (text: string) => commands.losses(text, { backend, corpus: storiesCorpus ?? "", stories });
  beforeAll(async () => {
    golden = readGolden();
    commands = openCommands();
    plain = (await lossOf(whole)).mean;
  }, 900_000);
  afterAll(() => commands?.remove());

  test("nothing is left out", () => {
    expect([...ablations.keys()].sort()).toEqual(Object.keys(effects).sort());
    expect(Object.keys(golden.held_out.switched).filter((name) => !ablations.has(name))).toEqual([]);
  });

  test.each([...ablations])("%s", async (name, text) => {
    const { mean, losses } = await lossOf(text);
    const { least, most } = effects[name] ?? { least: Number.NaN, most: Number.NaN };
    expect(mean - plain).toBeGreaterThanOrEqual(least);
    expect(mean - plain).toBeLessThanOrEqual(most);
    const recorded = golden.held_out.switched[name] ?? [];
    for (const [i, loss] of recorded.entries())
      expect(Math.abs((losses[i] ?? Number.NaN) - loss), `story ${i}, against PyTorch`).toBeLessThan(1e-3);
  });

  test("the halves of what the draft module is given are told apart", async () => {
    const { prompt, ids } = goldenPrompt(golden, "name");
    const rightOf = async (text: string): Promise<number> => {
      const said = await commands.write(text, { backend, prompt, count: ids.length, draft: 1 });
      expect(said.ids).toEqual(ids);
      return (100 * (said.statistics.accepted ?? 0)) / (said.statistics.drafted ?? Number.NaN);
    };
    const swapped = ablations.get("swapped-draft") ?? "";
    expect((await rightOf(whole)) - (await rightOf(swapped))).toBeGreaterThan(leastFewerDrafts);
  });
});
