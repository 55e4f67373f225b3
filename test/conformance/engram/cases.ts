/** Recorded memories of hashed n-grams as this repository reads them: configs with the numbers that `dsc import` writes, and tensors. */

import { decodeE8m0 } from "../../../runtime/formats/e8m0.ts";
import { decodeFloat, e4m3 } from "../../../runtime/formats/float-format.ts";
import type { OracleTensor } from "../../oracle/cases.ts";
import type { CodeTensor, EngramCase, EngramLmCase, Memory } from "../../oracle/references.ts";
import type { GivenTensor } from "../bind-text.ts";

export interface TokenMap {
  readonly dtype: "i32";
  readonly shape: readonly number[];
  readonly data: Int32Array;
}
export type Tensors = ReadonlyMap<string, OracleTensor | CodeTensor | TokenMap>;

const tokenMap = (map: readonly number[]): TokenMap => ({
  dtype: "i32",
  shape: [map.length],
  data: Int32Array.from(map),
});

/** Rows of layers without memory are zeros. */
function numbersOf(memories: ReadonlyMap<number, Memory>, layers: number) {
  const [first] = memories.values();
  const all = Array.from({ length: layers }, (_, l) => memories.get(l));
  return {
    multipliers: all.map((m) => m?.multipliers.map(String) ?? first?.multipliers.map(() => "0")),
    primes: all.map((m) => m?.primes ?? first?.primes.map((sizes) => sizes.map(() => 0))),
  };
}

/** A language model: what was recorded, with its constants. */
export function withConstants(oracle: EngramLmCase): EngramLmCase & { readonly tensors: () => Tensors } {
  const config = JSON.parse(oracle.config);
  const numbers = numbersOf(oracle.memories, config.num_hidden_layers);
  const maps = [...oracle.memories.keys()].map(
    (layer) => [`model.layers.${layer}.engram.token_map`, tokenMap(oracle.tokenMap)] as const,
  );
  return {
    ...oracle,
    config: JSON.stringify({ ...config, engram: { ...config.engram, ...numbers } }),
    tensors: () => new Map<string, OracleTensor | TokenMap>([...oracle.weights(), ...maps]),
  };
}

/** The numbers of tensors, whatever they are stored as. */
export function numbersIn(tensors: Tensors): ReadonlyMap<string, GivenTensor> {
  const decode = { f8_e4m3: (code: number) => decodeFloat(e4m3, code), f8_e8m0: decodeE8m0 } as const;
  return new Map(
    [...tensors].map(([name, t]) => {
      const coded = t.dtype === "f8_e4m3" || t.dtype === "f8_e8m0" ? decode[t.dtype] : null;
      const data = coded === null ? t.data : Float64Array.from(t.data, coded);
      return [name, { shape: t.shape, data }] as const;
    }),
  );
}

/** One layer's module: as a text, a config, and tensors. */
export interface Module {
  readonly layer: number;
  readonly memory: Memory;
  readonly text: string;
  readonly config: string;
  readonly tensors: () => Tensors;
}

/** The block alone: a position's streams are rows of a tensor, its results go out as logits. */
export function modulesOf(recorded: EngramCase): readonly Module[] {
  const fields = JSON.parse(recorded.config);
  const paper = fields.engram !== undefined;
  const { hidden_size: d, hc_mult: m, vocab_size: v } = fields;
  const own = fields.engram ?? {};
  const compressed = own.compressed_vocab_size ?? fields.engram_compressed_vocab_size;
  const pad = own.pad_id ?? fields.engram_pad_token_id;
  return [...recorded.memories].map(([layer, memory]): Module => {
    const heads = memory.primes[0]?.length ?? 0;
    const width = paper ? own.n_embed_per_ngram / heads : fields.engram_head_dim;
    const block = paper
      ? `engram(N: N, KW: ${own.kernel_size}, eps: ${own.gate_norm_eps}, conv_eps: ${own.conv_norm_eps}, ${shared(compressed, pad)}`
      : `fused_engram(N: N, ${shared(compressed, pad)}`;
    const path = `${paper ? "model." : ""}layers.${layer}.engram`;
    const text = `import ${paper ? "engram" : "fused_engram"} from "std/engram"
model module {
  config {
    multiplier : [N] i64    = $.multiplier
    prime      : [O, J] i64 = $.prime
    N          : dim = ${memory.multipliers.length}
    O          : dim = ${memory.primes.length}
    J          : dim = ${heads}
    W          : dim = ${width}
    M          : dim = ${m}
    D          : dim = ${d}
  }
  runtime T : dim    in 1..${recorded.ids.length}
  runtime S : memory in 1..${recorded.ids.length}
  total := sum[o,j](prime[o,j])
  weight streams : [${recorded.ids.length}, M, D] at "streams"
  part memory_of : ${block} at "${path}"
  entry forward(ids: [T] in ${v}, pos: [T] in S) -> (logits: [T, (M, D)], next: [(M, D)]) {
    x[t]            := streams[pos[t]]
    z               := memory_of(x, ids, pos)
    logits[t,(m,d)] := z[t,m,d]
    next            := logits[T - 1]
  }
}
`;
    const config = JSON.stringify({ multiplier: memory.multipliers.map(String), prime: memory.primes });
    const tensors = (): Tensors => {
      const all = recorded.tensors();
      const streams = all.get(`streams.${layer}`);
      const found = new Map<string, OracleTensor | CodeTensor | TokenMap>([
        [`${path}.token_map`, tokenMap(recorded.tokenMap)],
      ]);
      if (streams !== undefined) found.set("streams", streams);
      for (const [name, tensor] of all) if (name.startsWith(`${path}.`)) found.set(name, tensor);
      return found;
    };
    return { layer, memory, text, config, tensors };
  });
}
const shared = (compressed: number, pad: number): string => `C: ${compressed}, ROWS: total, pad: ${pad}, ..)`;
