/** What a model writes to itself, told apart from its answer on the command line. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { idOfLetter, thinkIds, writeChain } from "./chain-model.ts";
import { project } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const chain = ["run", "chain.ds", "--weights", "model"];

async function thinking(): Promise<string> {
  const cwd = project({});
  await writeChain(cwd, "F32", true);
  return cwd;
}

const jsonOf = async (cwd: string, ...args: readonly string[]) =>
  JSON.parse((await runInside([...chain, "--json", ...args], cwd)).out);

test("tags that are tokens, even special ones, are seen; the streams are told apart", async () => {
  const cwd = await thinking();
  const found = await jsonOf(cwd, "--prompt", "a");
  expect(found).toMatchObject({
    text: "<think>bc</think>defghijklmnopqrstuvwxyz",
    reasoning: "bc",
    answer: "defghijklmnopqrstuvwxyz",
  });
  expect(found.ids.slice(0, 4)).toEqual([thinkIds.open, idOfLetter("b"), idOfLetter("c"), thinkIds.close]);
  const plain = await runInside([...chain, "--prompt", "a"], cwd);
  expect(plain.out).toBe("<think>bc</think>defghijklmnopqrstuvwxyz\n");
  const hidden = await runInside([...chain, "--prompt", "a", "--no-reasoning"], cwd);
  expect(hidden.out).toBe("defghijklmnopqrstuvwxyz\n");
});

test("stop texts end the answer only", async () => {
  const cwd = await thinking();
  expect(await jsonOf(cwd, "--prompt", "a", "--stop", "c", "--stop", "fg")).toMatchObject({
    ...{ reasoning: "bc", answer: "de" },
    stop: { kind: "stop-string", text: "fg" },
  });
});

test("an answer without reasoning, and one that the prompt has begun to think about", async () => {
  const cwd = await thinking();
  expect(await jsonOf(cwd, "--prompt", "e")).toMatchObject({ reasoning: null, answer: "fghijklmnopqrstuvwxyz" });
  const template = "{{ bos_token }}<user>{{ messages[0].content }}{% if thinking %}<think>{% endif %}";
  writeFileSync(join(cwd, "model/chat_template.jinja"), template);
  expect(await jsonOf(cwd, "--prompt", "hi", "--chat", "--template", "thinking=true")).toMatchObject({
    text: "bc</think>defghijklmnopqrstuvwxyz",
    reasoning: "bc",
    answer: "defghijklmnopqrstuvwxyz",
  });
  // Never closed: all of it is reasoning.
  const cut = await jsonOf(cwd, "--prompt", "hi", "--chat", "--template", "thinking=true", "--max-tokens", "2");
  expect(cut).toMatchObject({ text: "bc", reasoning: "bc", answer: "" });
});

test("other tags, and none", async () => {
  const cwd = await thinking();
  expect(await jsonOf(cwd, "--prompt", "d", "--reasoning-tags", "ef hi")).toMatchObject({
    text: "efghijklmnopqrstuvwxyz",
    reasoning: "g",
    answer: "jklmnopqrstuvwxyz",
  });
  // Without tags special tokens are left out, as ever.
  expect(await jsonOf(cwd, "--prompt", "a", "--reasoning-tags", "none")).toMatchObject({
    text: "bcdefghijklmnopqrstuvwxyz",
    reasoning: null,
    answer: "bcdefghijklmnopqrstuvwxyz",
  });
  const wrong = await runInside([...chain, "--prompt", "a", "--reasoning-tags", "<a> <a>b"], cwd);
  expect(wrong).toMatchObject({ code: 2 });
  expect(wrong.error).toContain("expected two tags, or none");
});
