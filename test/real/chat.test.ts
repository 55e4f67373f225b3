/** A conversation with trained weights: what is kept of earlier prompts changes no answer, on no way to run the model. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runInside } from "../cli/run-inside.ts";
import { root } from "../conformance/bind-text.ts";
import { makeStoriesPackage, type StoriesPackage } from "../package/stories-package.ts";
import { whyNoStories } from "./stories-data.ts";

/** Messages and answers one behind the other: a story told by two. */
const template =
  "{{ bos_token }}{% for m in messages %}{{ m.content }}{% if not loop.last %}{{ '\n' }}{% endif %}{% endfor %}";
const lines = ["Once upon a time", "Then Lily saw", "/undo", "Then Tim said", "/reset", "One day"];

interface Answer {
  readonly ids: readonly number[];
  readonly answer: string;
  readonly statistics: { readonly promptTokens: number; readonly rememberedTokens?: number };
}

describe.skipIf(whyNoStories !== "")(`a chat with stories260K${whyNoStories}`, () => {
  let stories: StoriesPackage;
  beforeAll(async () => {
    stories = await makeStoriesPackage();
    vi.stubEnv("DSC_CACHE", join(stories.folder, "cache"));
    writeFileSync(join(stories.checkpoint, "chat_template.jinja"), template);
  }, 300_000);
  afterAll(() => {
    vi.unstubAllEnvs();
    stories?.remove();
  });

  const model = join(root, "models/deepseek-llm.ds");
  const common = ["--weights", "checkpoint", "--max-tokens", "12"];
  const chat = async (...args: readonly string[]): Promise<readonly Answer[]> => {
    const ran = await runInside(["chat", ...args, ...common, "--json"], stories.folder, lines);
    expect([ran.code, ran.error.match(/error|dsc:/)]).toEqual([0, null]);
    return ran.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  };

  test("each answer is that of a model that never heard anything before", async () => {
    const answers = await chat(model);
    const [first = "", second = "", third = "", fourth = ""] = answers.map(({ answer }) => answer);
    expect(answers).toHaveLength(4);
    expect([first, second, third, fourth].every((text) => text.length > 10)).toBe(true);
    const prompts = [
      "Once upon a time",
      `Once upon a time\n${first}\nThen Lily saw`,
      `Once upon a time\n${first}\nThen Tim said`,
      "One day",
    ];
    for (const [i, prompt] of prompts.entries()) {
      const ran = await runInside(["run", model, ...common, "--prompt", prompt, "--json"], stories.folder);
      const found = JSON.parse(ran.out);
      expect(found.ids, prompt).toEqual(answers[i]?.ids);
      const { promptTokens, rememberedTokens = 0 } = answers[i]?.statistics ?? { promptTokens: 0 };
      expect(promptTokens + rememberedTokens).toBe(found.prompt.length);
    }
    // The second shares all of the first prompt, the third all but its last words.
    const kept = answers.map(({ statistics }) => statistics.rememberedTokens ?? 0);
    expect(kept[1]).toBeGreaterThan(4);
    expect(kept[2]).toBeGreaterThan(kept[1] ?? 0);
    expect(kept[3]).toBeLessThan(4);
  });

  test("a package, and --backend wasm, say the same and keep the same", async () => {
    const [reference, fromPackage, compiled] = [
      await chat(model),
      await chat("package"),
      await chat(model, "--backend", "wasm"),
    ];
    const told = (answers: readonly Answer[]): unknown =>
      answers.map(({ ids, statistics: { promptTokens, rememberedTokens } }) => [ids, promptTokens, rememberedTokens]);
    expect(told(fromPackage)).toEqual(told(reference));
    expect(told(compiled)).toEqual(told(reference));
  });
});
