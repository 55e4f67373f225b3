/**
 * Weights that no binding holds, on a device: the same package with bindings for all of a weight, and with so small ones that weights are in
 * two to five windows, says the same to the last bit.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { windowsOf } from "../../runtime/webgpu/windows.ts";
import { latent, llama } from "../program/compiled-models.ts";
import { swiftshaderDriver } from "./drivers.ts";
import { type MadeModel, makeModel, targetWithWindows } from "./made-model.ts";
import { Player } from "./player.ts";

const full = process.env["DSC_FULL"] === "1";
const player = await Player.open(swiftshaderDriver);
const why = typeof player === "string" ? ` (skipped: ${player})` : "";
afterAll(() => (typeof player === "string" ? undefined : player.close()));

interface Case {
  readonly make: () => Promise<MadeModel>;
  /** Bytes of a binding. */
  readonly binding: number;
  /** Some of what is then in windows. */
  readonly split: readonly string[];
}
const models: Readonly<Record<string, Case>> = {
  "dense: embedding, head, rows of several layers": {
    make: () => makeModel("models/deepseek-llm.ds", llama(2), false, targetWithWindows(8192)),
    binding: 12_288,
    split: ["embed", "layer.mlp.w_gate", "layer.mlp.w_down"],
  },
  ...(full
    ? {
        "experts, picked and sorted": {
          make: () => makeModel("models/deepseek-v2.ds", latent(3), false, targetWithWindows(16_384)),
          binding: 20_480,
          split: ["embed", "head", ...["gate", "up", "down"].map((w) => `layer1.mlp.expert.w_${w}`)],
        },
      }
    : {}),
};
const ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
const options = { chunk: 8, context: 32 };

describe.skipIf(why !== "").each(Object.entries(models))(`%s${why}`, (_, { make, binding, split }) => {
  if (typeof player === "string") return;
  let made: MadeModel;
  beforeAll(async () => {
    made = await make();
  }, 300_000);
  afterAll(() => made?.remove());
  afterEach(() => player.try({ kind: "dispose", model: "m" }));

  const said = async (limits: Readonly<Record<string, number>> | null): Promise<unknown> => {
    const { base, weights } = made;
    const fault = limits === null ? ({ kind: "none" } as const) : ({ kind: "limits", limits } as const);
    await player.do({ kind: "load", model: "m", base, weights, fault, options });
    await player.do({ kind: "session", model: "m", session: "s" });
    const all = await player.do<Float32Array>({ kind: "forward", session: "s", ids, all: true });
    const one = await player.do<Float32Array>({ kind: "forward", session: "s", ids: [7] });
    const generate = { temperature: 0, maxTokens: 6, endIds: [], draft: 0 };
    const tokens = await player.do({ kind: "generate", session: "s", prompt: [2, 4], options: generate });
    await player.try({ kind: "dispose", model: "m" });
    return { all, one, tokens };
  };

  test("windows change nothing", { timeout: 600_000 }, async () => {
    const limits = { binding, buffer: binding };
    const windows = windowsOf(made.program, limits);
    expect([...windows.values()].filter((n) => n >= 2 && n <= 5)).toHaveLength(windows.size);
    expect([...windows.keys()]).toEqual(expect.arrayContaining([...split]));
    const whole = await said(null);
    expect(await said({ maxStorageBufferBindingSize: binding, maxBufferSize: binding })).toEqual(whole);
    const rows = (await made.reference(ids)).flat();
    const { all } = whole as { readonly all: Float32Array };
    const most = Math.max(...rows.map(Math.abs));
    expect(Math.max(...rows.map((x, i) => Math.abs(x - (all[i] ?? Number.NaN)) / most))).toBeLessThan(1e-4);
  });
});
