/**
 * A model that is small enough to be understood: each layer keeps its input, scaled, as a row, and adds the sum of all rows so
 * far. Its logits hang on every token before, so a row that is lost, doubled or someone else's shows.
 *
 *     x[t, d]  = E[id[t], d]
 *     s[t, d]  = x[t, d] * g[l, d]                 appended, for each of the layers
 *     x'[t, d] = x[t, d] / 2 + sum of r <= t over s[r, d] / 8
 *     y[t, v]  = sum of d over x[t, d] * E[v, d] + b[v]
 */
import { wasmModule } from "../../backends/wasm/module.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import type { Call, KernelDecl, Phase, Program, SizeExpr, Step } from "../../runtime/artifact/program.ts";
import { programFormat } from "../../runtime/artifact/program.ts";

export const sizes = { V: 24, D: 8, L: 3 } as const;
const { V, D, L } = sizes;
const context = 48;

const texts = [
  `kernel @embed "" size T min 1 size V min 1 size D min 1
    read ids: i32[T] rows read w: f32[V * D] rows write y: f32[T * D] rows grid t in T {
    let id = min(max(ids[t], 0), V - 1) loop d in 0 .. D step 1 { y[t * D + d] = w[id * D + d] } }`,
  `kernel @append "" size T min 1 size D min 1
    read x: f32[T * D] rows read g: f32[D] rows write s: f32[T * D] rows grid t in T {
    loop d in 0 .. D step 1 { s[t * D + d] = x[t * D + d] * g[d] } }`,
  `kernel @sum "" size T min 1 size S min 1 size D min 1 size first
    read x: f32[T * D] rows read s: f32[S * D] rows write y: f32[T * D] rows grid t in T {
    reg a: f32[1] loop d in 0 .. D step 1 { a[0] = f32(0) loop r in 0 .. min(first + t + 1, S) step 1 { a[0] = a[0] + s[r * D + d] }
    y[t * D + d] = x[t * D + d] * f32(0.5) + a[0] * f32(0.125) } }`,
  `kernel @head "" size T min 1 size V min 1 size D min 1
    read x: f32[T * D] rows read w: f32[V * D] rows read b: f32[V] rows write y: f32[T * V] rows grid v in V grid t in T {
    reg a: f32[1] a[0] = b[v] loop d in 0 .. D step 1 { a[0] = a[0] + x[t * D + d] * w[v * D + d] }
    y[t * V + v] = a[0] }`,
];

