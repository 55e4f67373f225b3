/** A package writes conversations as the chat template beside the weights says. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import type { loadPackage } from "../../runtime/package/entry.ts";
import type { LoadOptions } from "../../runtime/package/load-options.ts";
import { idOfLetter, thinkIds, writeChain } from "../cli/chain-model.ts";
import { project } from "../cli/run-dsc.ts";
import { runInside } from "../cli/run-inside.ts";
import { byteLevelFile } from "../text/tiny-tokenizer.ts";

interface Entry {
  readonly load: (options: LoadOptions) => ReturnType<typeof loadPackage>;
}

test("with its special tokens, without those of a plain text, and what the template reads besides", async () => {
  const cwd = project({});
  await writeChain(cwd, "F32", true);
  const compiled = await runInside(["compile", "chain.ds", "--config", "model/config.json", "--out", "out"], cwd);
  expect(compiled.code).toBe(0);
  const entry: Entry = await import(pathToFileURL(join(cwd, "out/index.js")).href);
  const weights = join(cwd, "model");
  const plain = await entry.load({ weights, threads: 1 });
  expect(await plain.chatPrompt([{ role: "user", content: "a" }])).toBeNull();
  plain.dispose();

  const jinja = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}{% if thinking %}<think>{% endif %}";
  writeFileSync(join(weights, "chat_template.jinja"), jinja);
  const model = await entry.load({ weights, threads: 1 });
  const bos = byteLevelFile.added_tokens.find(({ content }) => content === "<bos>")?.id;
  const messages = [
    { role: "user", content: "x" },
    { role: "assistant", content: "y" },
    { role: "user", content: "a" },
  ];
  const ids = ["x", "y", "a"].map(idOfLetter);
  expect(await model.chatPrompt(messages)).toEqual([bos, ...ids]);
  const prompt = (await model.chatPrompt(messages, { thinking: true })) ?? [];
  expect(prompt).toEqual([bos, ...ids, thinkIds.open]);
  const said: (string | null)[] = [];
  for await (const { stream } of model.session().generate(prompt, { maxTokens: 4, temperature: 0 })) said.push(stream);
  expect(said).toEqual(["reasoning", "reasoning", null, "answer"]);
  model.dispose();
});
