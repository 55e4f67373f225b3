/** A program of two kernels and a remembered row, small enough to count by hand. It is written, and never run. */
import { type Program, programFormat } from "../../runtime/artifact/program.ts";

export const exampleProgram: Program = {
  format: programFormat,
  compiler: "1.2.3",
  model: "echo_model",
  sizes: { D: 16, V: 96, L: 3 },
  tokens: "T",
  before: "S0",
  entry: "forward",
  vocabulary: 96,
  context: 1024,
  weights: [
    {
      name: "embed",
      elem: "bf16",
      stacks: [],
      shape: [96, 16],
      tensors: { patterns: ["model.embed.weight"], from: [] },
      below: null,
      at: "models/echo.ds:3:3",
    },
    {
      name: "layer.w",
      elem: "f32",
      stacks: [3],
      shape: [16, 16],
      tensors: { patterns: ["model.layers.{0}.w"], from: [0] },
      below: null,
      at: null,
    },
  ],
  constants: [{ name: "signs", elem: "f32", values: [-0, 0.1, 1e21, -1.5] }],
  states: [{ name: "layer.key", elem: "f32", row: 16, copies: 3 }],
  kernels: [
    {
      name: "embed",
      buffers: [{ name: "y", elem: "f32", extent: ["*", "T", 16], access: "write" }],
      sizes: ["T"],
      grid: ["T"],
      scratch: 128,
    },
  ],
  phases: [
    {
      name: "decode",
      entry: "forward",
      from: 1,
      to: 1,
      inputs: [{ name: "ids", elem: "i32", dims: ["T"] }],
      buffers: [
        { name: "h", elem: "f32", size: ["*", "T", 16], live: [0, 1] },
        { name: "scores", elem: "f32", size: ["+", "T", "S0"], live: [1, 1] },
        { name: "out", elem: "f32", size: 96, live: [2, 2] },
      ],
      steps: [
        {
          kind: "call",
          kernel: 0,
          buffers: [{ kind: "arena", buffer: 0 }],
          sizes: ["T"],
          label: "embed",
        },
      ],
      outputs: [{ name: "next", at: { kind: "arena", buffer: 2 }, elem: "f32", dims: [96] }],
    },
  ],
};
