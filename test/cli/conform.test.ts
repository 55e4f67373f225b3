/** The table of `dsc conform`, from rows that are made up, and a row of the suite itself. */
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { reportRows } from "../../compiler/cli/conform-command.ts";
import type { Row } from "../../compiler/driver/conformance.ts";
import { runInside } from "./run-inside.ts";

const row = (change: Partial<Row>): Row => ({
  kind: "primitive",
  subject: "exp",
  dtype: "f32",
  sizes: "T=3",
  outcome: "passed",
  error: 0.25,
  seconds: 0.1,
  note: null,
  ...change,
});

async function report(rows: readonly Row[], json = false, interruptAfter = rows.length) {
  let [out, error] = ["", ""];
  const abort = new AbortController();
  async function* given(): AsyncIterable<Row> {
    for (const [i, one] of rows.entries()) {
      if (i === interruptAfter) abort.abort(new Error("interrupted"));
      abort.signal.throwIfAborted();
      yield one;
    }
  }
  const terminal = {
    cwd: "/",
    columns: 80,
    colour: { out: false, error: false },
    out: (text: string) => {
      out += text;
    },
    error: (text: string) => {
      error += text;
    },
    progress: () => undefined,
    lines: () => {
      throw new Error("nothing is said to it");
    },
  };
  const code = await reportRows(given(), { backend: "wasm", signal: abort.signal, json, terminal });
  return { code, out, error };
}

test("a row a line, and how many of each outcome", async () => {
  const rows = [
    row({}),
    row({ kind: "block", subject: "std/norm rms_norm", outcome: "failed", error: 3, note: "y[2]: 1.5\nis 2" }),
    row({ subject: "cast", outcome: "unsupported", error: null, note: "no f64" }),
  ];
  const { code, out } = await report(rows);
  expect(code).toBe(1);
  expect(out).toBe(
    [
      "ok    primitive  exp                               f32     T=3                   0.25 of the tolerance",
      "FAIL  block      std/norm rms_norm                 f32     T=3                   3.0 of the tolerance",
      "      y[2]: 1.5",
      "      is 2",
      "none  primitive  cast                              f32     T=3",
      "      no f64",
      "wasm: 3 rows, 1 passed, 1 failed, 1 unsupported",
      "",
    ].join("\n"),
  );
});

test("one object, what was there before an interruption, and nothing", async () => {
  const { code, out } = await report([row({})], true);
  expect({ code, out: JSON.parse(out) }).toEqual({ code: 0, out: { backend: "wasm", rows: [row({})] } });
  expect(await report([row({}), row({})], false, 1)).toMatchObject({
    code: 130,
    out: expect.stringContaining("wasm: 1 rows, 1 passed"),
  });
  expect(await report([])).toMatchObject({ code: 2, error: expect.stringContaining("nothing was run") });
});

test("a row of the suite, and a backend that is none", async () => {
  const ran = await runInside(["conform", "--only", "exp of f32", "--json"], tmpdir());
  const { rows }: { readonly rows: readonly Row[] } = JSON.parse(ran.out);
  expect(rows.map(({ subject, outcome }) => [subject, outcome])).toEqual([["exp of f32", "passed"]]);
  expect(await runInside(["conform", "--backend", "wsam"], tmpdir())).toMatchObject({
    code: 2,
    error: expect.stringContaining("did you mean `wasm`?"),
  });
});
