/** TinySeek on a GPU writes what PyTorch has written: tables that are looked up, tensors in fp8, sparse attention, drafts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readGolden, tinyseek, weightsFile, whyUntrained } from "../tinyseek/golden.ts";
import { swiftshaderDriver } from "./drivers.ts";
import { type MadeModel, makeModel } from "./made-model.ts";
import { Player } from "./player.ts";

const full = process.env["DSC_FULL"] === "1";
const player = full && whyUntrained === "" ? await Player.open(swiftshaderDriver) : "needs DSC_FULL=1";
const why = typeof player === "string" ? ` (skipped: ${player})` : "";
afterAll(() => (typeof player === "string" ? undefined : player.close()));

describe.skipIf(why !== "")(`TinySeek on SwiftShader${why}`, { timeout: 1_200_000 }, () => {
  if (typeof player === "string") return;
  let made: MadeModel;
  beforeAll(async () => {
    made = await makeModel("models/tinyseek/tinyseek.ds", readFileSync(join(tinyseek, "config.json"), "utf8"));
    await player.do({ kind: "load", model: "m", base: made.base, weights: weightsFile });
  }, 1_200_000);
  afterAll(() => made?.remove());

  test.each([0, 2])("the recorded tokens, with %d drafted at a time", async (draft) => {
    for (const { name, clear, prompt, ids } of readGolden().prompts) {
      if (!clear) continue;
      await player.do({ kind: "session", model: "m", session: "s" });
      const options = { temperature: 0, maxTokens: 100, endIds: [], draft };
      expect(await player.do({ kind: "generate", session: "s", prompt, options }), name).toEqual(ids.slice(0, 100));
      await player.do({ kind: "dispose", session: "s" });
    }
  });
});
