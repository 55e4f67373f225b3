import { expect, test } from "vitest";
import { CorruptPackageError } from "./errors.ts";
import type { DecoderDecl, Phase } from "./program.ts";
import { readDecoder } from "./read-decoder.ts";

const at = { kind: "arena", buffer: 0 } as const;
const phase: Phase = {
  ...{ name: "e4m3 128x256", entry: "storage e4m3", from: 1, to: 1, buffers: [], steps: [] },
  inputs: [
    { name: "code", elem: "f32", dims: [128, 256] },
    { name: "scale", elem: "f32", dims: [1, 2] },
  ],
  outputs: [{ name: "w", at, elem: "f32", dims: [128, 256] }],
};
const decl: DecoderDecl = {
  ...{ scalar: "e4m3", rows: 128, tail: [256], phase: phase.name },
  tensors: [
    { name: "{name}", rows: 128, tail: [256] },
    { name: "{name}_scale_inv", rows: 1, tail: [2] },
  ],
};
const read = (value: unknown, phases: readonly Phase[] = [phase]): DecoderDecl =>
  readDecoder({ value: JSON.parse(JSON.stringify(value)), path: "$" }, phases);
const [code, scale] = decl.tensors;

test("as it was written", () => {
  expect(read(decl)).toEqual(decl);
});

test.each<[string, unknown, (readonly Phase[])?]>([
  ["another phase", { ...decl, phase: "decode" }],
  ["nothing is the tensor itself", { ...decl, tensors: [scale, scale] }],
  ["fewer tensors than inputs", { ...decl, tensors: [code] }],
  ["a tensor of another size", { ...decl, tensors: [code, { ...scale, rows: 2 }] }],
  ["a result of another size", { ...decl, rows: 127 }],
  ["a band without rows", { ...decl, rows: 0 }],
  ["rows beyond all numbers", { ...decl, rows: 2 ** 31 - 1, tail: [2 ** 31 - 1, 2 ** 31 - 1] }],
  ["whole numbers", decl, [{ ...phase, inputs: phase.inputs.map((i) => ({ ...i, elem: "i32" as const })) }]],
  ["a size that a call decides", decl, [{ ...phase, outputs: [{ name: "w", at, elem: "f32", dims: ["T", 256] }] }]],
  ["two results", decl, [{ ...phase, outputs: [...phase.outputs, ...phase.outputs] }]],
  ["no list", { ...decl, tensors: null }],
])("%s is refused", (_, value, phases) => {
  expect(() => read(value, phases)).toThrow(CorruptPackageError);
});
