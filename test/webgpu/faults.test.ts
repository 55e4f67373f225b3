/**
 * What goes wrong with a GPU, one fault at a time at each place where it can: a typed error, nothing left behind, and what comes after
 * works. On Dawn without a driver, which makes everything and computes nothing.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { llama } from "../program/compiled-models.ts";
import { swiftshaderDriver } from "./drivers.ts";
import type { Fault } from "./faulty-gpu.ts";
import { type MadeModel, makeModel } from "./made-model.ts";
import { Player } from "./player.ts";
import type { Done } from "./player-process.ts";

const dawn = await Player.open("null");
const why = typeof dawn === "string" ? ` (skipped: ${dawn})` : "";
const shader = await Player.open(swiftshaderDriver);
const whyNot = typeof shader === "string" ? ` (skipped: ${shader})` : "";
afterAll(() => {
  for (const player of [dawn, shader]) if (typeof player !== "string") player.close();
});

/** Nobody can compute, so there is nothing to try kernels by. */
let made: MadeModel;
beforeAll(async () => {
  made = await makeModel("models/deepseek-llm.ds", llama(1), false);
}, 300_000);
afterAll(() => made?.remove());

const full = process.env["DSC_FULL"] === "1";
const nothing = { live: 0, devices: 0 };

describe.skipIf(why !== "")(`a fault${why}`, { timeout: 300_000 }, () => {
  if (typeof dawn === "string") return;
  const load = (fault: Fault, more: object = {}): Promise<Done> =>
    dawn.try({ kind: "load", model: "m", base: made.base, weights: made.weights, fault, ...more });
  const forward = (ids: readonly number[] = [1, 2, 3], more: object = {}): Promise<Done> =>
    dawn.try({ kind: "forward", session: "s", ids, ...more });
  const begin = (): Promise<Done> => dawn.try({ kind: "session", model: "m", session: "s" });
  afterEach(() => dawn.try({ kind: "dispose", model: "m" }));
  const end = async (): Promise<void> => {
    expect((await dawn.try({ kind: "dispose", model: "m" })).counts).toMatchObject(nothing);
  };

  test("no WebGPU, no adapter, no device", async () => {
    const none = await load({ kind: "none" }, { withoutGpu: true });
    expect(none).toMatchObject({ error: { name: "NoAdapterError", code: "no-adapter" }, counts: nothing });
    expect(none.error?.message).toContain("load({ gpu })");
    for (const kind of ["no-adapter", "no-device"] as const)
      expect(await load({ kind })).toMatchObject({ error: { code: "no-adapter" }, counts: nothing });
  });

  test.each([
    ["maxStorageBufferBindingSize", 16_384],
    ["maxBufferSize", 16_384],
  ])("too small a limit, before anything is read: %s", async (limit, most) => {
    const told = await load({ kind: "limits", limits: { [limit]: most } }, { abortAt: 0 });
    expect(told).toMatchObject({ error: { name: "GpuLimitError", code: "gpu-limit", limit }, counts: nothing });
    expect(told.error?.message).toContain(String(most));
  });

  test("no room, at each allocation", async () => {
    let [loads, failed] = [0, 0];
    for (let at = 0; ; at += 1) {
      const told = await load({ kind: "out-of-memory", at });
      if (told.error === undefined) {
        loads = at;
        break;
      }
      expect(told).toMatchObject({ error: { name: "OutOfMemoryError", code: "out-of-memory" }, counts: nothing });
    }
    // Weights, constants, memory of calls, the uniforms.
    expect(loads).toBeGreaterThan(12);
    for (let at = 0; ; at += 1) {
      await dawn.try({ kind: "fault", fault: { kind: "out-of-memory", at } });
      await begin();
      const told = await forward();
      await dawn.try({ kind: "dispose", session: "s" });
      if (told.error === undefined) break;
      failed += 1;
      expect(told).toMatchObject({ error: { code: "out-of-memory" }, tokens: [] });
    }
    // Of each session the rows of keys and of values, then what results are read from.
    expect(failed).toBe(3);
    await dawn.try({ kind: "fault", fault: { kind: "none" } });
    await begin();
    expect((await forward()).tokens).toEqual([1, 2, 3]);
    await end();
  });

  test("a device that goes, at each submit", async () => {
    let loads = 0;
    for (let at = 0; ; at += 1) {
      const told = await load({ kind: "lost", at });
      if (told.error === undefined) {
        loads = at;
        break;
      }
      expect(told).toMatchObject({ error: { name: "DeviceLostError", code: "device-lost" }, counts: nothing });
    }
    expect(loads).toBeGreaterThan(0);
    for (const [at, ids] of [
      [0, [1]],
      [1, [4, 5]],
      [2, [6]],
    ] as const) {
      if (at > 0) await load({ kind: "none" });
      await dawn.try({ kind: "fault", fault: { kind: "none" } });
      await begin();
      const said = await forward([7, 8]);
      expect(said.error).toBeUndefined();
      await dawn.try({ kind: "fault", fault: { kind: "lost", at: 0 } });
      const told = at === 2 ? await dawn.try({ kind: "save", session: "s" }) : await forward(ids);
      // What it remembers is still known, for another one to begin with.
      expect(told).toMatchObject({ error: { code: "device-lost" }, tokens: [7, 8] });
      expect(await forward()).toMatchObject({ error: { code: "device-lost" }, tokens: [7, 8] });
      expect(await begin()).toMatchObject({ error: { code: "device-lost" } });
      await end();
      expect(await load({ kind: "none" })).not.toHaveProperty("error");
      await begin();
      expect(await forward(told.tokens)).toMatchObject({ tokens: [7, 8] });
      await end();
    }
  });

  test("given up: while it is loaded, and between the submits of a call", async () => {
    const stopped = await load({ kind: "none" }, { abortAt: 1000 });
    expect(stopped).toMatchObject({ error: { message: "enough" }, counts: nothing });
    expect(await load({ kind: "none" }, { submitWork: 1 })).not.toHaveProperty("error");
    await begin();
    await dawn.try({ kind: "fault", fault: { kind: "none" } });
    const whole = await forward([1, 2]);
    expect(whole.error).toBeUndefined();
    expect(whole.counts.submits).toBeGreaterThan(5);
    await dawn.try({ kind: "fault", fault: { kind: "none" } });
    const told = await forward([3, 4], { abortAt: 2 });
    expect(told).toMatchObject({ error: { message: "enough" }, tokens: [1, 2] });
    // It is heard of between two submits.
    expect(told.counts.submits).toBe(2);
    expect(await forward([3, 4])).toMatchObject({ tokens: [1, 2, 3, 4] });
    await end();
  });

  test("sessions in great number leave nothing behind", async () => {
    await load({ kind: "none" });
    await begin();
    await forward();
    const before = (await dawn.try({ kind: "dispose", session: "s" })).counts.live;
    for (let i = 0; i < 10; i += 1) {
      await begin();
      await forward([1, 2, 3, i]);
      expect((await dawn.try({ kind: "dispose", session: "s" })).counts.live).toBe(before);
    }
    await end();
  });

  test("a checkpoint that ends too early", async () => {
    const { weights } = made;
    const short = `${weights.replace(/model\.safetensors$/, "")}short.safetensors`;
    const whole = readFileSync(weights);
    writeFileSync(short, whole.subarray(0, whole.length - 100));
    expect(await load({ kind: "none" }, { weights: short })).toMatchObject({
      error: { name: "WeightsError" },
      counts: nothing,
    });
  });
});

