/** Whole models on the drivers that run on a processor: logits are the reference's, and so are the tokens that are chosen. */
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { TokenChoice } from "../../runtime/artifact/program.ts";
import type { CheckedKernel } from "../../runtime/calls/model-device.ts";
import type { GenerateTextOptions } from "../../runtime/package/session.ts";
import { whyNoConfigs } from "../models/published-configs.ts";
import { latent, llama } from "../program/compiled-models.ts";
import { lavapipeDriver, swiftshaderDriver } from "./drivers.ts";
import { type MadeModel, makeModel, makeTwin } from "./made-model.ts";
import { Player } from "./player.ts";
import type { Done } from "./player-process.ts";

const full = process.env["DSC_FULL"] === "1";
const players = {
  SwiftShader: await Player.open(swiftshaderDriver),
  // With the shortest vectors: its compiler takes half as long over them as over those of 8.
  lavapipe: full ? await Player.open(lavapipeDriver(4)) : "needs DSC_FULL=1",
};
afterAll(() => {
  for (const player of Object.values(players)) if (typeof player !== "string") player.close();
});

const models: Readonly<Record<string, () => Promise<MadeModel>>> = {
  dense: () => makeModel("models/deepseek-llm.ds", llama(2)),
  ...(full ? { "latent attention and experts": () => makeModel("models/deepseek-v2.ds", latent(2)) } : {}),
  ...(full && whyNoConfigs === ""
    ? {
        "experts beside a shared one": () =>
          makeTwin("deepseek-moe", "deepseek-moe-2b", { max_position_embeddings: 64 }),
        "with drafts": () => makeTwin("deepseek-v3", "deepseek-v3"),
        "sparse attention": () => makeTwin("deepseek-v3.2", "deepseek-v3.2"),
      }
    : {}),
};
/** As of every package: sums are f32, in another order. */
const tolerance = 1e-4;
/** More than sparse attention of a twin looks at. */
const ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4];

/** The file beside the given one, in which a number of a tensor is none. */
function withoutNumber(file: string, tensor: string, at: number): string {
  const bytes = readFileSync(file);
  const header = Number(bytes.readBigUInt64LE(0));
  const { data_offsets: offsets } = JSON.parse(bytes.toString("utf8", 8, 8 + header))[tensor];
  bytes.writeFloatLE(Number.NaN, 8 + header + offsets[0] + 4 * at);
  writeFileSync(file.replace(".safetensors", ".none.safetensors"), bytes);
  return file.replace(".safetensors", ".none.safetensors");
}

