/** The package of a trained model, packed and installed as any other, writes what its authors' program writes. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { whyNoStories } from "../real/stories-data.ts";
import { mustRun } from "./run-command.ts";
import { makeStoriesPackage, type StoriesPackage } from "./stories-package.ts";

/** Node alone runs it: nothing of dsc is in reach. */
const script = `
import { readFileSync } from "node:fs";
import { facts, load } from "deepseek-llm";

const { weights, cases } = JSON.parse(readFileSync("order.json", "utf8"));
const model = await load({ weights });
const session = model.session();
const written = [];
for (const { prompt, ids, length } of cases) {
  session.reset();
  const given = prompt === "" ? ids : prompt;
  const tokens = [];
  let text = "";
  for await (const step of session.generate(given, { maxTokens: length, temperature: 0, stop: [] })) {
    tokens.push(step.token);
    text += step.text;
  }
  session.reset();
  const logits = await session.forward([...ids, ...tokens.slice(0, -1)], { all: true });
  const row = (i) => logits.slice(i * facts.vocabulary, (i + 1) * facts.vocabulary);
  written.push({ tokens, text, first: [...row(0)], last: [...row(ids.length + tokens.length - 2)] });
}
const { memory } = model.info;
model.dispose();
console.log(JSON.stringify({ facts, written, memory }));
`;

interface Answer {
  readonly facts: {
    readonly vocabulary: number;
    readonly context: number;
    readonly sizes: Readonly<Record<string, number>>;
    readonly memory: { readonly weights: number; readonly token: number; readonly arena: number };
  };
  /** As it was allocated. */
  readonly memory: { readonly weights: number; readonly session: number; readonly arena: number };
  readonly written: readonly { readonly tokens: readonly number[]; readonly text: string }[];
}

describe.skipIf(whyNoStories !== "")(`the package of stories260K${whyNoStories}`, () => {
  let stories: StoriesPackage;
  beforeAll(async () => {
    stories = await makeStoriesPackage();
  }, 60_000);
  afterAll(() => stories?.remove());

  test("is packed, installed into an empty folder, and run from there with Node", { timeout: 60_000 }, async () => {
    const { folder, checkpoint, data } = stories;
    const [packed] = JSON.parse(
      await mustRun("npm", ["pack", "--json", "--pack-destination", folder], stories.package),
    );
    const place = join(folder, "consumer");
    mkdirSync(place);
    writeFileSync(join(place, "package.json"), '{ "private": true, "type": "module" }');
    await mustRun("npm", ["install", "--offline", "--no-audit", "--no-fund", join(folder, packed.filename)], place);
    writeFileSync(join(place, "main.js"), script);
    const cases = data.cases.map(({ prompt, prompt_ids, ids }) => ({
      prompt,
      ids: prompt_ids,
      length: ids.length - prompt_ids.length,
    }));
    writeFileSync(join(place, "order.json"), JSON.stringify({ weights: checkpoint, cases }));
    const answer: Answer = JSON.parse(await mustRun("node", ["main.js"], place));
    expect(answer.facts).toMatchObject({ vocabulary: 512, context: 512, sizes: { D: 64, L: 5 } });
    const { facts, memory } = answer;
    // What the package's card says is what is taken: 5 % are for distances between buffers.
    expect(memory.weights).toBe(facts.memory.weights);
    for (const [taken, told] of [
      [memory.arena, facts.memory.arena],
      [memory.session, facts.memory.token * facts.context],
    ] as const)
      expect(Math.abs(taken / told - 1)).toBeLessThan(0.05);
    for (const [i, { prompt, prompt_ids, ids }] of data.cases.entries())
      expect(answer.written[i]?.tokens, prompt).toEqual(ids.slice(prompt_ids.length));
  });
});
