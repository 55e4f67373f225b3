/** A small language model with a storage format, whose matrices have whole blocks and partial ones, and its checkpoint. */
import { encodeNumbers } from "../../runtime/formats/encode-numbers.ts";
import type { GivenTensor } from "./matrix.ts";

export const wordsText = `import fp8_blocks from "std/quantization"
import rms_norm from "std/norm"
import swiglu from "std/linear"

block routed(x: [D]) -> y: [D] {
  param E, F : dim
  weight w_gate : [E, D] f32         at "gate.weight"
  part expert[e in E] : swiglu(F: F) at "experts.{e}"
  share := w_gate[_,d] * x[d]
  y     := x + share[e] * expert[e](x)
}

model words {
  config {
    D     : dim = $.hidden_size
    F     : dim = $.intermediate_size
    E     : dim = $.experts
    L     : dim = $.num_hidden_layers
    V     : dim = $.vocab_size
    quant : "none" | "fp8" = $.quantization_config.quant_method ?? "none"
    require quant == "none" or $.quantization_config.fmt == "e4m3"
  }
  runtime T : dim in 1..16
  storage e4m3 as fp8_blocks(B: 128) not at "*.mix.weight"
  weight embed : [V, D]                   at "embed.weight" copy at "again.weight"
  part layer[l in L] : routed(E: E, F: F) at "layers.{l}"
  weight mix    : [D, D]                  at "last.mix.weight"
  weight spread : [D, D]                  at "last.spread.weight"
  part norm : rms_norm(..)                at "norm"
  weight head : [V, D]                    at "head.weight" copy at "head.again.weight"

  entry forward(ids: [T] in V) -> (logits: [T, V], next: [V]) {
    h[0,t]      := embed[ids[t]]
    h[l + 1, t] := layer[l](h[l,t])
    m[t,d]      := mix[d,i] * h[L,t,i]
    s[t,d]      := spread[d,i] * m[t,i]
    n[t]        := norm(s[t])
    logits[t,v] := head[v,d] * n[t,d]
    next        := logits[T - 1]
  }
  loop chat = sample forward
}
`;

const D = 140;
const F = 200;
const config = { hidden_size: D, intermediate_size: F, experts: 2, num_hidden_layers: 2, vocab_size: 48 };
export const wordsConfig = `${JSON.stringify(config, null, 2)}\n`;

/** The matrices that are packed if nothing else is asked for, with their shapes. */
export const packedShapes: ReadonlyMap<string, readonly [number, number]> = new Map([
  ...[0, 1].flatMap((l) =>
    [0, 1].flatMap((e): (readonly [string, readonly [number, number]])[] => [
      [`layers.${l}.experts.${e}.gate_proj.weight`, [F, D]],
      [`layers.${l}.experts.${e}.up_proj.weight`, [F, D]],
      [`layers.${l}.experts.${e}.down_proj.weight`, [D, F]],
    ]),
  ),
  ["last.spread.weight", [D, D]],
]);

const shapes: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ["embed.weight", [48, D]],
  ["head.weight", [48, D]],
  ["layers.0.gate.weight", [2, D]],
  ["layers.1.gate.weight", [2, D]],
  ["last.mix.weight", [D, D]],
  ["norm.weight", [D]],
  ...packedShapes,
]);

/** Numbers of a tensor: about as large as those of trained weights, all exact in bf16. */
export function wordsNumbers(name: string): Float64Array {
  const shape = shapes.get(name) ?? [];
  let state = [...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5);
  return new Float64Array(shape.reduce((n, d) => n * d, 1)).map(() => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return name === "norm.weight" ? 1 : ((state >>> 24) - 128) / 2 ** (9 + ((state >>> 20) & 3));
  });
}

export const wordsTensors = (): readonly GivenTensor[] =>
  [...shapes].map(([name, shape]) => {
    const dtype = name.endsWith("gate.weight") ? "F32" : "BF16";
    return { name, dtype, shape, data: encodeNumbers(wordsNumbers(name), dtype) };
  });