describe.each(Object.keys(models))("%s", (name) => {
  let made: MadeModel;
  let want: readonly (readonly number[])[];
  beforeAll(async () => {
    made = await (models[name]?.() ?? Promise.reject(new Error("no model")));
    want = await made.reference(ids);
  }, 300_000);
  afterAll(() => made?.remove());

  describe.each(Object.entries(players))("on %s", (driver, player) => {
    const why = typeof player === "string" ? ` (skipped: ${player})` : "";
    describe.skipIf(why !== "")(`does${why}`, () => {
      if (typeof player === "string") return;
      const near = (got: ArrayLike<number>, rows: readonly (readonly number[])[]): void => {
        const all = rows.flat();
        const most = Math.max(...all.map(Math.abs));
        expect(got.length).toBe(all.length);
        const far = all.map((x, i) => Math.abs(x - (got[i] ?? Number.NaN)) / most);
        expect(Math.max(...far)).toBeLessThan(tolerance);
      };
      beforeAll(async () => {
        const info = await player.do<object>({ kind: "load", model: "m", base: made.base, weights: made.weights });
        expect(info).toMatchObject({ backend: "webgpu", threads: 1, simd: null, gpu: { refused: [] } });
      }, 300_000);
      afterAll(async () => {
        const { counts } = await player.try({ kind: "dispose", model: "m" });
        expect(counts).toMatchObject({ live: 0, devices: 0 });
      });
      afterEach(() => player.try({ kind: "dispose", session: "s" }));

      test("all kernels have their values", { timeout: 300_000 }, async () => {
        const results = await player.do<readonly CheckedKernel[]>({ kind: "checks", model: "m" });
        expect(results.map((r) => r.name)).toEqual(made.program.kernels.map((k) => k.name));
        for (const { passed, worst, bound } of results) expect([passed, worst <= bound]).toEqual([true, true]);
        expect(Math.max(...results.map((r) => r.worst))).toBeGreaterThan(0);
      });

      test("logits of a text as a whole, token by token, and in pieces", { timeout: 120_000 }, async () => {
        await player.do({ kind: "session", model: "m", session: "s" });
        const forward = (some: readonly number[], all: boolean): Promise<Float32Array> =>
          player.do({ kind: "forward", session: "s", ids: some, all });
        near(await forward(ids, true), want);
        await player.do({ kind: "rollback", session: "s", count: ids.length });
        for (const [i, id] of ids.entries()) near(await forward([id], false), want.slice(i, i + 1));
        await player.do({ kind: "rollback", session: "s", count: ids.length - 4 });
        near(await forward(ids.slice(4, 9), false), want.slice(8, 9));
        near(await forward(ids.slice(9), false), want.slice(-1));
      });

      // Another device makes all kernels again, which lavapipe has kept.
      const cutOn = name === "dense" || typeof players.lavapipe === "string" ? driver : "lavapipe";
      if (driver === cutOn)
        test("weights are cut where a binding does not hold them", { timeout: 300_000 }, async () => {
          const sizes = made.program.weights.map((w) => 4 * [...w.stacks, ...w.shape].reduce((n, x) => n * x, 1));
          // Half of the largest: of two layers each is a part.
          const fault = { kind: "limits", limits: { maxStorageBufferBindingSize: Math.max(...sizes) / 2 } } as const;
          const options = { chunk: 8, context: 32 };
          const { base, weights } = made;
          const told = await player.try({ kind: "load", model: "cut", base, weights, fault, options });
          if (name !== "dense")
            expect(told.error ?? {}).toMatchObject(told.error === undefined ? {} : { code: "gpu-limit" });
          else expect(told.error).toBeUndefined();
          if (told.error !== undefined) return;
          await player.do({ kind: "session", model: "cut", session: "s" });
          near(await player.do({ kind: "forward", session: "s", ids, all: true }), want);
          await player.try({ kind: "dispose", model: "cut" });
        });

      test("sessions that are saved go on where they were", { timeout: 120_000 }, async () => {
        await player.do({ kind: "session", model: "m", session: "s" });
        await player.do({ kind: "forward", session: "s", ids: ids.slice(0, 6) });
        const bytes = await player.do<Uint8Array>({ kind: "save", session: "s" });
        const next = await player.do({ kind: "forward", session: "s", ids: ids.slice(6) });
        await player.do({ kind: "restore", model: "m", session: "t", bytes });
        expect((await player.try({ kind: "save", session: "t" })).tokens).toEqual(ids.slice(0, 6));
        expect(await player.do({ kind: "save", session: "t" })).toEqual(bytes);
        expect(await player.do({ kind: "forward", session: "t", ids: ids.slice(6) })).toEqual(next);
        await player.do({ kind: "dispose", session: "t" });
      });

      test("the best tokens are the reference's", { timeout: 120_000 }, async () => {
        const said: number[] = [];
        for (let i = 0; i < 8; i += 1) {
          const row = (await made.reference([...ids.slice(0, 4), ...said])).at(-1) ?? [];
          const [first = 0, second = 0] = [...row].sort((a, b) => b - a);
          // Where two are as good, either may be said.
          if (first - second < tolerance * Math.max(...row.map(Math.abs))) break;
          said.push(row.indexOf(first));
        }
        expect(said.length).toBeGreaterThan(2);
        await player.do({ kind: "session", model: "m", session: "s" });
        const options = { temperature: 0, maxTokens: said.length, endIds: [] };
        const generate = { kind: "generate", session: "s", prompt: ids.slice(0, 4), options } as const;
        expect(await player.do(generate)).toEqual(said);
      });

      test("a token is one submit and one read, and takes no new memory", { timeout: 120_000 }, async () => {
        await player.do({ kind: "session", model: "m", session: "s" });
        const counted = async (options: GenerateTextOptions): Promise<Done["counts"]> => {
          const generate = { kind: "generate", session: "s", prompt: ids.slice(0, 2), options } as const;
          await player.do(generate);
          await player.do({ kind: "fault", fault: { kind: "none" } });
          return (await player.try(generate)).counts;
        };
        const common = { maxTokens: 5, endIds: [], draft: 0, seed: 1 };
        const once = { submits: 5, maps: 5, buffers: 0 };
        const [greedy, best, all] = [
          await counted({ ...common, temperature: 0 }),
          await counted({ ...common, topK: 20, topP: 0.95 }),
          // They are read in the place of the best, where it is known before.
          await counted(common),
        ];
        for (const counts of [greedy, best, all]) expect(counts).toMatchObject(once);
        // What finds the best few is launched where some are wanted, what finds the best one where that is, and nothing where all are.
        const launches = (phase: string, choice: TokenChoice): number =>
          (made.program.phases.find((p) => p.name === phase)?.steps ?? []).filter(
            (s) => s.kind === "call" && s.choice === choice,
          ).length;
        // Of a prompt, and four tokens behind it.
        const more = (choice: TokenChoice): number => launches("prefill", choice) + 4 * launches("decode", choice);
        expect(more("greedy")).toBeGreaterThan(4);
        expect(greedy.dispatches - all.dispatches).toBe(more("greedy"));
        expect(best.dispatches - all.dispatches).toBe(more("best"));
      });

      test.runIf(name === "dense")("a logit that is no number is told of", { timeout: 120_000 }, async () => {
        const weights = withoutNumber(made.weights, "model.embed_tokens.weight", 3);
        await player.do({ kind: "load", model: "none", base: made.base, weights });
        for (const some of [{ temperature: 0 }, { topK: 20 }, {}]) {
          await player.do({ kind: "session", model: "none", session: "n" });
          const options = { ...some, maxTokens: 2, endIds: [], draft: 0 };
          const told = await player.try({ kind: "generate", session: "n", prompt: ids.slice(0, 2), options });
          expect(told.error).toMatchObject({ code: "bad-logits" });
          await player.do({ kind: "dispose", session: "n" });
        }
        await player.try({ kind: "dispose", model: "none" });
      });

      test("drafts change nothing", { timeout: 300_000 }, async () => {
        const prompt = ids.slice(0, 5);
        const said = async (draft: number): Promise<unknown> => {
          await player.do({ kind: "session", model: "m", session: "s" });
          const options = { temperature: 0, maxTokens: 8, endIds: [], draft };
          return player.do({ kind: "generate", session: "s", prompt, options });
        };
        if (made.program.draft === undefined) await expect(said(1)).rejects.toThrow("no-draft");
        else expect(await said(3)).toEqual(await said(0));
      });

      test("a seed says the same from the best logits as from all", { timeout: 120_000 }, async () => {
        // A penalty that changes nothing but that all logits have to be known.
        const said = async (repetitionPenalty: number): Promise<unknown> => {
          await player.do({ kind: "session", model: "m", session: "s" });
          const options = { temperature: 0.8, topK: 12, topP: 0.9, seed: 7, maxTokens: 12, endIds: [], draft: 0 };
          const prompt = ids.slice(0, 3);
          return player.do({ kind: "generate", session: "s", prompt, options: { ...options, repetitionPenalty } });
        };
        expect(await said(1)).toEqual(await said(1 + 1e-12));
      });
    });
  });
});
