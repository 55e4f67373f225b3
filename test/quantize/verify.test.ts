/** What is written is held against the checkpoint by the text's own decoder: a code or a multiplier that is another is found. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { Failure } from "../../compiler/cli/failure.ts";
import { chooseTensors } from "../../compiler/cli/quantize/choose-tensors.ts";
import { packingError, UnfaithfulError } from "../../compiler/cli/quantize/verify.ts";
import { storageLines } from "../../compiler/quantize/storable-weights.ts";
import { writableFormat } from "../../compiler/quantize/writable-format.ts";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { encodeNumbers } from "../../runtime/formats/encode-numbers.ts";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { project } from "../cli/run-dsc.ts";
import { runInside } from "../cli/run-inside.ts";
import { readProject } from "../conformance/bind-text.ts";
import { fileOf, matrixText } from "./matrix.ts";

const shape = [200, 140] as const;
const values = new Float64Array(200 * 140).map((_, i) => Math.fround(Math.sin(i + 1)));

test.each([
  ["nothing", (codes: Uint8Array) => codes, null],
  // at 161, 57: from one number of the format to the next
  [
    "a code",
    (codes: Uint8Array) => codes.map((code, i) => (i === 161 * 140 + 57 ? code + 1 : code)),
    /element 161, 57 is/,
  ],
  ["a sign", (codes: Uint8Array) => codes.map((code, i) => (i === 0 ? code ^ 128 : code)), /element 0, 0 is/],
])("%s is changed", async (_, change, told) => {
  const data = encodeNumbers(values, "F32");
  const config = JSON.stringify({ rows: 200, columns: 140 });
  const source = await fileOf([{ name: "w.weight", dtype: "F32", shape, data }]);
  const cwd = project({ "matrix.ds": matrixText, "in/config.json": config, "in/model.safetensors": source });
  const ran = await runInside(["quantize", "matrix.ds", "--weights", "in", "--out", "out"], cwd);
  expect(ran).toMatchObject({ code: 0, error: "" });

  const good = await openWeights(join(cwd, "out"));
  const scales = good.tensor("w.weight_scale_inv");
  const changed = await fileOf([
    { name: "w.weight", dtype: "F8_E4M3", shape, data: change(await good.readBytes("w.weight")) },
    { name: scales.name, dtype: scales.dtype, shape: scales.shape, data: await good.readBytes(scales.name) },
  ]);
  await good.close();
  const again = project({ "model.safetensors": changed });
  const [given, written] = [await openWeights(join(cwd, "in")), await openWeights(again)];

  const checked = checkProject({
    entry: "matrix.ds",
    read: (path) => (path === "matrix.ds" ? matrixText : readProject(path)),
    config: { path: "config.json", text: config },
  });
  const { bound, declared } = checked;
  const [line] = bound === null ? [] : storageLines(bound);
  if (bound === null || line === undefined) throw new Error("the text was refused");
  const format = writableFormat(bound, declared, "e4m3", line.item.span);
  const choice = chooseTensors({ checked, line, format, weights: given, only: [], keep: [] });
  if (choice instanceof Failure) throw new Error(choice.message);
  const [tensor] = choice.packed;
  if (tensor === undefined) throw new Error("nothing is packed");
  const { signal } = new AbortController();
  const error = packingError(tensor, { source: given, written, format, signal });
  if (told === null) {
    const { largest, mean } = await error;
    expect(largest).toBeGreaterThan(0.02);
    expect(largest).toBeLessThan(2 ** -4);
    expect(mean).toBeLessThan(2 ** -5);
  } else {
    await expect(error).rejects.toThrow(UnfaithfulError);
    await expect(error).rejects.toThrow(told);
  }
  await given.close();
  await written.close();
});
