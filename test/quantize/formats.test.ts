/** Storage formats that a text writes itself: other element types, other multipliers, blocks of other shapes, and matrices of several bands. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeNumbers } from "../../runtime/formats/encode-numbers.ts";
import { decodeFloat, e2m1, e4m3 } from "../../runtime/formats/float-format.ts";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { project } from "../cli/run-dsc.ts";
import { runInside } from "../cli/run-inside.ts";
import { fileOf, matrixText } from "./matrix.ts";

interface Packed {
  readonly codes: Uint8Array;
  readonly codesOf: { readonly dtype: string; readonly shape: readonly number[] };
  readonly scales: Float64Array;
  readonly scalesOf: { readonly dtype: string; readonly shape: readonly number[] };
  readonly config: string;
}

/** Numbers of f32 over a few octaves, rows ever smaller. */
function numbers(rows: number, columns: number): Float64Array {
  let state = 9;
  return new Float64Array(rows * columns).map((_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.fround(((state >>> 8) / 2 ** 23 - 1) * 2 ** -(state & 3) * 0.99 ** Math.floor(i / columns));
  });
}

async function pack(text: string, shape: readonly [number, number], scale: string): Promise<Packed> {
  const [rows, columns] = shape;
  const data = encodeNumbers(numbers(rows, columns), "F32");
  const cwd = project({
    "matrix.ds": text,
    "in/config.json": JSON.stringify({ rows, columns }),
    "in/model.safetensors": await fileOf([{ name: "w.weight", dtype: "F32", shape, data }]),
  });
  const { code, error } = await runInside(["quantize", "matrix.ds", "--weights", "in", "--out", "out"], cwd);
  expect({ code, error }).toEqual({ code: 0, error: "" });
  const weights = await openWeights(join(cwd, "out"));
  try {
    const [codes, scales] = [weights.tensor("w.weight"), weights.tensor(scale)];
    return {
      codes: await weights.readBytes("w.weight"),
      codesOf: { dtype: codes.dtype, shape: codes.shape },
      scales: await weights.read(scale),
      scalesOf: { dtype: scales.dtype, shape: scales.shape },
      config: readFileSync(join(cwd, "out/config.json"), "utf8"),
    };
  } finally {
    await weights.close();
  }
}

const withFormat = (line: string, block: string): string =>
  `${matrixText.replace(/^import .*\n\n/, "").replace(/storage .*/, line)}\n${block}\n`;

/** The nearest of a format's numbers by trying all of them; of two as near, that with the even code. */
function nearest(x: number, values: readonly number[]): number {
  let best = 0;
  for (const [code, value] of values.entries()) {
    const [apart, least] = [Math.abs(x - value), Math.abs(x - (values[best] ?? 0))];
    if (apart < least || (apart === least && code % 2 === 0)) best = code;
  }
  return best;
}

test("e4m3 in several bands is what trying all codes gives", async () => {
  const shape = [1537, 300] as const;
  const { codes, scales } = await pack(matrixText, shape, "w.weight_scale_inv");
  const values = Array.from({ length: 127 }, (_, code) => decodeFloat(e4m3, code));
  const given = numbers(...shape);
  const [down, across] = [13, 3];
  const largest = new Float64Array(down * across);
  const blockOf = (i: number): number => Math.floor(i / 300 / 128) * across + Math.floor((i % 300) / 128);
  for (const [i, x] of given.entries()) largest[blockOf(i)] = Math.max(largest[blockOf(i)] ?? 0, Math.abs(x));
  expect(scales).toEqual(largest.map((most) => Math.fround(most / 448)));
  for (let i = 0; i < given.length; i += 13) {
    const quotient = Math.fround((given[i] ?? 0) / (scales[blockOf(i)] ?? 0));
    const code = nearest(Math.abs(quotient), values) | (quotient < 0 ? 128 : 0);
    if (codes[i] !== code) expect(`${i}: ${codes[i]}`).toBe(`${i}: ${code}`);
  }
});

