/** What `dsc quantize` writes against torch: every code and every multiplier, to the bit, and the errors that it tells. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeNumbers } from "../../runtime/formats/encode-numbers.ts";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { project } from "../cli/run-dsc.ts";
import { runInside } from "../cli/run-inside.ts";
import { loadPackedCase, packedCaseNames } from "../oracle/packed.ts";
import { fileOf, matrixText } from "./matrix.ts";

test.each(packedCaseNames)("%s", async (name) => {
  const { dtype, pow2, shape, values, blocks, multipliers, codes, errors } = loadPackedCase(name);
  const [rows, columns] = shape;
  const stored = dtype === "bf16" ? "BF16" : "F32";
  const data = encodeNumbers(Float64Array.from(values), stored);
  const cwd = project({
    "matrix.ds": matrixText,
    "in/config.json": JSON.stringify({ rows, columns }),
    "in/model.safetensors": await fileOf([{ name: "w.weight", dtype: stored, shape, data }]),
  });
  const args = ["quantize", "matrix.ds", "--weights", "in", "--out", "out", "--json"];
  const { code, out, error } = await runInside([...args, ...(pow2 ? ["--scales", "pow2"] : [])], cwd);
  expect({ code, error }).toEqual({ code: 0, error: "" });

  const weights = await openWeights(join(cwd, "out"));
  try {
    expect([...weights.tensors.keys()].sort()).toEqual(["w.weight", "w.weight_scale_inv"]);
    expect(weights.tensor("w.weight")).toMatchObject({ dtype: "F8_E4M3", shape });
    expect(weights.tensor("w.weight_scale_inv")).toMatchObject({ dtype: "F32", shape: blocks });
    const scales = new Float32Array(multipliers.length);
    await weights.readInto("w.weight_scale_inv", scales);
    expect(scales).toEqual(multipliers);
    expect(await weights.readBytes("w.weight")).toEqual(codes);
  } finally {
    await weights.close();
  }
  const [told] = JSON.parse(out).tensors;
  expect(told.error.largest).toBeCloseTo(errors.largest, 12);
  expect(told.error.mean).toBeCloseTo(errors.mean, 12);
  const { quantization_config: quantization } = JSON.parse(readFileSync(join(cwd, "out/config.json"), "utf8"));
  expect(quantization).toEqual({
    ...{ activation_scheme: "dynamic", fmt: "e4m3", quant_method: "fp8", weight_block_size: [128, 128] },
    ...(pow2 ? { scale_fmt: "ue8m0" } : {}),
  });
  // a config that asks for powers of two is enough
  if (!pow2) return;
  writeFileSync(join(cwd, "in/config.json"), readFileSync(join(cwd, "out/config.json")));
  expect(await runInside([...args.slice(0, -2), "again", "--json"], cwd)).toMatchObject({ code: 0 });
  const files = ["out", "again"].map((folder) => readFileSync(join(cwd, folder, "model.safetensors")));
  expect(files[1]?.equals(files[0] ?? Buffer.alloc(0))).toBe(true);
});
