/** Both forms of memory by hashed n-grams, and a language model with one, against recordings: the reference and packages. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Session } from "../../../runtime/package/session.ts";
import { recordingError } from "../../oracle/cases.ts";
import { engramCaseNames, engramLmCaseNames, loadEngramCase, loadEngramLmCase } from "../../oracle/references.ts";
import { bindText, type Rows, rowsOf } from "../bind-text.ts";
import { type OraclePackage, packOracle } from "../models/oracle-package.ts";
import { modulesOf, numbersIn, withConstants } from "./cases.ts";

/** How far the worst number is from the recording, in units of what a recorded number may be off. */
function worst(found: Rows, recorded: Rows): number {
  let most = found.length === recorded.length ? 0 : Number.POSITIVE_INFINITY;
  for (const [t, row] of recorded.entries())
    for (const [i, value] of row.entries()) {
      const error = Math.abs((found[t]?.[i] ?? Number.NaN) - value) / recordingError(value);
      most = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(most, error);
    }
  return most;
}
/** The largest difference, as a share of the largest recorded number. */
function share(got: ArrayLike<number>, recorded: Rows): number {
  const want = recorded.flat();
  if (got.length !== want.length) return Number.POSITIVE_INFINITY;
  const most = Math.max(...want.map(Math.abs));
  return Math.max(...want.map((value, i) => Math.abs((got[i] ?? Number.NaN) - value) / most));
}

const modules = engramCaseNames.flatMap((name) => {
  const recorded = loadEngramCase(name);
  return modulesOf(recorded).map((made) => ({ ...made, name, ids: recorded.ids }));
});

describe.each(modules)("$name at layer $layer", ({ memory, text, config, tensors, ids }) => {
  const streams = numbersIn(tensors()).get("streams");
  const width = memory.added[0]?.length ?? 0;
  const given = (t: number, i: number): number => Number(streams?.data[t * width + i]);
  const after = memory.added.map((row, t) => row.map((x, i) => x + given(t, i)));

  test.each([[ids.length], [9, 1, 1, 18]])(
    "the reference: rows, gates and what is added, in calls of %s and more",
    async (...calls) => {
      const wanted = new Set(["memory_of.rows.row", "memory_of.gate"]);
      const model = await bindText({
        entry: "module.ds",
        text,
        config,
        tensors: numbersIn(tensors()),
        results: ["logits"],
        keep: (path) => wanted.has(path),
      });
      const found = new Map<string, (readonly number[])[]>();
      const add = (name: string, rows: Rows): void => void found.set(name, [...(found.get(name) ?? []), ...rows]);
      let at = 0;
      for (const count of calls) {
        const session = model.session;
        const results = session.forward(ids.slice(at, at + count), {
          observe: (node, _, value) => {
            if (wanted.has(node.name)) add(node.name, rowsOf(value));
          },
        });
        add("logits", rowsOf(results[0]));
        at += count;
      }
      const offset = memory.rows.map((row) => row.map((r, j) => r + (memory.offsets[j] ?? Number.NaN)));
      expect(found.get("memory_of.rows.row")).toEqual(offset);
      expect(worst(found.get("memory_of.gate") ?? [], memory.gates)).toBeLessThanOrEqual(1);
      const added = (found.get("logits") ?? []).map((row, t) => row.map((x, i) => x - given(t, i)));
      expect(worst(added, memory.added)).toBeLessThanOrEqual(1);
    },
  );

  test("a package", async () => {
    const packed = await packOracle({ config, weights: tensors }, { text: { own: text } });
    try {
      const all = packed.model.session();
      expect(share(await all.forward(ids, { all: true }), after)).toBeLessThan(1e-5);
      const steps = packed.model.session();
      for (const [t, id] of ids.entries())
        expect(share(await steps.forward([id]), after.slice(t, t + 1)), `token ${t}`).toBeLessThan(1e-5);
    } finally {
      packed.remove();
    }
  });
});

describe.each(engramLmCaseNames.map((name) => withConstants(loadEngramLmCase(name))))("$name", (oracle) => {
  const { ids, steps, logits, hidden, config, tensors } = oracle;
  const all = [...ids, ...steps];

  test("the reference: the first stream behind each layer, and logits", async () => {
    const model = await bindText({
      entry: "models/engram-lm.ds",
      config,
      tensors: numbersIn(tensors()),
      results: ["hidden", "logits"],
      keep: (path) => path === "layer.y",
    });
    const found = new Map<string, (readonly number[])[]>();
    const add = (name: string, rows: Rows): void => void found.set(name, [...(found.get(name) ?? []), ...rows]);
    const width = hidden.get("embed")?.[0]?.length ?? 0;
    for (const call of [ids, ...steps.map((id) => [id])]) {
      const { results, observed } = model.forward(call);
      for (const [name, rows] of results) add(name === "hidden" ? "norm" : name, rows);
      for (const { path, member, rows } of observed)
        if (path === "layer.y")
          add(
            `block.${member}`,
            rows.map((row) => row.slice(0, width)),
          );
    }
    const recorded = new Map([...hidden, ["logits", logits] as const]);
    recorded.delete("embed"); // rows of a weight
    const errors = Object.fromEntries([...recorded].map(([part, rows]) => [part, worst(found.get(part) ?? [], rows)]));
    for (const error of Object.values(errors)) expect(error, JSON.stringify(errors)).toBeLessThanOrEqual(1);
  });

  describe("a package", () => {
    let packed: OraclePackage | null = null;
    beforeAll(async () => {
      packed = await packOracle({ config, weights: tensors }, { text: "engram-lm" });
    }, 120_000);
    afterAll(() => packed?.remove());
    const session = (): Session => {
      if (packed === null) throw new Error("there is no package");
      return packed.model.session();
    };
    test("all at once, and a token a call", async () => {
      expect(share(await session().forward(all, { all: true }), logits)).toBeLessThan(1e-4);
      const s = session();
      for (const [i, id] of all.entries())
        expect(share(await s.forward([id]), logits.slice(i, i + 1)), `token ${i}`).toBeLessThan(1e-4);
    });
    test("in chunks, and again after tokens that are forgotten", async () => {
      const s = session();
      for (let i = 0; i < all.length; i += 5) {
        const here = all.slice(i, i + 5);
        await s.forward([...here].reverse());
        s.rollback(here.length);
        expect(share(await s.forward(here, { all: true }), logits.slice(i, i + 5)), `tokens from ${i}`).toBeLessThan(
          1e-4,
        );
      }
    });
  });
});
