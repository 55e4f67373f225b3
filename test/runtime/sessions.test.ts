/** Laws of sessions, on a small model, with one thread and with several. */
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadPackage, type Model, type Session } from "../../runtime/package/entry.ts";
import { type PackageOnDisk, tinyWeights, writePackage } from "./tiny-package.ts";
import { expectedLogits, sizes } from "./tiny-program.ts";

const tokens = Array.from({ length: 40 }, (_, i) => (i * i + 3 * i + 5) % sizes.V);
const expected = expectedLogits(tinyWeights, tokens);
const row = (all: Float32Array, t: number): Float32Array => all.subarray(t * sizes.V, (t + 1) * sizes.V);

describe.each([
  { threads: 1, chunk: 7 },
  { threads: 2, chunk: 7 },
  { threads: 3, chunk: 256 },
])("with $threads threads, $chunk tokens at a time", ({ threads, chunk }) => {
  let disk: PackageOnDisk;
  let model: Model;
  beforeAll(async () => {
    disk = await writePackage();
    model = await loadPackage(disk.base, { weights: disk.weights, threads, chunk, worker: disk.worker });
  });
  afterAll(async () => {
    model.dispose();
    await rm(disk.folder, { recursive: true });
  });
  const withSession = async (use: (session: Session) => Promise<void>): Promise<void> => {
    const session = model.session();
    try {
      await use(session);
    } finally {
      session.dispose();
    }
  };

  test("is what was asked for", () => {
    expect(model.info).toMatchObject({ name: "tiny", threads, simd: "baseline", context: 48, parameters: 216 });
  });

  test("logits are those of the formula", () =>
    withSession(async (session) => {
      const all = await session.forward(tokens, { all: true });
      expect(all).toHaveLength(tokens.length * sizes.V);
      for (const [t, want] of expected.entries())
        for (const [v, y] of row(all, t).entries()) expect(y).toBeCloseTo(want[v] ?? 0, 5);
      expect(session.length).toBe(tokens.length);
      expect([...session.tokens]).toEqual(tokens);
    }));

  test("halves give what the whole gives, and so do single tokens", () =>
    withSession(async (session) => {
      const all = await session.forward(tokens, { all: true });
      for (const cut of [1, 7, 20, 39]) {
        session.reset();
        const first = await session.forward(tokens.slice(0, cut));
        const second = await session.forward(Int32Array.from(tokens.slice(cut)));
        expect(first).toEqual(row(all, cut - 1).slice());
        expect(second).toEqual(row(all, tokens.length - 1).slice());
      }
      session.reset();
      for (const [t, token] of tokens.entries()) expect(await session.forward([token])).toEqual(row(all, t).slice());
    }));

  test("what was rolled back has never been", () =>
    withSession(async (session) => {
      const all = await session.forward(tokens, { all: true });
      for (const back of [0, 1, 17, 40]) {
        session.rollback(back);
        const kept = tokens.length - back;
        if (back > 0) await session.forward(Array.from({ length: back }, (_, i) => (i * 7) % sizes.V));
        session.rollback(back);
        expect(session.length).toBe(kept);
        const again = back === 0 ? null : await session.forward(tokens.slice(kept), { all: true });
        for (let t = kept; t < tokens.length; t += 1) expect(again && row(again, t - kept)).toEqual(row(all, t));
      }
      expect(() => session.rollback(41)).toThrow(expect.objectContaining({ code: "bad-option" }));
    }));

  test("two sessions know nothing of each other, even at the same time", async () => {
    const [a, b] = [model.session(), model.session()];
    const other = tokens.map((id) => (id + 11) % sizes.V);
    const [fromA, fromB] = await Promise.all([a.forward(tokens, { all: true }), b.forward(other, { all: true })]);
    a.reset();
    b.reset();
    expect(await a.forward(tokens, { all: true })).toEqual(fromA);
    expect(await b.forward(other, { all: true })).toEqual(fromB);
    expect(fromA).not.toEqual(fromB);
    a.dispose();
    // The memory of a is taken again, and is as new.
    const c = model.session();
    expect(await c.forward(other, { all: true })).toEqual(fromB);
    b.dispose();
    c.dispose();
  });

  test("memory grows under sessions that are there already", async () => {
    const sessions = Array.from({ length: 60 }, () => model.session());
    const given = sessions.map((_, i) => tokens.slice(0, 12).map((id) => (id + i) % sizes.V));
    for (const [i, session] of sessions.entries()) await session.forward(given[i]?.slice(0, 6) ?? []);
    const more = Array.from({ length: 60 }, () => model.session());
    const got = await Promise.all(sessions.map((session, i) => session.forward(given[i]?.slice(6) ?? [])));
    for (const [i, logits] of got.entries()) {
      const alone = more[i] ?? model.session();
      expect(logits).toEqual(await alone.forward(given[i] ?? []));
    }
    for (const session of [...sessions, ...more]) session.dispose();
  });

  test("saved and restored", () =>
    withSession(async (session) => {
      await session.forward(tokens.slice(0, 23));
      const saved = await session.save();
      const want = await session.forward(tokens.slice(23), { all: true });
      const restored = await model.restore(saved);
      expect(restored.length).toBe(23);
      expect(await restored.forward(tokens.slice(23), { all: true })).toEqual(want);
      await restored.restore(saved);
      expect(await restored.save()).toEqual(saved);
      restored.dispose();
    }));

  test("an aborted call changes nothing", () =>
    withSession(async (session) => {
      await session.forward(tokens.slice(0, 5));
      const stop = new AbortController();
      const call = session.forward(tokens.slice(5), { all: true, signal: stop.signal });
      setImmediate(() => stop.abort("enough"));
      await expect(call).rejects.toBe("enough");
      expect(session.length).toBe(5);
      const rest = await session.forward(tokens.slice(5), { all: true });
      expect(row(rest, 34)).toEqual((await freshLogits(model)).slice(39 * sizes.V));
      await expect(session.forward([1], { signal: AbortSignal.abort("no") })).rejects.toBe("no");
    }));
});

async function freshLogits(model: Model): Promise<Float32Array> {
  const session = model.session();
  const all = await session.forward(tokens, { all: true });
  session.dispose();
  return all;
}
