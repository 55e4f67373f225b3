/** A model in several memories is the same model: what it says, to the bit, and what it keeps. */
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planDevice } from "../../runtime/device/plan-device.ts";
import { nodeHost } from "../../runtime/node/node-host.ts";
import { loadPackage, type Model } from "../../runtime/package/entry.ts";
import { loadInto } from "../../runtime/package/load-package.ts";
import { wasmPlayer } from "../../runtime/package/wasm-player.ts";
import { limitFor, memoriesUnder, orderOf } from "./limit-memories.ts";
import { f32Tensor, type PackageOnDisk, tinyTensors, tinyWeights, writePackage } from "./tiny-package.ts";
import { sizes } from "./tiny-program.ts";
import { wideProgram } from "./wide-program.ts";

const { D } = sizes;
const height = 512;
const wide = wideProgram(height, 0);
const wideTensors = [
  ...tinyTensors.slice(0, 1),
  ...tinyWeights.g.map((g, l) => {
    const rows = new Float32Array(height * D).fill(Number.NaN);
    rows.set(g);
    return f32Tensor(`model.layers.${l}.g`, [height, D], rows);
  }),
];
const tokens = Array.from({ length: 40 }, (_, i) => (i * i + 5 * i + 3) % sizes.V);

let disk: PackageOnDisk;
let one: Model;
beforeAll(async () => {
  disk = await writePackage({ program: wide, tensors: wideTensors });
  one = await loadPackage(disk.base, { weights: disk.weights, threads: 1, worker: disk.worker });
});
afterAll(async () => {
  one.dispose();
  await rm(disk.folder, { recursive: true });
});

const loadUnder = (memoryBytes: number, threads: number): Promise<Model> =>
  loadInto({
    base: disk.base,
    options: { weights: disk.weights, threads },
    host: { ...nodeHost(disk.worker), memoryBytes },
    player: wasmPlayer,
  });

/** Everything that a session can be asked for, once. */
async function deeds(model: Model): Promise<readonly (Float32Array | Uint8Array)[]> {
  const [session, other] = [model.session(), model.session()];
  const results: (Float32Array | Uint8Array)[] = [];
  results.push(await session.forward(tokens, { all: true }));
  session.rollback(17);
  results.push(await session.forward([1, 2, 3]), await other.forward(tokens.slice(0, 9)), await session.forward([4]));
  session.rollback(4);
  results.push(await session.save(), await session.forward(tokens.slice(23), { all: true }));
  const aborted = session.forward([5], { signal: AbortSignal.abort("enough") });
  await expect(aborted).rejects.toBe("enough");
  other.rollback(2);
  results.push(await other.forward([7]), await other.save());
  const third = await model.restore(await other.save());
  results.push(await third.forward([8, 9]), await other.forward([8, 9]));
  for (const s of [session, other, third]) s.dispose();
  return results;
}

describe.each([
  [2, 1],
  [3, 1],
  [4, 1],
  [2, 2],
  [4, 2],
  [4, 3],
])("%i memories, %i threads", (count, threads) => {
  let model: Model;
  beforeAll(async () => {
    model = await loadUnder(limitFor(orderOf(wide, 48, threads), count), threads);
  });
  afterAll(() => model.dispose());

  test("is what was asked for", () => {
    expect(model.info).toMatchObject({ threads, memory: { memories: count } });
    expect(one.info.memory.memories).toBe(1);
    expect(model.memoryBytes).toBeGreaterThan(one.memoryBytes);
  });

  test("says and keeps what one memory does", async () => {
    expect(await deeds(model)).toEqual(await deeds(one));
  });

  test("sessions go from one to the other", async () => {
    const [here, there] = [model.session(), one.session()];
    await here.forward(tokens.slice(0, 30));
    await there.forward(tokens.slice(0, 30));
    expect(await here.save()).toEqual(await there.save());
    const [moved, back] = [await one.restore(await here.save()), await model.restore(await there.save())];
    const want = await there.forward(tokens.slice(30), { all: true });
    expect(await moved.forward(tokens.slice(30), { all: true })).toEqual(want);
    expect(await back.forward(tokens.slice(30), { all: true })).toEqual(want);
    for (const session of [here, there, moved, back]) session.dispose();
  });

  test("sessions until there is no room, and again when some have ended", async () => {
    const sessions = [model.session()];
    const more = (): unknown => {
      try {
        for (;;) sessions.push(model.session());
      } catch (error) {
        return error;
      }
    };
    expect(more()).toMatchObject({
      code: "out-of-memory",
      message: expect.stringMatching(/^a session in memory \d of \d takes (1536|3072) bytes; \d+ are there$/),
    });
    expect(sessions.length).toBeGreaterThanOrEqual(4);
    const most = sessions.length;
    const last = sessions.at(-1);
    const want = await one.session().forward(tokens);
    expect(await last?.forward(tokens)).toEqual(want);
    for (const session of sessions.splice(0)) session.dispose();
    expect(more()).toMatchObject({ code: "out-of-memory" });
    expect(sessions).toHaveLength(most);
    expect(await sessions[0]?.forward(tokens)).toEqual(want);
    for (const session of sessions) session.dispose();
  });
});

test("whatever the limit, a model is the same or refused", async () => {
  const order = orderOf(wide, 48, 1);
  const want = await deeds(one);
  const seen = new Set<number | null>();
  const lowest = planDevice(order).layout.end;
  for (let memoryBytes = lowest - 100; memoryBytes < lowest + 70_000; memoryBytes += 3_500) {
    const count = memoriesUnder(order, memoryBytes);
    if (count === null) {
      await expect(loadUnder(memoryBytes, 1)).rejects.toMatchObject({ code: "out-of-memory" });
      continue;
    }
    const model = await loadUnder(memoryBytes, 1);
    expect(model.info.memory.memories).toBe(count);
    const got = await deeds(model).catch((error: unknown) => error);
    if (got instanceof Error) expect(got).toMatchObject({ code: "out-of-memory" });
    else {
      expect(got).toEqual(want);
      seen.add(count);
    }
    model.dispose();
  }
  expect([...seen].sort()).toEqual([1, 2, 3]);
});

test("what has no place is named, with what it needs and what there is", async () => {
  const { layout } = planDevice(orderOf(wide, 48, 1));
  await expect(loadUnder(layout.end + 1100, 1)).rejects.toMatchObject({
    code: "out-of-memory",
    needed: 16_704,
    available: expect.closeTo(1100, -3),
    message: expect.stringMatching(
      /^weight layer.g, which has to be in one memory, takes 16704 bytes; 1\d{3} are there$/,
    ),
  });
  await expect(loadUnder(layout.end - 1000, 1)).rejects.toMatchObject({ needed: expect.closeTo(layout.end, -3) });
  const poor = { ...nodeHost(disk.worker), memoryBytes: layout.end + 20_000, available: () => 90_000 };
  await expect(
    loadInto({ base: disk.base, options: { weights: disk.weights, threads: 1 }, host: poor, player: wasmPlayer }),
  ).rejects.toMatchObject({
    code: "out-of-memory",
    needed: expect.closeTo(4 * layout.end + 55_000, -4),
    available: 90_000,
  });
});
