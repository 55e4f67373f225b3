/**
 * Selections from memory in blocks of it: with blocks that a few rows fill, what is chosen is what the reference chooses, on
 * several targets; and what is chosen from is seen to come in blocks.
 */
import { describe, expect, test } from "vitest";
import { wasmMachine } from "../../backends/wasm/kernel-machine.ts";
import { runCase } from "../../compiler/conformance/graph-case.ts";
import { interpreterMachine } from "../../compiler/conformance/interpreter-machine.ts";
import type { Machine } from "../../compiler/conformance/machine.ts";
import { suiteCases } from "../../compiler/conformance/suite.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import { readProject } from "./bind-text.ts";

interface Watched {
  readonly machine: Machine;
  /** Calls of kernels that keep the best of a block, of blocks behind the first. */
  readonly seen: { later: number };
}
function watched(of: Machine, keysAtOnce: number, broken = false): Watched {
  const seen = { later: 0 };
  const machine: Machine = {
    ...of,
    kernel: { ...of.kernel, keysAtOnce },
    open: async (kernels) => {
      const memory = await of.open(kernels);
      return {
        ...memory,
        bytes: () => memory.bytes(),
        reserve: (n) => memory.reserve(n),
        call: (k: Kernel, at, sizes) => {
          const later = k.source.includes(": the best so far") && (sizes["block_first"] ?? 0) > 0;
          if (later) seen.later += 1;
          return later && broken ? undefined : memory.call(k, at, sizes);
        },
      };
    },
  };
  return { machine, seen };
}

async function failuresOf(machine: Machine, only: string): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const c of suiteCases(false, readProject).filter(({ subject }) => subject === only)) {
    const row = await runCase(c, "f32", machine);
    if (row.outcome !== "passed") failed.push(`${row.subject}, ${row.sizes}: ${row.note}`);
  }
  return failed;
}

const [simd, , gpu] = exampleKernelTargets.map((kernel) => interpreterMachine(wasmMachine.cost, kernel));
const [rows, indexer] = ["top_k of remembered rows", "std/dsa lightning_indexer, exact: true"];

describe("are chosen from as the reference chooses", () => {
  // 5 for one row, as when decoding, and 8 for many: each less than calls of the suite remember.
  test.each([
    [rows, wasmMachine, 64],
    [rows, gpu, 64],
    [indexer, wasmMachine, 5],
    [indexer, wasmMachine, 64],
    [indexer, simd, 5],
    [indexer, gpu, 64],
  ] as const)("%s, case %#", async (only = "", of, keysAtOnce) => {
    if (of === undefined) throw new Error("no machine");
    const { machine, seen } = watched(of, keysAtOnce);
    expect(await failuresOf(machine, only)).toEqual([]);
    expect(seen.later).toBeGreaterThan(0);
  });
  test.each([rows, indexer])("%s: blocks that are left out are missed", async (only = "") => {
    const { machine } = watched(wasmMachine, 64, true);
    expect((await failuresOf(machine, only)).filter((note) => / is \S+, not /.test(note))).not.toEqual([]);
  });
});
