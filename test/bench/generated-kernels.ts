/**
 * Kernels that the compiler makes from graphs, beside those that were written by hand for the same work, in one run, one
 * thread. Prints, asserts nothing.
 *
 *     tsx test/bench/generated-kernels.ts [seconds a kernel]
 */
import { wasmTarget } from "../../backends/wasm/target.ts";
import { evalDim } from "../../compiler/graph/dim.ts";
import { parse } from "../../compiler/graph/parse.ts";
import type { Elem } from "../../compiler/kernel/elem.ts";
import type { Data } from "../../compiler/kernel/interpret.ts";
import { makeNest } from "../../compiler/schedule/nest/make-nest.ts";
import { specialiser } from "../../compiler/schedule/nest/specialise.ts";
import { scheduleNest } from "../../compiler/schedule/schedule-map.ts";
import { attention } from "../kernels/by-hand/attention.ts";
import { chooseAttention } from "../kernels/by-hand/attention-schedule.ts";
import { chooseTile, contraction } from "../kernels/by-hand/contraction.ts";
import { chooseGemv, gemv } from "../kernels/by-hand/gemv.ts";
import { chooseRowReduction, rmsNorm, rowReduction } from "../kernels/by-hand/row-reduction.ts";
import { floats, packPanels, stored } from "../kernels/data.ts";
import { printTime, type Work } from "./time-kernel.ts";

const seconds = Number(process.argv[2] ?? 0.5);
/** By hand eight rows at once were best. */
const t = { ...wasmTarget, streams: 8 };

/** The last map of a graph. `fixed`: sizes that it is made for alone. */
function made(
  text: string,
  sizes: Record<string, number>,
  fixed: Record<string, number>,
  weights: Elem = "f32",
  mostElements = wasmTarget.mostElements,
): Work {
  const parsed = parse(text);
  const node = parsed.ok ? parsed.graph.results[0] : undefined;
  if (!parsed.ok || node?.kind !== "map") throw new Error("no map");
  const open = new Map([...parsed.graph.sizes].filter(([n]) => fixed[n] === undefined));
  const nest = makeNest(node, node, {
    special: specialiser(fixed),
    ranges: open,
    counts: new Map(),
    mostElements,
    windowBytes: null,
    elemOf: (n) => (n.type.dtype === "i32" ? "i32" : n.kind === "weight" ? weights : "f32"),
  });
  const { kernel } = scheduleNest(nest, sizes, wasmTarget, { name: "generated" });
  const buffers: Record<string, Data | number> = {};
  for (const [i, o] of nest.operands.entries()) {
    const count = o.node.type.dims.reduce((n, d) => n * evalDim(d, sizes), 1);
    const name = kernel.buffers[i]?.name ?? "";
    const whole = (): Int32Array => Int32Array.from({ length: count }, (_, at) => (at * 7) % 64);
    const real = (): ReturnType<typeof floats> => floats(count, 20 + i);
    buffers[name] = o.elem === "f32" ? real() : o.elem === "i32" ? whole() : stored(o.elem, real());
  }
  buffers["made"] = 4 * node.type.dims.reduce((n, d) => n * evalDim(d, sizes), 1);
  return { kernel, sizes, buffers };
}

interface Race {
  readonly what: string;
  readonly amount: number;
  readonly unit: string;
  readonly byHand: Work;
  readonly generated: Work;
}

function products(N: number, K: number, weights: Elem): Race {
  const g = { name: "gemv", weights, batch: 1, multiple: 8 } as const;
  const buffers = { w: stored(weights, floats(N * K, 1)), x: floats(K, 2), y: 4 * N };
  const text = `graph @g {
  %w : f32[${N}, ${K}] = weight
  %x : f32[${K}] = input
  %y : f32[${N}] = map [i] sum[k: ${K}](%w[i, k] * %x[k])
  return %y
}`;
  return {
    what: `${weights} matrix ${N} x ${K} and a vector`,
    amount: N * K,
    unit: "Gweights/s",
    byHand: { kernel: gemv(g, chooseGemv(g, t)), sizes: { N, K }, buffers },
    generated: made(text, {}, {}, weights),
  };
}

