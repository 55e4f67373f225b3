/** Folds with a running maximum on machines with lanes: what they compute, alone and by several items, and that faults are found. */
import { describe, expect, test } from "vitest";
import { evaluateExtent, interpret, newData } from "../../compiler/kernel/interpret.ts";
import type { Expr, Kernel, Stmt } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { exprsOf, mapStmts, someExpr } from "../../compiler/kernel/walk.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { type MapCase, mapCase, outputOf } from "./map-case.ts";
import { grouped, latent, multiHead, otherGraphs, type StreamedGraph, streamedGraphs } from "./streamed-graphs.ts";
import { firstWrong } from "./tolerance.ts";

const named = (name: string): KernelTarget => {
  const found = exampleKernelTargets.find((t) => t.name === name);
  if (found === undefined) throw new Error(`no target ${name}`);
  return found;
};
const gpu = named("gpu");
/** Whose machine is kept busy by one item, and by none less than thousands. */
const alone: KernelTarget = { ...gpu, workers: 1 };
const apart: KernelTarget = { ...gpu, workers: 4096, launchBytes: 1 };

type Change = (k: Kernel) => Kernel;
/** What is wrong with it: the first fault, or the first value. */
function wrong(c: MapCase, target: KernelTarget, length: number, change: Change = (k) => k): string | null {
  const made = outputOf(c).fill(Number.NaN);
  const buffers: Record<string, Parameters<typeof interpret>[1]["buffers"][string]> = { ...c.inputs, made };
  const run = (k: Kernel): string | null => {
    const fault = interpret(change(lower(k, target)), { sizes: c.sizes, buffers }, { order: "shuffled", fma: "fused" });
    return fault === null ? null : `${fault.kind}: ${fault.message}`;
  };
  if (c.ahead !== null) {
    const elements = evaluateExtent(c.ahead.extent, c.sizes);
    buffers[c.ahead.name] = newData("f32", elements).fill(Number.NaN);
  }
  const fault = (c.ahead === null ? null : run(c.ahead.kernel)) ?? run(c.kernel);
  return fault ?? firstWrong(made, { values: [...c.want], magnitudes: [...c.want].map(() => 8), length });
}

interface Call {
  readonly T: number;
  readonly S0: number;
  readonly fixed: boolean;
}
/** Tiles have 256 places. */
const calls: readonly Call[] = [
  { T: 1, S0: 0, fixed: true },
  { T: 1, S0: 256, fixed: true },
  { T: 5, S0: 300, fixed: false },
];
const caseOf = (text: string, { T, S0, fixed }: Call, target: KernelTarget, more = {}): MapCase =>
  mapCase(text, { sizes: { ...more, T, S0 }, fixed: fixed ? { T } : {}, target });

const all: Readonly<Record<string, StreamedGraph>> = {
  ...streamedGraphs,
  "values of odd width": { text: otherGraphs["values of odd width"] ?? "" },
};
describe.each(Object.entries(all))("%s", (_, { text, more = {} }) => {
  test("by one item a block", () => {
    for (const call of calls) {
      const c = caseOf(text, call, alone, more);
      expect(c.says, c.refused.join()).toMatch(/^streamed: .* shared by 64 lanes$/);
      expect(c.ahead).toBeNull();
      expect(wrong(c, alone, call.S0 + call.T), JSON.stringify(call)).toBeNull();
    }
  });
  test("by several items, and merged", () => {
    for (const call of calls) {
      const c = caseOf(text, call, apart, more);
      expect(c.says, c.refused.join()).toMatch(/^streamed: .* shared by 64 lanes, by \d+ items$/);
      expect(wrong(c, apart, call.S0 + call.T), JSON.stringify(call)).toBeNull();
    }
  });
});

test("with subgroups, and with as many lanes as a unit has, it is the same", () => {
  for (const target of [named("gpu_subgroups"), named("gpu_unit")]) {
    const c = caseOf(grouped(2, 4, 8), { T: 1, S0: 300, fixed: true }, { ...target, workers: 64 });
    expect(c.says).toContain(`shared by ${target.lanes} lanes, by`);
    expect(wrong(c, target, 301)).toBeNull();
  }
});

test("where a block has more rows than lanes that share its places, these have several each", () => {
  const call: Call = { T: 1, S0: 300, fixed: true };
  // 64 lanes: of 12 vectors each in 5 parts, and of 16 in 4.
  for (const R of [48, 64])
    for (const target of [alone, apart]) {
      const c = caseOf(latent({ H: 8, R, P: 8, near: false }), call, target);
      expect(c.says, c.refused.join()).toMatch(/^streamed: 8 rows x 256 places, shared by 64 lanes/);
      expect(wrong(c, target, 301), `${R}`).toBeNull();
    }
});

