/**
 * Weights of which a launch has a few pieces: with limits that tiny tensors reach, all that is split at full size is split here, and
 * computes what the reference does, whatever the windows are. Faults in how windows are found are seen.
 */
import { describe, expect, test } from "vitest";
import { webgpuCost, webgpuTarget } from "../../backends/wgsl/target.ts";
import { runCase } from "../../compiler/conformance/graph-case.ts";
import { interpreterMachine } from "../../compiler/conformance/interpreter-machine.ts";
import { suiteCases } from "../../compiler/conformance/suite.ts";
import { constant, eq } from "../../compiler/kernel/expr.ts";
import type { Expr, Kernel } from "../../compiler/kernel/kernel.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { mapStmts } from "../../compiler/kernel/walk.ts";
import { readProject } from "./bind-text.ts";
import { type InWindows, inWindows, type WindowOrder } from "./in-windows.ts";

const full = process.env["DSC_FULL"] === "1";
const lanes = interpreterMachine(webgpuCost, webgpuTarget);
const onLanes = (order: WindowOrder): InWindows => inWindows(lanes, order);

async function failuresOf({ machine }: InWindows, subject: string, every = 1): Promise<readonly string[]> {
  const cases = suiteCases(false, readProject).filter((c) => c.subject.includes(subject));
  const tried = cases.filter((_, i) => i % every === 0);
  expect(tried).not.toEqual([]);
  const failed: string[] = [];
  for (const c of tried)
    for (const weights of c.weights) {
      const row = await runCase(c, weights, machine);
      if (row.outcome !== "passed") failed.push(`${row.subject}, ${row.dtype}, ${row.sizes}: ${row.note}`);
    }
  return failed;
}

/** Experts, picked and sorted; weights of several layers; rows that are looked up; plain matrices. */
const subjects = ["K: 2, norm_topk_prob: true", "repeat with memory", "gather of rows", "read by columns"] as const;

describe("rows of the suite, lane by lane", () => {
  test.each(
    [
      [64, 3],
      [64, 1],
      [200, 2],
      [16, 5],
    ].slice(0, full ? 4 : 1),
  )("weights of more than %d bytes, %d pieces at a time", { timeout: 120_000 }, async (bytes, pieces) => {
    const windows = onLanes({ bytes, pieces });
    for (const subject of subjects) expect(await failuresOf(windows, subject, full ? 1 : 2), subject).toEqual([]);
    expect(windows.seen.kernels).toBeGreaterThan(10);
    // Most calls are several launches; few weights here have more than five pieces.
    expect(windows.seen.launches).toBeGreaterThan(1.5 * windows.seen.calls);
  });
});

const isFirst = (k: Kernel, e: Expr | undefined): boolean => e?.kind === "name" && e.name === k.window?.first;
const inBodies = (k: Kernel, change: (e: Expr) => Expr): Kernel =>
  k.window === undefined ? k : { ...k, body: mapStmts(k.body, change) };
const dropped = eq(constant(0), 0);

describe("planted faults", () => {
  test.each([
    [
      "where the window begins is forgotten",
      0,
      (k: Kernel) =>
        inBodies(k, (e) => (e.kind === "op" && e.op === "sub" && isFirst(k, e.args[1]) ? (e.args[0] ?? e) : e)),
    ],
    [
      "what is before the window is stored",
      1,
      (k: Kernel) => inBodies(k, (e) => (e.kind === "op" && e.op === "le" && isFirst(k, e.args[0]) ? dropped : e)),
    ],
    [
      "the window begins a piece later",
      1,
      (k: Kernel) =>
        inBodies(k, (e) =>
          e.kind === "op" && e.op === "le" && isFirst(k, e.args[0]) ? { ...e, op: "lt" as const } : e,
        ),
    ],
  ] as const)("%s", async (_, share, change) => {
    let refused = 0;
    const windows = onLanes({
      bytes: 64,
      pieces: 3,
      change: (k) => {
        const changed = change(k);
        if (changed !== k && verify(changed, webgpuTarget).length > 0) refused += 1;
        return changed;
      },
    });
    const failed = await failuresOf(windows, "gather of rows");
    expect(failed.filter((note) => / is \S+, not /.test(note))).not.toEqual([]);
    // What the proofs say, they say before anything is run.
    expect(refused).toBe(share * windows.seen.kernels);
  });
});
