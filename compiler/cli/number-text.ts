/**
 * Numbers as JSON that reads back exactly: the shortest digits of each double, -0 with its sign, and `"NaN"`, `"Infinity"`
 * and `"-Infinity"` as texts, since JSON has no such numbers (`Number(text)` reads them). i64 are written in full.
 */
import type { TensorData } from "../graph/interpret/tensor.ts";
import type { TapValue } from "./tap-recorder.ts";

const numberText = (x: number | bigint): string => {
  if (typeof x === "bigint") return String(x);
  if (Object.is(x, -0)) return "-0";
  return Number.isFinite(x) ? String(x) : `"${x}"`;
};

/** `[1,2.5,"NaN"]` */
export function* listText(values: TensorData): Generator<string> {
  // Pieces of bounded length: a vocabulary times a context is longer than the longest string.
  const most = 8192;
  yield "[";
  for (let from = 0; from < values.length; from += most) {
    const part = values.subarray(from, from + most);
    yield (from === 0 ? "" : ",") + Array.from<number | bigint, string>(part, numberText).join(",");
  }
  yield "]";
}

/** `{"layer.y": [{"layer": 0, "position": 0, "dims": [2, 4], "values": […]}]}`, values flat and row-major. */
export function* tapsText(taps: ReadonlyMap<string, readonly TapValue[]>): Generator<string> {
  yield "{";
  let comma = "";
  for (const [path, values] of taps) {
    yield `${comma}\n${JSON.stringify(path)}: [`;
    comma = ",";
    let between = "";
    for (const { layer, position, dims, values: data } of values) {
      yield `${between}\n{"layer": ${layer}, "position": ${position}, "dims": [${dims.join(", ")}], "values": `;
      yield* listText(data);
      yield "}";
      between = ",";
    }
    yield "]";
  }
  yield "}";
}
