/** Conversations through a pipe, with a model that says the alphabet from its prompt's last letter on. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { chainVocabulary, idOfLetter, writeChain } from "./chain-model.ts";
import { dsc, project, startDsc } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const chat = ["chat", "chain.ds", "--weights", "model"];
/** Answers are put between bars, so that they are seen in later prompts; a user's message ends the prompt. */
const template =
  "{{ bos_token }}{% for m in messages %}{% if m.role == 'assistant' %}|{{ m.content }}|" +
  "{% elif m.role == 'system' %}[{{ m.content }}]{% else %}<user>{{ m.content }}{% endif %}{% endfor %}" +
  "{% if thinking %}<think>{% endif %}";

async function chained(thinks = false): Promise<string> {
  const cwd = project({});
  await writeChain(cwd, "F32", thinks);
  writeFileSync(join(cwd, "model/chat_template.jinja"), template);
  return cwd;
}

interface Answer {
  readonly answer: string;
  readonly reasoning: string | null;
  readonly ids: readonly number[];
  readonly error?: string;
  readonly stop: { readonly kind: string };
  readonly statistics: { readonly promptTokens: number; readonly rememberedTokens?: number; readonly tokens: number };
}

async function answers(cwd: string, lines: readonly string[], ...args: readonly string[]): Promise<readonly Answer[]> {
  const ran = await runInside([...chat, "--json", ...args], cwd, lines);
  return ran.out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("a line a message, an answer a line, statistics beside them", async () => {
  const cwd = await chained();
  const ran = await dsc(chat, { cwd, input: "w\n\n  x \n/quit\nnever\n" });
  expect(ran).toMatchObject({ code: 0, out: "xyz\nyz\n" });
  const [first = "", second = ""] = ran.error.split("\n");
  expect(first).toMatch(/^3 prompt tokens in [\d.]+ s; 4 tokens.*; stopped: end of text \(259\)$/);
  // <bos><user>w was the first prompt, <bos><user>w|xyz|<user>x is the second.
  expect(second).toMatch(/^7 prompt tokens behind 3 remembered in /);
});

test("answers come back in later prompts; what was computed for them is kept where it is the same", async () => {
  const cwd = await chained();
  const lines = ["w", "x", "/undo", "w", "/undo", "/undo", "w", "/reset", "wx"];
  const found = await answers(cwd, lines);
  expect(found.map(({ answer }) => answer)).toEqual(["xyz", "yz", "xyz", "xyz", "yz"]);
  expect(found.map(({ statistics: s }) => [s.rememberedTokens ?? 0, s.promptTokens])).toEqual([
    [0, 3],
    // The whole first prompt and the answer's letters: they stand there as bytes, behind a bar that was not generated.
    [3, 7],
    // All but the last letter of <bos><user>w|xyz|<user>w.
    [9, 1],
    [2, 1],
    // <bos><user>w of <bos><user>wx.
    [3, 1],
  ]);
});

test("reasoning does not come back, is shown or hidden, and stands apart in JSON", async () => {
  const cwd = await chained(true);
  const [first, second] = await answers(cwd, ["a", "x"]);
  expect(first).toMatchObject({ reasoning: "bc", answer: "defghijklmnopqrstuvwxyz" });
  // <bos><user>a | 23 letters | <user>x
  expect(second?.statistics).toMatchObject({ rememberedTokens: 3, promptTokens: 1 + 23 + 1 + 2 });
  expect((await runInside(chat, cwd, ["a"])).out).toBe("<think>bc</think>defghijklmnopqrstuvwxyz\n");
  expect((await runInside([...chat, "--no-reasoning"], cwd, ["a"])).out).toBe("defghijklmnopqrstuvwxyz\n");
  const dim = await dsc(chat, { cwd, input: "a\n", env: { FORCE_COLOR: "1" } });
  expect(dim.out).toBe(
    "\u001b[2m<think>\u001b[22m\u001b[2mb\u001b[22m\u001b[2mc\u001b[22m\u001b[2m</think>\u001b[22mdefghijklmnopqrstuvwxyz\n",
  );
  const opened = await answers(cwd, ["x"], "--template", "thinking=true");
  expect(opened[0]).toMatchObject({ reasoning: "bc", answer: "defghijklmnopqrstuvwxyz" });
});

test("the system text, and the conversation as a file", async () => {
  const cwd = await chained();
  const lines = ["w", "/system b y", "x", "/save out.json", "/system", "x"];
  const found = await answers(cwd, lines, "--system", "a");
  // [a]<user>w, then [b y]…: nothing but BOS and the bracket is the same; then BOS alone.
  expect(found.map(({ statistics: s }) => s.rememberedTokens ?? 0)).toEqual([0, 2, 1]);
  expect(JSON.parse(readFileSync(join(cwd, "out.json"), "utf8"))).toEqual({
    messages: [
      { role: "system", content: "b y" },
      { role: "user", content: "w" },
      { role: "assistant", content: "xyz" },
      { role: "user", content: "x" },
      { role: "assistant", content: "yz" },
    ],
  });
});

test("messages of several lines, and such as begin like commands", async () => {
  const cwd = await chained();
  const found = await answers(cwd, [
    '{"content": "a\\nx"}',
    "//y",
    '{"content": 1}',
    "/rest",
    "/undo 1",
    "/undo",
    "/undo",
  ]);
  expect(found.slice(0, 2).map(({ answer }) => answer)).toEqual(["yz", "z"]);
  expect(found.slice(2).map(({ error }) => error)).toEqual([
    'expected an object with a text as its content: {"content": "…"}',
    "there is no command /rest; did you mean /reset?",
    "nothing was said yet",
  ]);
  const failed = await runInside([...chat, "--json"], cwd, ["/rest"]);
  expect(failed.code).toBe(1);
});

test("/stats sums up, /help lists", async () => {
  const cwd = await chained();
  const ran = await runInside(chat, cwd, ["w", "x", "/stats", "/help"]);
  expect(ran.error).toMatch(/2 answers, 7 tokens in [\d.]+ s/);
  expect(ran.error).toMatch(/prompts: 10 tokens computed in [\d.]+ s, 3 remembered\nmemory: 12 tokens/);
  expect(ran.error).toMatch(/\/undo +takes the last question/);
});

test("what a template refuses is told, and the conversation goes on", async () => {
  const cwd = await chained();
  const strict =
    "{% if messages[0].content == 'w' %}{{ raise_exception('not that') }}{% endif %}<user>{{ messages[-1].content }}";
  writeFileSync(join(cwd, "strict.jinja"), strict);
  const found = await answers(cwd, ["w", "x"], "--chat-template", "strict.jinja");
  expect(found.map(({ error, answer }) => error ?? answer)).toEqual(["not that", "yz"]);
});

test("a tokenizer with more ids than the model has: the message is refused, and the conversation goes on", async () => {
  const cwd = await chained();
  const file = join(cwd, "model/tokenizer.json");
  const tokenizer = JSON.parse(readFileSync(file, "utf8"));
  const far = { ...tokenizer.added_tokens[0], id: chainVocabulary, content: "<far>" };
  writeFileSync(file, JSON.stringify({ ...tokenizer, added_tokens: [...tokenizer.added_tokens, far] }));
  const found = await answers(cwd, ["<far>", "x"]);
  expect(found.map(({ error, answer }) => error ?? answer)).toEqual([
    "token 2 is 288; the model has ids 0 to 287",
    "yz",
  ]);
});

test("without a template or a tokenizer there is no chat, and nothing is read for it", async () => {
  const cwd = project({});
  await writeChain(cwd);
  const none = await runInside(chat, cwd, ["w"]);
  expect(none).toMatchObject({ code: 1, out: "" });
  expect(none.error).toContain("there is no chat template beside the weights");
});

test("Ctrl-C stops an answer; the next message is answered", async () => {
  const cwd = await chained();
  // Nothing follows `!`, so that the first of all ids, `!` itself, is taken without end.
  expect([idOfLetter("!"), chainVocabulary]).toEqual([0, 288]);
  const child = startDsc([...chat, "--max-tokens", "1000000"], { cwd });
  child.stdin?.end("!\nw\n");
  let [out, error] = ["", ""];
  let stopped = false;
  child.stderr?.on("data", (chunk: Buffer) => {
    error += chunk.toString("utf8");
  });
  const code = await new Promise<number | null>((resolve) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      out += chunk.toString("utf8");
      if (stopped || out.length < 3) return;
      stopped = true;
      child.kill("SIGINT");
    });
    child.on("close", resolve);
  });
  expect(out).toMatch(/^!+\nxyz\n$/);
  expect(error).toMatch(/stopped: interrupted\n.*stopped: end of text \(259\)\n$/s);
  expect(code).toBe(0);
});