test("whole numbers of eight bits with a multiplier a row", async () => {
  const block = `block rows() -> w: [O, I] {
  weight code  : [O, I] i8 at "{name}"
  weight scale : [O] f32   at "{stem}.scale"
  w[o,i] := code[o,i] * scale[o]
}`;
  const text = withFormat("storage i8 as rows()", block);
  const shape = [40, 24] as const;
  const { codes, codesOf, scales, scalesOf, config } = await pack(text, shape, "w.scale");
  expect(codesOf).toEqual({ dtype: "I8", shape });
  expect(scalesOf).toEqual({ dtype: "F32", shape: [40] });
  expect(config).not.toContain("quantization_config"); // there is no convention for it
  const given = numbers(...shape);
  for (const [i, byte] of codes.entries()) {
    const row = given.subarray(24 * Math.floor(i / 24), 24 * Math.floor(i / 24) + 24);
    const scale = Math.fround(Math.max(...row.map(Math.abs)) / 127);
    expect(scales[Math.floor(i / 24)]).toBe(scale);
    const quotient = Math.fround((given[i] ?? 0) / scale);
    const code = (byte << 24) >> 24;
    expect(Math.abs(code)).toBeLessThanOrEqual(127);
    expect(Math.abs(code - quotient)).toBeLessThanOrEqual(0.5);
  }
});

test("two codes of e2m1 a byte, a power of two for each 32 along the row", async () => {
  const text = `import fp4_groups from "std/quantization"\n\n${matrixText
    .replace(/^import .*\n\n/, "")
    .replace(/storage .*/, "storage e2m1 as fp4_groups()")}`;
  const shape = [6, 96] as const;
  const { codes, codesOf, scales, scalesOf } = await pack(text, shape, "w.scale");
  expect(codesOf).toEqual({ dtype: "I8", shape: [6, 48] });
  expect(scalesOf).toEqual({ dtype: "F8_E8M0", shape: [6, 3] });
  const values = Array.from({ length: 8 }, (_, code) => decodeFloat(e2m1, code));
  const given = numbers(...shape);
  for (let i = 0; i < given.length; i += 1) {
    const start = 32 * Math.floor(i / 32);
    const most = Math.max(...given.subarray(start, start + 32).map(Math.abs));
    const scale = scales[start / 32] ?? 0;
    expect(Number.isInteger(Math.log2(scale))).toBe(true);
    expect(most / 6 <= scale && scale < (2 * most) / 6).toBe(true);
    const quotient = (given[i] ?? 0) / scale;
    const size = nearest(Math.abs(quotient), values);
    const code = ((codes[i >> 1] ?? 0) >> (4 * (i & 1))) & 15;
    expect(code).toBe(size === 0 ? 0 : size | (quotient < 0 ? 8 : 0));
  }
});

test("what a condition of the format is not for stays", async () => {
  const text = `import fp4_groups from "std/quantization"\n\n${matrixText
    .replace(/^import .*\n\n/, "")
    .replace(/storage .*/, "storage e2m1 as fp4_groups()")
    .replace('at "w.weight"', 'at "w.weight"\n  weight short : [O, 40] at "short.weight"')
    .replace("w[o,i] * x[i]", "w[o,i] * x[i] + sum[j in 40](short[o,j])")}`;
  const ones = (columns: number): Uint8Array => encodeNumbers(new Float64Array(4 * columns).fill(1), "F32");
  const cwd = project({
    "matrix.ds": text,
    "in/config.json": JSON.stringify({ rows: 4, columns: 64 }),
    "in/model.safetensors": await fileOf([
      { name: "w.weight", dtype: "F32", shape: [4, 64], data: ones(64) },
      { name: "short.weight", dtype: "F32", shape: [4, 40], data: ones(40) },
    ]),
  });
  const { code, out, error } = await runInside(["quantize", "matrix.ds", "--weights", "in", "--out", "out"], cwd);
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect(out).toContain("short.weight  a condition of the format does not hold for its shape");
  expect(out).toMatch(/w\.weight +largest 0\.00 % {2}mean 0\.00 %/);
});
