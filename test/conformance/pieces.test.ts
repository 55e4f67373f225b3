/**
 * Buffers in pieces: with a limit that tiny tensors reach, all that is bound in pieces at full size is bound in pieces here, and
 * computes what the reference does. Descriptions of targets and limits differ; faults in how pieces are found are seen.
 */
import { describe, expect, test } from "vitest";
import { wasmMachine } from "../../backends/wasm/kernel-machine.ts";
import { runCase } from "../../compiler/conformance/graph-case.ts";
import { interpreterMachine } from "../../compiler/conformance/interpreter-machine.ts";
import type { Machine } from "../../compiler/conformance/machine.ts";
import { suiteCases } from "../../compiler/conformance/suite.ts";
import { add, constant } from "../../compiler/kernel/expr.ts";
import type { Expr, Kernel } from "../../compiler/kernel/kernel.ts";
import { mapStmts } from "../../compiler/kernel/walk.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import { randomGraph } from "../graph/random-graph.ts";
import { readProject } from "./bind-text.ts";
import { tryGraph } from "./graphs/try-graph.ts";

const full = process.env["DSC_FULL"] === "1";

/** Counts the kernels that have a buffer in pieces; `change` plants a fault into all. */
interface Watched {
  readonly machine: Machine;
  readonly seen: { kernels: number };
}
function watched(of: Machine, mostElements: number, change: (k: Kernel) => Kernel = (k) => k): Watched {
  const seen = { kernels: 0 };
  const machine: Machine = {
    ...of,
    name: `${of.name}, fewer than ${mostElements} elements`,
    kernel: { ...of.kernel, mostElements },
    open: async (kernels) => {
      seen.kernels += kernels.filter((k) => k.buffers.some((b) => b.pieces !== undefined)).length;
      const changed = new Map(kernels.map((k) => [k, change(k)] as const));
      const memory = await of.open([...changed.values()]);
      return {
        ...memory,
        bytes: () => memory.bytes(),
        reserve: (n) => memory.reserve(n),
        call: (k, at, sizes) => memory.call(changed.get(k) ?? k, at, sizes),
      };
    },
  };
  return { machine, seen };
}

/** Of rows about something, or of all every third, those of this turn. */
async function failuresOf(
  machine: Machine,
  which: string | number,
): Promise<{ rows: number; failed: readonly string[] }> {
  const all = suiteCases(false, readProject).flatMap((c) => c.weights.map((weights) => ({ c, weights })));
  const taken = all.filter(({ c }, i) => (typeof which === "string" ? c.subject.includes(which) : i % 3 === which % 3));
  const failed: string[] = [];
  for (const { c, weights } of taken) {
    const row = await runCase(c, weights, machine);
    // What has no whole numbers of 64 bits says so; nothing else is left out.
    if (row.outcome === "unsupported" && !machine.kernel.i64 && (row.note ?? "").includes("64 bits")) continue;
    if (row.outcome !== "passed") failed.push(`${row.subject}, ${row.dtype}, ${row.sizes}: ${row.note}`);
  }
  return { rows: taken.length, failed };
}

const described = exampleKernelTargets.map((kernel) => interpreterMachine(wasmMachine.cost, kernel));
/** What has leading axes of fixed size: experts, weights of several layers, rows that are looked up, plain matrices. */
const subjects = ["K: 2, norm_topk_prob: true", "repeat with memory", "gather of rows", "read by columns"] as const;

describe("rows of the suite", () => {
  test.each(
    [
      ["WebAssembly", wasmMachine, 64] as const,
      ["WebAssembly", wasmMachine, 2] as const,
      ...described.filter((_, i) => (full ? i % 2 === 0 : i === 0)).map((m) => [m.name, m, 40] as const),
    ].map((x, turn) => [...x, turn] as const),
  )("%s, %#", async (_, of, mostElements, turn) => {
    const { machine, seen } = watched(of, mostElements);
    const tried = await Promise.all([...subjects, ...(full ? [turn] : [])].map((which) => failuresOf(machine, which)));
    expect(tried.flatMap((t) => t.failed)).toEqual([]);
    expect(tried.every((t) => t.rows > 0)).toBe(true);
    expect(seen.kernels).toBeGreaterThan(10);
  });
});

describe("random graphs", () => {
  test.each([
    ["WebAssembly", wasmMachine, 8],
    ["WebAssembly", wasmMachine, 3],
    ["the kernel interpreter", interpreterMachine(wasmMachine.cost, wasmMachine.kernel), 5],
  ] as const)("%s, %#", async (_, of, mostElements) => {
    const { machine, seen } = watched(of, mostElements);
    const failures: string[] = [];
    for (let seed = 9000; seed < 9000 + (full ? 100 : 8); seed += 1) {
      const made = randomGraph(seed, { large: false });
      const { failure } = await tryGraph(made, seed, { machine, passes: seed % 2 === 0, weights: "f32" });
      if (failure !== null) failures.push(failure);
    }
    expect(failures.join("\n\n")).toBe("");
    expect(seen.kernels).toBeGreaterThan(0);
  });
});

/** Every load of a buffer in pieces, changed. */
const withLoads = (k: Kernel, change: (piece: Expr) => Expr): Kernel => ({
  ...k,
  body: mapStmts(k.body, (e) => (e.kind === "load" && e.piece !== undefined ? { ...e, piece: change(e.piece) } : e)),
});
const withBuffers = (k: Kernel, change: (extent: Expr) => Expr): Kernel => ({
  ...k,
  buffers: k.buffers.map((b) => (b.pieces === undefined ? b : { ...b, extent: change(b.extent) })),
});

describe("planted faults", () => {
  test.each([
    ["the piece is ignored", (k: Kernel) => withLoads(k, () => constant(0))],
    ["pieces are four elements further apart", (k: Kernel) => withBuffers(k, (extent) => add(extent, 4))],
  ] as const)("%s", async (_, change) => {
    const { machine } = watched(wasmMachine, 64, change);
    const { failed } = await failuresOf(machine, "K: 2, norm_topk_prob: true");
    expect(failed.filter((note) => / is \S+, not /.test(note))).not.toEqual([]);
  });
});
