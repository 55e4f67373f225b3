/** A trained model, stories260K, in several memories: what it says in one, to the bit. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readProgram } from "../../runtime/artifact/read-program.ts";
import { nodeHost } from "../../runtime/node/node-host.ts";
import type { Model } from "../../runtime/package/entry.ts";
import { loadInto } from "../../runtime/package/load-package.ts";
import { wasmPlayer } from "../../runtime/package/wasm-player.ts";
import { whyNoStories } from "../real/stories-data.ts";
import { limitFor, orderOf } from "../runtime/limit-memories.ts";
import { makeStoriesPackage, type StoriesPackage } from "./stories-package.ts";

const context = 96;

describe.skipIf(whyNoStories !== "")(`several memories${whyNoStories}`, () => {
  let stories: StoriesPackage;
  let want: readonly (Float32Array | Uint8Array)[];
  const load = async (count: number, threads: number): Promise<Model> => {
    const base = pathToFileURL(`${stories.package}/`);
    const program = readProgram(readFileSync(new URL("program.json", base)));
    const memoryBytes = count === 1 ? 2 ** 32 : limitFor(orderOf(program, context, threads), count);
    const host = { ...nodeHost(new URL("runtime/worker.js", base)), memoryBytes };
    return loadInto({
      base: base,
      options: { weights: stories.checkpoint, threads, context },
      host,
      player: wasmPlayer,
    });
  };
  beforeAll(async () => {
    stories = await makeStoriesPackage();
    const model = await load(1, 1);
    want = await deeds(model);
    model.dispose();
  }, 60_000);
  afterAll(() => stories.remove());

  const deeds = async (model: Model): Promise<readonly (Float32Array | Uint8Array)[]> => {
    const session = model.session();
    const ids = stories.data.cases[0]?.ids.slice(0, 60) ?? [];
    const results: (Float32Array | Uint8Array)[] = [await session.forward(ids, { all: true })];
    session.rollback(30);
    results.push(await session.save());
    for (const id of ids.slice(30, 40)) results.push(await session.forward([id]));
    results.push(await session.forward(ids.slice(40)), await session.save());
    const other = await model.restore(await session.save());
    results.push(await other.forward([5, 6, 7]), await session.forward([8]));
    return results;
  };

  test.each([
    [2, 1],
    [3, 1],
    [5, 1],
    [7, 1],
    [3, 2],
    [5, 2],
  ])("%i memories, %i threads", { timeout: 60_000 }, async (count, threads) => {
    const model = await load(count, threads);
    expect(model.info).toMatchObject({ threads, memory: { memories: count } });
    expect(await deeds(model)).toEqual(want);
    model.dispose();
  });
});