/** Eight of 64 experts, picked: the weights in one buffer, and each expert a piece of it. */
function pieces(F: number, D: number): Race {
  const text = `graph @g {
  %w : f32[64, ${F}, ${D}] = weight
  %x : f32[${D}] = input
  %pick : i32[8] = input
  %y : f32[8, ${F}] = map [k, f] sum[d: ${D}](%w[%pick[k], f, d] * %x[d])
  return %y
}`;
  return {
    what: `8 picked matrices ${F} x ${D}, in one buffer and in pieces`,
    amount: 8 * F * D,
    unit: "Gweights/s",
    byHand: made(text, {}, {}),
    generated: made(text, {}, {}, "f32", 2 * F * D),
  };
}

function contractions(M: number, N: number, K: number): Race {
  const c = { name: "matmul", multiples: { n: 4, k: 16 } };
  const s = { ...chooseTile(c, t), blockK: 1 };
  const w = packPanels(floats(N * K, 6), N, K, s.vectors * s.vector);
  const text = `graph @g {
  size T in 1..4096
  %w : f32[${N}, ${K}] = weight
  %x : f32[T, ${K}] = input
  %y : f32[T, ${N}] = map [t, i] sum[k: ${K}](%w[i, k] * %x[t, k])
  return %y
}`;
  return {
    what: `contraction ${M} x ${N} x ${K}`,
    amount: 2 * M * N * K,
    unit: "GFLOP/s",
    byHand: { kernel: contraction(c, s), sizes: { M, N, K }, buffers: { a: floats(M * K, 5), w, c: 4 * M * N } },
    generated: made(text, { T: M }, {}),
  };
}

function attentions(H: number, T: number, first: number, D: number): Race {
  const S = first + T;
  const a = { name: "attention", headDim: D, scale: 0.125 };
  const buffers = { q: floats(H * T * D, 7), k: floats(H * S * D, 8), v: floats(H * S * D, 9), o: 4 * H * T * D };
  const text = `graph @g {
  size T in 1..4096
  size S in 1..8192
  %q : f32[${H}, T, ${D}] = input
  %k : f32[${H}, S, ${D}] = input
  %v : f32[${H}, S, ${D}] = input
  %o : f32[${H}, T, ${D}] = map [h, t, e] fold[s: S where s <= t + {S - T}]{ let a = sum[c: ${D}](%q[h, t, c] * %k[h, s, c]) * 0.125; max m = a; sum z = exp(a - m); sum acc = exp(a - m) * %v[h, s, e]; yield acc / z }
  return %o
}`;
  return {
    what: `attention of ${H} heads, ${T} x ${S}, ${D} channels`,
    amount: 4 * H * T * (first + T / 2) * D,
    unit: "GFLOP/s",
    byHand: { kernel: attention(a, chooseAttention(a, t)), sizes: { H, T, S, first }, buffers },
    generated: made(text, { T, S }, {}),
  };
}

function norms(T: number, D: number): Race {
  const norm = rmsNorm(16, 1e-6);
  const text = `graph @g {
  size T in 1..4096
  %x : f32[T, ${D}] = input
  %g : f32[${D}] = weight
  %y : f32[T, ${D}] = map [t, i] %x[t, i] * rsqrt(sum[d: ${D}](%x[t, d] * %x[t, d]) / ${D} + 1e-6) * %g[i]
  return %y
}`;
  const buffers = { x: floats(T * D, 10), g: floats(D, 11), y: 4 * T * D };
  return {
    what: `norm of ${T} rows of ${D}`,
    amount: T * D,
    unit: "Gelements/s",
    byHand: { kernel: rowReduction(norm, chooseRowReduction(norm, t)), sizes: { T, D }, buffers },
    generated: made(text, { T }, {}),
  };
}

const races: readonly Race[] = [
  products(8192, 4096, "f32"),
  products(32_000, 512, "f32"),
  products(768, 768, "f32"),
  pieces(1024, 1024),
  products(8192, 4096, "bf16"),
  contractions(96, 768, 512),
  contractions(128, 768, 2048),
  attentions(8, 32, 480, 64),
  attentions(12, 1, 1000, 64),
  norms(64, 2048),
];

console.log(`Node ${process.versions.node}, WebAssembly SIMD128, one thread`);
for (const { what, amount, unit, byHand, generated } of races) {
  await printTime({ what: `${what}, by hand`, work: byHand, amount, unit, noted: "" }, t, seconds);
  await printTime({ what: `${what}, generated`, work: generated, amount, unit, noted: "" }, wasmTarget, seconds);
}