describe.skipIf(whyNot !== "")(`kernels that are wrong${whyNot}`, { timeout: 600_000 }, () => {
  if (typeof shader === "string") return;
  /** Sums of another sign, in all kernels that have one. */
  const wrong = (text: string): string => text.replaceAll(/subgroupAdd\(/g, "-subgroupAdd(");
  const broken = (text: string): string => text.replace(/enable subgroups;/, "enable oops;");
  const changes = [
    [wrong, /^kernel \w+: sum \d+ of \w+ is .*, not /],
    ...(full ? ([[broken, /^kernel \w+ is refused/]] as const) : []),
  ] as const;
  let tried: MadeModel;
  beforeAll(async () => {
    tried = await makeModel("models/deepseek-llm.ds", llama(1));
  }, 300_000);
  afterAll(() => tried?.remove());
  const load = (): Promise<Done> => shader.try({ kind: "load", model: "m", base: tried.base, weights: tried.weights });

  test("in one variant: the next is taken, and said", async () => {
    let before = "";
    for (const [change, said] of changes) {
      tried.rewrite("kernels/subgroups.wgsl", (text) => {
        if (before === "") before = text;
        return change(before);
      });
      const { value, error } = await load();
      expect(error).toBeUndefined();
      expect(value).toMatchObject({
        gpu: { variant: "plain", refused: [{ variant: "subgroups", why: expect.stringMatching(said) }] },
      });
      await shader.do({ kind: "session", model: "m", session: "s" });
      const logits = await shader.do<Float32Array>({ kind: "forward", session: "s", ids: [3, 1, 4], all: true });
      const want = (await tried.reference([3, 1, 4])).flat();
      for (const [i, x] of want.entries()) expect(Math.abs((logits[i] ?? Number.NaN) - x)).toBeLessThan(1e-3);
      expect((await shader.try({ kind: "dispose", model: "m" })).counts).toMatchObject(nothing);
    }
  });

  test.skipIf(!full)("in all variants: refused", async () => {
    tried.rewrite("kernels/plain.wgsl", (text) => text.replaceAll(/\bfma(\w*)\((\w+), /g, "fma$1(-$2, "));
    const told = await load();
    expect(told).toMatchObject({ error: { name: "SelfTestError", code: "self-test-failed" }, counts: nothing });
  });
});