export async function kernelModule(): Promise<Uint8Array<ArrayBuffer>> {
  const kernels = texts.map((text) => {
    const parsed = parseKernel(text);
    if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column} ${parsed.message}`);
    return lower(parsed.kernel, wasmTarget);
  });
  return new Uint8Array(await wasmModule(kernels));
}

const td: SizeExpr = ["*", "T", "D"];
const read = (name: string, extent: SizeExpr, elem: "f32" | "i32" = "f32") =>
  ({ name, elem, extent, access: "read" }) as const;
const write = (name: string, extent: SizeExpr) => ({ name, elem: "f32", extent, access: "write" }) as const;
const vd: SizeExpr = ["*", "V", "D"];

const kernels: readonly KernelDecl[] = [
  {
    name: "embed",
    buffers: [read("ids", "T", "i32"), read("w", vd), write("y", td)],
    sizes: ["T", "V", "D"],
    grid: ["T"],
    scratch: 0,
  },
  {
    name: "append",
    buffers: [read("x", td), read("g", "D"), write("s", td)],
    sizes: ["T", "D"],
    grid: ["T"],
    scratch: 0,
  },
  {
    name: "sum",
    buffers: [read("x", td), read("s", ["*", "S", "D"]), write("y", td)],
    sizes: ["T", "S", "D", "first"],
    grid: ["T"],
    scratch: 64,
  },
  {
    name: "head",
    buffers: [read("x", td), read("w", vd), read("b", "V"), write("y", ["*", "T", "V"])],
    sizes: ["T", "V", "D"],
    grid: ["V", "T"],
    scratch: 0,
  },
];

const arena = (buffer: number, offset?: SizeExpr) =>
  ({ kind: "arena", buffer, ...(offset === undefined ? {} : { offset }) }) as const;

function steps(result: "next" | "logits"): readonly Step[] {
  const call = (kernel: number, label: string, buffers: Call["buffers"], given: readonly SizeExpr[]): Call => ({
    kind: "call",
    kernel,
    label,
    buffers,
    sizes: given,
  });
  const layer = [
    call(
      1,
      "s",
      [
        arena(0),
        { kind: "weight", weight: 1, offset: ["*", "l", D] },
        { kind: "state", state: 0, copy: "l", row: "S0" },
      ],
      ["T", D],
    ),
    call(
      2,
      "x'",
      [arena(0), { kind: "state", state: 0, copy: "l", row: 0 }, arena(1)],
      ["T", ["+", "S0", "T"], D, "S0"],
    ),
  ];
  const last: SizeExpr = ["*", ["-", "T", 1], D];
  const from = result === "next" ? arena(1, last) : arena(1);
  return [
    call(0, "x", [{ kind: "input", input: 0 }, { kind: "weight", weight: 0 }, arena(0)], ["T", V, D]),
    { kind: "repeat", count: L, index: "l", swap: [[0, 1]], body: layer },
    call(
      3,
      "y",
      [from, { kind: "weight", weight: 0 }, { kind: "constant", constant: 0 }, arena(2)],
      [result === "next" ? 1 : "T", V, D],
    ),
  ];
}

function phase(name: string, result: "next" | "logits", from: number, to: number): Phase {
  const size: SizeExpr = ["*", "T", D];
  return {
    name,
    entry: "forward",
    from,
    to,
    inputs: [{ name: "ids", elem: "i32", dims: ["T"] }],
    buffers: [
      { name: "a", elem: "f32", size, live: [0, 2] },
      { name: "b", elem: "f32", size, live: [1, 3] },
      { name: "y", elem: "f32", size: result === "next" ? V : ["*", "T", V], live: [3, 3] },
    ],
    steps: steps(result),
    outputs: [{ name: result, at: arena(2), elem: "f32", dims: result === "next" ? [V] : ["T", V] }],
  };
}

export const bias = Array.from({ length: V }, (_, v) => (v % 5) / 4);

export const tinyProgram: Program = {
  format: programFormat,
  compiler: "0.0.0",
  model: "tiny",
  sizes: { layers: L },
  tokens: "T",
  before: "S0",
  entry: "forward",
  vocabulary: V,
  context,
  weights: [
    {
      name: "embed",
      elem: "f32",
      stacks: [],
      shape: [V, D],
      tensors: { patterns: ["model.embed.weight", "embed.weight"], from: [] },
      below: null,
      at: "tiny.ds:3:1",
    },
    {
      name: "layer.g",
      elem: "f32",
      stacks: [L],
      shape: [D],
      tensors: { patterns: ["model.layers.{0}.g"], from: [0] },
      below: null,
      at: "tiny.ds:7:3",
    },
  ],
  ignored: ["*.rotary.inv_freq"],
  constants: [{ name: "bias", elem: "f32", values: bias }],
  states: [{ name: "rows", elem: "f32", row: D, copies: L }],
  kernels,
  phases: [phase("next-1", "next", 1, 1), phase("next-many", "next", 2, 64), phase("logits", "logits", 1, 32)],
};

export interface TinyWeights {
  readonly embed: Float32Array;
  /** Of each layer. */
  readonly g: readonly Float32Array[];
}

/** Logits of each of the tokens, by the formula at the top, in f32. */
export function expectedLogits({ embed, g }: TinyWeights, tokens: readonly number[]): readonly Float32Array[] {
  const f = Math.fround;
  let x = tokens.map((id) => embed.slice(id * D, (id + 1) * D));
  for (const scale of g) {
    const rows = x.map((row) => row.map((value, d) => f(value * (scale[d] ?? 0))));
    x = x.map((row, t) =>
      row.map((value, d) => {
        const sum = rows.slice(0, t + 1).reduce((total, r) => f(total + (r[d] ?? 0)), 0);
        return f(f(value * 0.5) + f(sum * 0.125));
      }),
    );
  }
  return x.map((row) =>
    Float32Array.from({ length: V }, (_, v) =>
      row.reduce((total, value, d) => f(total + f(value * (embed[v * D + d] ?? 0))), f(bias[v] ?? 0)),
    ),
  );
}
