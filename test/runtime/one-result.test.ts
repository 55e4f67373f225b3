/** Packages that compute one kind of result only: the other is had from it. */

import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import type { Program } from "../../runtime/artifact/program.ts";
import { logitsOf } from "../../runtime/calls/choose-phase.ts";
import { loadPackage } from "../../runtime/package/entry.ts";
import { writePackage } from "./tiny-package.ts";
import { sizes, tinyProgram } from "./tiny-program.ts";

const tokens = Array.from({ length: 30 }, (_, i) => (5 * i + 2) % sizes.V);
const only = (keep: (phase: Program["phases"][number]) => boolean): Program => ({
  ...tinyProgram,
  phases: tinyProgram.phases.filter(keep),
});

async function both(program: Program) {
  const disk = await writePackage({ program });
  try {
    const model = await loadPackage(disk.base, { weights: disk.weights, threads: 1 });
    const session = model.session();
    const all = await session.forward(tokens, { all: true });
    session.reset();
    const last = await session.forward(tokens);
    model.dispose();
    return { all, last };
  } finally {
    await rm(disk.folder, { recursive: true });
  }
}

test.each([
  ["the last token's only", only((p) => logitsOf(p) === "next")],
  ["the last token's only, one by one", only((p) => p.name === "next-1")],
  ["all tokens' only", only((p) => logitsOf(p) === "logits")],
])("%s", async (_, program) => {
  const got = await both(program);
  expect(got).toEqual(await both(tinyProgram));
  expect(got.last).toEqual(got.all.slice(-sizes.V));
});

test("no phase for a single token is refused", async () => {
  await expect(both(only((p) => p.name === "next-many"))).rejects.toMatchObject({ code: "corrupt-package" });
});

test("logits that do not come apart by tokens are refused", async () => {
  const phases = tinyProgram.phases.map((p) => ({ ...p, outputs: p.outputs.map((o) => ({ ...o, dims: [1] })) }));
  await expect(both({ ...tinyProgram, phases })).rejects.toMatchObject({ code: "corrupt-package" });
});
