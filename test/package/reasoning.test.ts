/** A package's session tells what a model writes to itself from its answer. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import type { loadPackage } from "../../runtime/package/entry.ts";
import type { LoadOptions } from "../../runtime/package/load-options.ts";
import type { GeneratedToken, GenerateTextOptions } from "../../runtime/package/session.ts";
import { idOfLetter, thinkIds, writeChain } from "../cli/chain-model.ts";
import { project } from "../cli/run-dsc.ts";
import { runInside } from "../cli/run-inside.ts";

interface Entry {
  readonly load: (options: LoadOptions) => ReturnType<typeof loadPackage>;
}

test("pieces, streams, tags of the files and of the caller", async () => {
  const cwd = project({});
  await writeChain(cwd, "F32", true);
  const compiled = await runInside(["compile", "chain.ds", "--config", "model/config.json", "--out", "out"], cwd);
  expect(compiled.code).toBe(0);
  const entry: Entry = await import(pathToFileURL(join(cwd, "out/index.js")).href);
  const model = await entry.load({ weights: join(cwd, "model"), threads: 1 });
  const say = async (prompt: string | readonly number[], options: GenerateTextOptions = {}) => {
    const session = model.session();
    const tokens: GeneratedToken[] = [];
    for await (const token of session.generate(prompt, { temperature: 0, ...options })) tokens.push(token);
    session.dispose();
    return tokens;
  };
  const pieces = (tokens: readonly GeneratedToken[]) =>
    tokens.flatMap((token) => token.pieces.map(({ stream, text }) => [stream, text]));

  const whole = await say("a");
  expect(pieces(whole).slice(0, 6)).toEqual([
    [null, "<think>"],
    ["reasoning", "b"],
    ["reasoning", "c"],
    [null, "</think>"],
    ["answer", "d"],
    ["answer", "e"],
  ]);
  expect(whole.slice(0, 5).map(({ token, stream }) => [token, stream])).toEqual([
    [thinkIds.open, null],
    [idOfLetter("b"), "reasoning"],
    [idOfLetter("c"), "reasoning"],
    [thinkIds.close, null],
    [idOfLetter("d"), "answer"],
  ]);
  for (const { text, pieces: own } of whole) expect(own.map((piece) => piece.text).join("")).toBe(text);

  // A prompt that has opened the tag, as templates do.
  expect(pieces(await say([idOfLetter("a"), thinkIds.open], { maxTokens: 3 }))).toEqual([
    ["reasoning", "b"],
    ["reasoning", "c"],
    [null, "</think>"],
  ]);
  expect(pieces(await say("a", { stop: "c", maxTokens: 5 })).at(-1)).toEqual(["answer", "d"]);
  expect(pieces(await say("d", { reasoning: { open: "ef", close: "hi" }, maxTokens: 6 }))).toEqual([
    [null, "ef"],
    ["reasoning", "g"],
    [null, "hi"],
    ["answer", "j"],
  ]);
  expect(pieces(await say("a", { reasoning: false, maxTokens: 3 }))).toEqual([
    ["answer", "b"],
    ["answer", "c"],
  ]);
  await expect(say("a", { reasoning: { open: "x", close: "x" } })).rejects.toMatchObject({ name: "OptionError" });
  model.dispose();
});
