/** A checkpoint as backends ask for it, and the storage formats that a model's text gives its element types. */

import type { BoundModel } from "../../dsl/checker/check-project.ts";
import { findDtype } from "../../runtime/formats/dtypes.ts";
import type { TensorInfo, Weights } from "../../runtime/weights/weights.ts";
import type { TensorReader } from "../driver/backend.ts";
import type { Elaborated, ElaborateOptions } from "../elaborate/elaborate.ts";
import { elaborateFormat } from "../elaborate/storage-format.ts";

/** The scalar of the language for a tag of safetensors. */
const scalars: ReadonlyMap<string, string> = new Map([
  ["F8_E4M3", "e4m3"],
  ["F8_E5M2", "e5m2"],
  ["F8_E8M0", "e8m0"],
  ["F4", "e2m1"],
  ["I8", "i8"],
  ["U8", "u8"],
]);

const declaresStorage = (model: BoundModel, scalar: string): boolean =>
  model.path.items.some(({ item }) => item.kind === "storage" && item.scalar.text === scalar);

/** Published files hold e2m1 two a byte and call them I8 or U8: where a model has that format, such tensors are it. */
function isPacked(model: BoundModel, { dtype, shape }: TensorInfo): boolean {
  return (dtype === "I8" || dtype === "U8") && shape.length > 0 && declaresStorage(model, "e2m1");
}

export function tensorReader(weights: Weights, model: BoundModel, signal?: AbortSignal): TensorReader {
  const options = signal === undefined ? {} : { signal };
  return {
    find: (name) => {
      const info = weights.tensors.get(name);
      if (info === undefined) return null;
      if (!isPacked(model, info)) return info;
      return { dtype: "F4", shape: info.shape.map((n, i) => (i === info.shape.length - 1 ? 2 * n : n)) };
    },
    read: async (name) => {
      const info = weights.tensor(name);
      if (!isPacked(model, info)) return weights.read(name, options);
      const bytes = await weights.readBytes(name, options);
      const numbers = new Float64Array(2 * bytes.length);
      findDtype("F4")?.decode?.(bytes, numbers, 0);
      return numbers;
    },
    readIntegers: async (name) => {
      const { dtype, shape } = weights.tensor(name);
      if (dtype !== "I64") return BigInt64Array.from(await weights.read(name, options), BigInt);
      const integers = new BigInt64Array(shape.reduce((product, n) => product * n, 1));
      await weights.readInto(name, integers, options);
      return integers;
    },
  };
}

/** `element`: as the weight is declared; one of the format itself has its numbers. Throws ElaborationError where the format of a tensor does not fit it. */
export function formatFinder(options: Pick<ElaborateOptions, "model" | "declared">) {
  return (dtype: string, tensor: string, shape: readonly number[], element: string): Elaborated | null => {
    const scalar = scalars.get(dtype);
    if (scalar === undefined || scalar === element || !declaresStorage(options.model, scalar)) return null;
    return elaborateFormat({ ...options, scalar, tensor, shape });
  };
}
