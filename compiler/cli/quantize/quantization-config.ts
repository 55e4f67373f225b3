/** What a config says of packed weights: `quantization_config`, as published checkpoints have it. */
import type { BoundModel } from "../../../dsl/checker/check-project.ts";
import type { WritableFormat } from "../../quantize/writable-format.ts";
import { type JsonPath, pathKey, valueText, withValue } from "../tiny/json-text.ts";
import { readPaths } from "../tiny/size-fields.ts";

const member = "quantization_config";

/** Its members for formats that there is a convention for, by the name of the element type. */
const conventions: ReadonlyMap<string, (format: WritableFormat) => Readonly<Record<string, unknown>>> = new Map([
  [
    "e4m3",
    ({ blocks }: WritableFormat) => ({
      activation_scheme: "dynamic",
      fmt: "e4m3",
      quant_method: "fp8",
      weight_block_size: blocks,
    }),
  ],
]);

/** Where the text reads it; at the root if it reads none. */
function placesOf(model: BoundModel): readonly JsonPath[] {
  const read = readPaths(model).flatMap((path) => {
    const at = path.indexOf(member);
    return at < 0 ? [] : [path.slice(0, at + 1)];
  });
  const places = new Map(read.map((path) => [pathKey(path), path]));
  return places.size === 0 ? [[member]] : [...places.values()];
}

const valueAt = (config: string, path: JsonPath): unknown => JSON.parse(valueText(config, path) ?? "null");

/** Whether a config says that multipliers are powers of two. */
export const saysPow2 = (config: string, model: BoundModel): boolean =>
  placesOf(model).some((place) => valueAt(config, [...place, "scale_fmt"]) === "ue8m0");

/** The config of what is written. Members that it has beside these stay. */
export function withQuantization(config: string, model: BoundModel, format: WritableFormat, pow2: boolean): string {
  const convention = conventions.get(format.scalar);
  if (convention === undefined) return config;
  return placesOf(model).reduce((text, place) => {
    const before = valueAt(text, place);
    const scales = pow2
      ? { scale_fmt: "ue8m0" }
      : valueAt(text, [...place, "scale_fmt"]) === null
        ? {}
        : { scale_fmt: null };
    const members = { ...convention(format), ...scales };
    if (typeof before !== "object" || before === null) return withValue(text, place, JSON.stringify(members)) ?? text;
    return Object.entries(members).reduce((changed, [name, value]) => {
      const path = [...place, name];
      const same = JSON.stringify(valueAt(changed, path)) === JSON.stringify(value);
      return same ? changed : (withValue(changed, path, JSON.stringify(value)) ?? changed);
    }, text);
  }, config);
}
