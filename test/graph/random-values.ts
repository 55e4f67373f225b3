/** Values for inputs, weights and states that depend on their names and shapes alone. */
import { type Dim, evalDim, type Sizes } from "../../compiler/graph/dim.ts";
import type { Tensor } from "../../compiler/graph/interpret/tensor.ts";
import type { Param, State } from "../../compiler/graph/node.ts";
import { seeded } from "../fuzz/random.ts";

const hashOf = (text: string, seed: number): number =>
  [...text].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 0x01000193) >>> 0, (seed ^ 0x811c9dc5) >>> 0);

/** Reals in [-1, 1), whole numbers in [0, limit). */
function values(node: Param | State, dims: readonly number[], seed: number, limit: number): Tensor {
  const random = seeded(hashOf(`${node.kind}:${node.name}[${dims.join()}]`, seed));
  const count = dims.reduce((a, d) => a * d, 1);
  const { dtype } = node.type;
  if (dtype === "i64") return { dims, data: BigInt64Array.from({ length: count }, () => BigInt(random.below(limit))) };
  const whole = dtype === "i32" || dtype === "i8" || dtype === "u8" || dtype === "bool";
  const next = (): number => (whole ? random.below(dtype === "bool" ? 2 : limit) : random.below(2 ** 32) / 2 ** 31 - 1);
  return { dims, data: Float64Array.from({ length: count }, next) };
}

export const paramTensor = (node: Param, sizes: Sizes, seed: number, limit: Dim | null = null): Tensor =>
  values(
    node,
    node.type.dims.map((d) => evalDim(d, sizes)),
    seed,
    limit === null ? 8 : evalDim(limit, sizes),
  );

export const stateTensor = (node: State, sizes: Sizes, seed: number): Tensor =>
  values(
    node,
    node.type.dims.map((d) => evalDim(d, sizes)),
    seed,
    8,
  );