describe("plans of heads of published sizes fit 16 KiB", () => {
  const plan = (text: string): MapCase =>
    mapCase(text, { sizes: { T: 1, S0: 511 }, fixed: { T: 1 }, target: { ...gpu, workers: 64 }, expected: false });
  test("latent rows of 576 for 128 heads: four of them at once, 512 values over all lanes", () => {
    const { says, kernel, ahead } = plan(latent({ H: 128, R: 512, P: 64, near: false }));
    expect(says).toBe("streamed: 4 rows x 256 places, shared by 64 lanes, by 4 items");
    const bytes = ahead?.kernel.shared.reduce((n, s) => n + 4 * s.size, 0);
    expect(bytes).toBeLessThanOrEqual(16_384);
    expect(ahead?.kernel.shared.find((s) => s.name === "staged")?.size).toBe(4 * 576);
    expect([ahead?.kernel.lanes, kernel.lanes]).toEqual([64, 64]);
  });
  test("heads that each have keys of their own: a row at a time", () => {
    expect(plan(multiHead(32, 128)).says).toBe("streamed: 1 rows x 256 places, shared by 64 lanes, by 4 items");
  });
  test("where there are blocks enough, none is split", () => {
    const { says, ahead } = plan(multiHead(128, 128));
    expect(says).toBe("streamed: 1 rows x 256 places, shared by 64 lanes");
    expect(ahead).toBeNull();
  });
});

test("what merges is shared out until no lane adds up more than eight parts of a row", () => {
  const target = { ...gpu, workers: 512 };
  const { kernel, says } = mapCase(multiHead(12, 128), {
    sizes: { T: 1, S0: 4095 },
    fixed: { T: 1 },
    target,
    expected: false,
  });
  expect(says).toContain("by 64 items");
  const loads = (body: readonly Stmt[]): number =>
    body.reduce((n, s) => n + ("body" in s ? loads(s.body) : exprsOf(s).filter((e) => someExpr(e, isWide)).length), 0);
  const isWide = (e: Expr): boolean => e.kind === "load" && e.from === "partials" && e.type.width === 4;
  expect(loads(kernel.body)).toBe(8);
});

describe("faults are found", () => {
  const call: Call = { T: 1, S0: 600, fixed: true };
  const split = caseOf(grouped(2, 4, 8), call, apart);
  const one = caseOf(grouped(2, 4, 8), call, alone);
  /** Without the nth barrier of a kernel. */
  const unmet = (n: number, which = (_: Kernel): boolean => true): Change => {
    let seen = 0;
    return (k) => ({
      ...k,
      body: mapStmts(
        k.body,
        (e) => e,
        (s) => (s.kind === "barrier" && which(k) && seen++ === n ? [] : [s]),
      ),
    });
  };
  const count = (body: readonly Stmt[]): number =>
    body.reduce((n, s) => n + (s.kind === "barrier" ? 1 : "body" in s ? count(s.body) : 0), 0);
  test("each barrier that is left out is a race, or something is read before it is there", () => {
    const barriers = count(lower(one.kernel, alone).body);
    expect(barriers).toBeGreaterThan(5);
    for (let n = 0; n < barriers; n += 1)
      expect(wrong(one, alone, 601, unmet(n)), `barrier ${n}`).toMatch(/^race|^unwritten/);
  });
  test("so is each of those of what merges", () => {
    const isMerging = (k: Kernel): boolean => k.buffers.some((b) => b.name === "partials" && b.access === "read");
    const barriers = count(lower(split.kernel, apart).body);
    expect([isMerging(split.kernel), barriers > 3]).toEqual([true, true]);
    for (let n = 0; n < barriers; n += 1)
      expect(wrong(split, apart, 601, unmet(n, isMerging)), `barrier ${n}`).toMatch(/^race|^unwritten/);
  });
  test("sums that are not rescaled, and items that all take the same places", () => {
    const without = (text: RegExp, c: MapCase, target: KernelTarget): string | null => {
      let found = false;
      const change: Change = (k) => ({
        ...k,
        body: mapStmts(
          k.body,
          (e) => e,
          (s) => {
            if (s.kind !== "let" || !text.test(s.name)) return [s];
            found = true;
            const zero = { kind: "const", type: s.value.type, value: s.value.type.elem === "f32" ? 1 : 0 } as const;
            return [{ ...s, value: zero }];
          },
        ),
      });
      const result = wrong(c, target, 601, change);
      expect(found, String(text)).toBe(true);
      return result;
    };
    expect(without(/^factor\d*$/, one, alone)).not.toBeNull();
    expect(without(/^factor\d*$/, split, apart)).not.toBeNull();
    expect(without(/^own_first$/, split, apart)).not.toBeNull();
  });
});
