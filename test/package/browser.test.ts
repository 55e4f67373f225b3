/** The package of a trained model in a page and in a worker, under a policy that lets nothing be evaluated. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { whyNoStories } from "../real/stories-data.ts";
import { openBrowser, whyNoBrowser } from "./browser.ts";
import { type Served, serve } from "./serve.ts";
import { makeStoriesPackage, type StoriesPackage } from "./stories-package.ts";

const story = `
import { facts, load } from "./package/index.js";

export async function writeStory({ prompt, ids, length }, options) {
  const weights = new URL("./checkpoint/", import.meta.url).href;
  const model = await load({ weights, ...options });
  const session = model.session();
  const tokens = [];
  for await (const { token } of session.generate(prompt, { maxTokens: length, temperature: 0 })) tokens.push(token);
  session.reset();
  const logits = await session.forward(ids);
  model.dispose();
  const isolated = globalThis.crossOriginIsolated;
  const { threads, simd } = model.info;
  return { tokens, logits: [...logits], threads, simd, isolated, vocabulary: facts.vocabulary };
}
`;
const page = `
import { writeStory } from "./story.js";
globalThis.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective + " " + event.blockedURI));
globalThis.inPage = writeStory;
globalThis.inWorker = (order, options) =>
  new Promise((resolve, reject) => {
    const worker = new Worker("worker.js", { type: "module" });
    worker.onmessage = ({ data }) => (data.error === undefined ? resolve(data) : reject(new Error(data.error)));
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage({ order, options });
  });
`;
const worker = `
import { writeStory } from "./story.js";
onmessage = ({ data: { order, options } }) =>
  writeStory(order, options).then(postMessage, (error) => postMessage({ error: String(error?.stack ?? error) }));
`;

interface Told {
  readonly tokens: readonly number[];
  readonly logits: readonly number[];
  readonly threads: number;
  readonly simd: string;
  readonly isolated: boolean;
  readonly vocabulary: number;
}

const full = process.env["DSC_FULL"] === "1";
const why = full ? whyNoStories || whyNoBrowser : " (skipped: only in the full tests)";

describe.skipIf(why !== "")(`the package of stories260K in Chromium${why}`, () => {
  let stories: StoriesPackage;
  let browser: Browser;
  let served: readonly Served[] = [];
  beforeAll(async () => {
    stories = await makeStoriesPackage();
    const site = join(stories.folder, "site");
    mkdirSync(site);
    cpSync(stories.package, join(site, "package"), { recursive: true });
    cpSync(stories.checkpoint, join(site, "checkpoint"), { recursive: true });
    writeFileSync(join(site, "index.html"), `<!doctype html><script type="module" src="page.js"></script>`);
    for (const [name, text] of Object.entries({ story, page, worker })) writeFileSync(join(site, `${name}.js`), text);
    writeFileSync(join(site, "favicon.ico"), "");
    served = [await serve(site, false), await serve(site, true)];
    browser = await openBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    for (const { close } of served) await close();
    stories?.remove();
  });

  test.each([
    { place: "inPage", isolated: false, threads: 1 },
    { place: "inPage", isolated: true, threads: 2 },
    { place: "inWorker", isolated: false, threads: 1 },
    { place: "inWorker", isolated: true, threads: 2 },
  ])(
    "writes the recorded tokens $place, isolated: $isolated",
    { timeout: 120_000 },
    async ({ place, isolated, threads }) => {
      const opened = await browser.newPage();
      const errors: string[] = [];
      opened.on("pageerror", (error) => errors.push(String(error)));
      opened.on("console", (message) => {
        // Files of a tokenizer that this checkpoint does not have are asked for, and the console says so.
        if (message.type() === "error" && !/status of 404/.test(message.text())) errors.push(message.text());
      });
      await opened.goto(`${served[isolated ? 1 : 0]?.address}/index.html`);
      const [first] = stories.data.cases;
      if (first === undefined) throw new Error("there are no recorded cases");
      const { prompt, prompt_ids, ids, logits } = first;
      const order = { prompt, ids: prompt_ids, length: ids.length - prompt_ids.length };
      const told: Told = await opened.evaluate(`${place}(${JSON.stringify(order)}, ${JSON.stringify({ threads: 2 })})`);
      expect(told.tokens).toEqual(ids.slice(prompt_ids.length));
      expect(told).toMatchObject({ threads, isolated, simd: "relaxed", vocabulary: 512 });
      const recorded = logits.find(({ pos }) => pos === prompt_ids.length - 1);
      for (const [id, logit] of recorded?.top5 ?? [])
        expect(Math.abs((told.logits[id] ?? Number.NaN) - logit)).toBeLessThan(1e-4);
      expect(await opened.evaluate("globalThis.violations")).toEqual([]);
      expect(errors).toEqual([]);
      await opened.close();
    },
  );
});
