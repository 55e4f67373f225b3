import { describe, expect, test } from "vitest";
import { evalDim } from "../graph/dim.ts";
import { prepare } from "../graph/interpret/prepare.ts";
import { StateStore } from "../graph/interpret/state-store.ts";
import { realsOf, tensor } from "../graph/interpret/tensor.ts";
import type { Graph } from "../graph/node.ts";
import { parse } from "../graph/parse.ts";
import { nodesOf } from "../graph/walk.ts";
import { interpret } from "../kernel/interpret.ts";
import { exampleKernelTargets } from "../target/example-kernel-targets.ts";
import { makeNest } from "./nest/make-nest.ts";
import { specialiser } from "./nest/specialise.ts";
import { scheduleNest } from "./schedule-map.ts";

const [simd] = exampleKernelTargets;
if (simd === undefined) throw new Error("no target");

function graphOf(text: string): Graph {
  const parsed = parse(text);
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column}: ${parsed.message}`);
  return parsed.graph;
}
function random(seed: number): () => number {
  let state = seed * 2654435761 + 12345;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** The last map of the graph by its kernel, against the graph's interpreter. */
function run(
  text: string,
  sizes: Record<string, number>,
  fixed: Record<string, number>,
): { says: string; error: number } {
  const g = graphOf(text);
  const nodes = nodesOf(g);
  const n = g.results[0];
  if (n?.kind !== "map") throw new Error("the result is no map");
  const next = random(Object.values(sizes).reduce((a, b) => a * 31 + b, 7));
  const given = new Map(
    nodes.flatMap((x) => {
      if (x.kind !== "input" && x.kind !== "weight") return [];
      const dims = x.type.dims.map((d) => evalDim(d, sizes));
      const count = dims.reduce((a, b) => a * b, 1);
      const whole = x.type.dtype === "i32";
      const data = Array.from({ length: count }, () => (whole ? Math.floor((next() + 1) * 1.5) : Math.fround(next())));
      return [[x, tensor(dims, data)] as const];
    }),
  );
  const [expected] = prepare(g).run({
    sizes,
    state: new StateStore(),
    param: (p) => given.get(p) ?? tensor([0], []),
  });
  if (expected === undefined) throw new Error("no result");
  const nest = makeNest(n, n, {
    special: specialiser(fixed),
    ranges: new Map([...g.sizes].filter(([name]) => fixed[name] === undefined)),
    counts: new Map(),
    mostElements: 2 ** 31,
    windowBytes: null,
    elemOf: (x) => (x.type.dtype === "i32" ? "i32" : x.type.dtype === "bool" ? "bool" : "f32"),
  });
  const { kernel, says } = scheduleNest(nest, sizes, simd as NonNullable<typeof simd>, { name: "made" });
  const buffers: Record<string, Float32Array | Int32Array> = {};
  for (const [i, o] of nest.operands.entries()) {
    const value = given.get(o.node as never);
    const buffer = kernel.buffers[i];
    if (value === undefined || buffer === undefined) throw new Error(`no value for ${o.node.name}`);
    buffers[buffer.name] = buffer.elem === "f32" ? Float32Array.from(realsOf(value)) : Int32Array.from(realsOf(value));
  }
  const want = realsOf(expected);
  const made = nest.elem === "f32" ? new Float32Array(want.length) : new Int32Array(want.length);
  buffers["made"] = made;
  interpret(kernel, { sizes: Object.fromEntries(kernel.sizes.map((s) => [s.name, sizes[s.name] ?? 0])), buffers });
  const error = want.reduce(
    (worst, w, i) => Math.max(worst, Math.abs(w - (made[i] ?? Number.NaN)) / (1 + Math.abs(w))),
    0,
  );
  return { says, error };
}

const gemv = (d: number, n: number): string => `graph @g {
  size T in 1..64
  %w : f32[${n}, ${d}] = weight
  %x : f32[T, ${d}] = input
  %y : f32[T, ${n}] = map [t, i] sum[k: ${d}](%w[i, k] * %x[t, k])
  return %y
}`;
const normed = (d: number, n: number): string => `graph @g {
  size T in 1..64
  %w : f32[${n}, ${d}] = weight
  %g : f32[${d}] = weight
  %x : f32[T, ${d}] = input
  %y : f32[T, ${n}] = map [t, i] fold[k: ${d}]{ sum r = %x[t, k] * %x[t, k]; sum acc = %w[i, k] * %g[k] * %x[t, k]; yield acc * rsqrt(r / ${d} + 1e-5) }
  return %y
}`;
const rotated = `graph @g {
  size T in 1..64
  %w : f32[3, 8, 16] = weight
  %x : f32[T, 16] = input
  %c : f32[T, 4] = input
  %y : f32[T, 3, 2, 4] = map [t, h, i, j] select(i == 0, sum[k: 16](%w[h, j, k] * %x[t, k]) * %c[t, j], sum[k: 16](%w[h, 4 + j, k] * %x[t, k]) - sum[k: 16](%w[h, j, k] * %x[t, k]) * %c[t, j])
  return %y
}`;
const softmax = (d: number): string => `graph @g {
  size T in 1..64
  %x : f32[T, ${d}] = input
  %y : f32[T, ${d}] = map [t, i] fold[k: ${d} where k <= t + 1]{ max m = %x[t, k]; sum z = exp(%x[t, k] - m); yield exp(%x[t, i] - m) / z }
  return %y
}`;
const gathered = `graph @g {
  size T in 1..64
  %e : f32[5, 12] = weight
  %ids : i32[T] = input
  %y : f32[T, 12] = map [t, i] %e[%ids[t], i] * 2
  return %y
}`;
const attention = `graph @g {
  size T in 1..64
  %q : f32[T, 2, 8] = input
  %k : f32[T, 2, 8] = input
  %v : f32[T, 2, 8] = input
  %y : f32[T, 2, 8] = map [t, h, e] fold[s: T where s <= t]{ let a = sum[c: 8](%q[t, h, c] * %k[s, h, c]) * 0.35; max m = a; sum z = exp(a - m); sum acc = exp(a - m) * %v[s, h, e]; yield acc / z }
  return %y
}`;
const counted = `graph @g {
  size T in 1..64
  %x : f32[T, 5] = input
  %y : i32[T] = map [t] sum[k: 5](select(0 < %x[t, k], k, 1))
  return %y
}`;
const anyOf = `graph @g {
  size T in 1..64
  %x : f32[T, 6] = input
  %y : bool[T] = map [t] any[k: 6 where k < 3](0.5 < %x[t, k])
  return %y
}`;

describe("a map's kernel computes what the graph means", () => {
  const texts: Record<string, string> = {
    "vectors along the sum": gemv(16, 9),
    "a sum of odd length": gemv(7, 5),
    "one row": gemv(16, 1),
    "norm and projection": normed(16, 10),
    "a rotation of projections": rotated,
    "softmax over a prefix": softmax(8),
    "softmax of odd length": softmax(7),
    "rows looked up": gathered,
    "attention, two passes": attention,
    "whole numbers": counted,
    "truth values": anyOf,
  };
  for (const [name, text] of Object.entries(texts))
    for (const T of [1, 2, 3, 4, 5, 7, 8, 9, 17])
      for (const fix of [true, false])
        test(`${name}: T = ${T}${fix ? ", fixed" : ""}`, () => {
          const { error } = run(text, { T }, fix ? { T } : {});
          expect(error).toBeLessThan(2e-6);
        });
  test("plans are those that are meant", () => {
    expect(run(gemv(16, 16), { T: 1 }, { T: 1 }).says).toContain("8 x 1 places"); // as many as the example wants streams
    expect(run(gemv(16, 16), { T: 16 }, {}).says).toContain("4 x 2 places");
    expect(run(gathered, { T: 3 }, {}).says).toContain("vectors of 4");
  });
});
