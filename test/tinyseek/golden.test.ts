/** TinySeek on everything that runs models: what PyTorch says with the same weights, logit by logit and id by id. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storiesCorpus } from "../real/stories-data.ts";
import { type Commands, openCommands, ways, whole } from "./commands.ts";
import {
  draftsOneByOne,
  type Golden,
  goldenPrompt,
  promptNames,
  readGolden,
  weightsFile,
  whyUntrained,
} from "./golden.ts";
import { watchDrafts } from "./watch-drafts.ts";

const full = process.env["DSC_FULL"] === "1";
const written = 200;
/** Everyday: one way without compiling, on a prompt so long that positions are left out from its middle on. */
const looked = full
  ? ways.flatMap((way) => promptNames.map((name) => ({ ...way, name, steps: written })))
  : ways.slice(0, 1).map((way) => ({ ...way, name: "name" as const, steps: 40 }));
const drafted = full
  ? ways.flatMap((way) => promptNames.slice(0, way.prompts).map((name) => ({ ...way, name, count: written })))
  : ways.slice(0, 1).map((way) => ({ ...way, name: "opening" as const, count: 40 }));

const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const bestOf = (row: readonly number[]): number =>
  row.reduce((best, x, i) => (x > (row[best] ?? Number.NaN) ? i : best), 0);
/** The largest difference; infinite where one is no number. */
const apart = (got: readonly number[], want: readonly number[]): number =>
  got.length === want.length
    ? want.reduce((most, value, i) => {
        const off = Math.abs((got[i] ?? Number.NaN) - value);
        return Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(most, off);
      }, 0)
    : Number.POSITIVE_INFINITY;

describe.skipIf(whyUntrained !== "")(`TinySeek${whyUntrained}`, () => {
  let golden: Golden;
  let commands: Commands;
  beforeAll(() => {
    golden = readGolden();
    commands = openCommands();
  });
  afterAll(() => commands?.remove());

  test("what is recorded is of these weights, and of five prompts", () => {
    expect(createHash("sha256").update(readFileSync(weightsFile)).digest("hex")).toBe(golden.weights);
    expect(golden.prompts.map(({ name }) => name)).toEqual(promptNames);
    for (const { ids, prompt, chosen } of golden.prompts)
      expect([ids.length, prompt[0], chosen.length]).toEqual([written, 1, written]);
  });

  test.each(looked)("$backend, $name: the recorded logits, and the best of each step", async (given) => {
    const { backend, name, steps } = given;
    const { clear, prompt, ids, chosen, logits } = goldenPrompt(golden, name);
    const off = clear ? given.off : given.unclear;
    const rows = (await commands.logits(whole, backend, [...prompt, ...ids.slice(0, steps - 1)])).slice(
      prompt.length - 1,
    );
    expect(rows.map(bestOf)).toEqual(ids.slice(0, steps));
    const most = largest(logits.flatMap(({ values }) => values));
    const found = rows.map((row, i) => row[ids[i] ?? -1] ?? Number.NaN);
    expect(apart(found, chosen.slice(0, steps)) / most).toBeLessThan(off);
    const recorded = logits.filter(({ step }) => step < steps);
    expect(recorded.length).toBeGreaterThan(0);
    for (const { step, values } of recorded)
      expect(apart(rows[step] ?? [], values) / most, `step ${step}`).toBeLessThan(off);
  });

  test.each(drafted)("$backend, $name: the recorded drafts", async ({ backend, name, count, off, unclear }) => {
    const { clear, drafts_clear, prompt, ids, drafts, draft_logits } = goldenPrompt(golden, name);
    const wanted = ids.slice(0, count);
    const said = await watchDrafts(commands, { backend, prompt, count });
    expect(said.ids).toEqual(wanted);
    if (clear && drafts_clear) {
      expect(said.statistics).toMatchObject(draftsOneByOne(drafts, wanted));
      for (const [i, logits] of said.logits) expect(bestOf(logits), `draft ${i}`).toBe(drafts[i]);
    }
    const found = apart(said.logits.get(draft_logits.draft) ?? [], draft_logits.values);
    expect(found / largest(draft_logits.values)).toBeLessThan(clear && drafts_clear ? off : unclear);
  });

  describe.skipIf(!full)(`whole texts${full ? "" : " (skipped: in full mode only)"}`, () => {
    test.each(drafted)("$backend, $name: the same ids greedily, whatever is drafted", async (given) => {
      const { backend, name, count } = given;
      const { prompt, ids } = goldenPrompt(golden, name);
      for (const draft of given.drafts) {
        const said = await commands.write(whole, { backend, prompt, count, draft });
        expect(said.ids, `${draft} drafted a step`).toEqual(ids.slice(0, count));
        expect((said.statistics.drafted ?? 0) > 0).toBe(draft > 0);
      }
    });

    const why = storiesCorpus === null ? " (skipped: DSC_TEST_DATA has no data/corpora/tinystories-sample.txt)" : "";
    test.skipIf(why !== "").each(ways)(
      `$backend: the recorded loss of each held-out story${why}`,
      async ({ backend, stories }) => {
        const [tokens, losses] = [golden.held_out.tokens.slice(-stories), golden.held_out.losses.slice(-stories)];
        const told = await commands.losses(whole, { backend, corpus: storiesCorpus ?? "", stories });
        expect(told.tokens).toEqual(tokens);
        expect(apart(told.losses, losses)).toBeLessThan(1e-3);
        const nats = losses.reduce((sum, loss, i) => sum + loss * (tokens[i] ?? Number.NaN), 0);
        expect(Math.abs(told.mean - nats / tokens.reduce((sum, count) => sum + count, 0))).toBeLessThan(1e-4);
      },
    );
  });
});
