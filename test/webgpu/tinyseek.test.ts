/** TinySeek on a GPU writes what PyTorch has written: tables that are looked up, tensors in fp8, sparse attention, drafts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { webgpuPackages } from "../../backends/wgsl/compile-target.ts";
import { promptNames, readGolden, tinyseek, weightsFile, whyUntrained } from "../tinyseek/golden.ts";
import { swiftshaderDriver } from "./drivers.ts";
import { type MadeModel, makeModel, targetWithWindows } from "./made-model.ts";
import { Player } from "./player.ts";

const full = process.env["DSC_FULL"] === "1";
const player = full && whyUntrained === "" ? await Player.open(swiftshaderDriver) : "needs DSC_FULL=1";
const why = typeof player === "string" ? ` (skipped: ${player})` : "";
afterAll(() => (typeof player === "string" ? undefined : player.close()));

/** Bindings that hold half of the embedding and of a layer's experts; of what is remembered and of calls, all. */
const small = {
  fault: { kind: "limits", limits: { maxStorageBufferBindingSize: 131_072 } },
  options: { context: 256, chunk: 16 },
} as const;

describe.skipIf(why !== "").each([
  ["", webgpuPackages.target, {}, promptNames],
  [", its weights in windows", targetWithWindows(65_536), small, ["opening"]],
] as const)(`TinySeek on SwiftShader${why}%s`, { timeout: 1_200_000 }, (_, target, more, names: readonly string[]) => {
  if (typeof player === "string") return;
  let made: MadeModel;
  beforeAll(async () => {
    const config = readFileSync(join(tinyseek, "config.json"), "utf8");
    made = await makeModel("models/tinyseek/tinyseek.ds", config, true, target);
    await player.do({ kind: "load", model: "m", base: made.base, weights: weightsFile, ...more });
  }, 1_200_000);
  afterAll(async () => {
    await player.try({ kind: "dispose", model: "m" });
    made?.remove();
  });

  test.each([0, 2])("the recorded tokens, with %d drafted at a time", async (draft) => {
    for (const { name, clear, prompt, ids } of readGolden().prompts) {
      if (!clear || !names.includes(name)) continue;
      await player.do({ kind: "session", model: "m", session: "s" });
      const options = { temperature: 0, maxTokens: 100, endIds: [], draft };
      expect(await player.do({ kind: "generate", session: "s", prompt, options }), name).toEqual(ids.slice(0, 100));
      await player.do({ kind: "dispose", session: "s" });
    }
  });
});
