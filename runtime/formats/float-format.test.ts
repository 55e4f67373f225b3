import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { roundToBf16, roundToE2m1, roundToE4m3, roundToE5m2, roundToF16 } from "./casts.ts";
import { decodeE8m0, encodeE8m0, pow2Ceil, roundToE8m0 } from "./e8m0.ts";
import { bf16, decodeFloat, e2m1, e4m3, e5m2, encodeFloat, type FloatFormat, f16, roundFloat } from "./float-format.ts";

const formats: readonly FloatFormat[] = [f16, bf16, e4m3, e5m2, e2m1];
const halfOf = (format: FloatFormat): number => 2 ** (format.exponentBits + format.mantissaBits);

/** Codes of the finite values from +0 upwards. */
const finiteCodes = (format: FloatFormat): readonly number[] =>
  Array.from({ length: halfOf(format) }, (_, code) => code).filter((code) =>
    Number.isFinite(decodeFloat(format, code)),
  );

/** The next double towards +inf of a positive one, or towards 0 with `step` -1. */
function neighbour(x: number, step: 1n | -1n): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  view.setBigUint64(0, view.getBigUint64(0) + step);
  return view.getFloat64(0);
}

describe.each(formats.map((format) => [format.name, format] as const))("%s", (_name, format) => {
  const codes = finiteCodes(format);
  const values = codes.map((code) => decodeFloat(format, code));

  test("every code comes back from its number", () => {
    const wrong = Array.from({ length: 2 * halfOf(format) }, (_, code) => code).filter((code) => {
      const value = decodeFloat(format, code);
      const back = encodeFloat(format, value) === code && Object.is(roundFloat(format, value), value);
      return !back && !Number.isNaN(value);
    });
    expect(wrong).toEqual([]);
  });

  test("the finite values rise with their codes, to the largest", () => {
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(new Set(values).size).toBe(values.length);
    expect(values.at(-1)).toBe(format.max);
  });

  test("between two neighbours the nearer is taken, in the middle the one with the even code", () => {
    const wrong: number[] = [];
    for (let code = 0; code + 1 < codes.length; code += 1) {
      const [low = 0, high = 0] = [values[code], values[code + 1]];
      const middle = (low + high) / 2;
      const even = code % 2 === 0 ? low : high;
      const right =
        Object.is(roundFloat(format, middle), even) &&
        Object.is(roundFloat(format, -middle), -even) &&
        roundFloat(format, neighbour(middle, -1n)) === low &&
        roundFloat(format, neighbour(middle, 1n)) === high &&
        encodeFloat(format, middle) === (code % 2 === 0 ? code : code + 1) &&
        encodeFloat(format, -neighbour(middle, 1n)) === code + 1 + halfOf(format);
      if (!right) wrong.push(code);
    }
    expect(wrong).toEqual([]);
  });

  test("beyond the range it saturates, both ways", () => {
    for (const x of [neighbour(format.max, 1n), 1.1 * format.max, 2 * format.max, 1e300, Number.MAX_VALUE]) {
      expect(roundFloat(format, x)).toBe(format.max);
      expect(roundFloat(format, -x)).toBe(-format.max);
    }
  });

  test("below half the smallest value is zero, with its sign", () => {
    for (const x of [0, 5e-324, 2.2e-308, neighbour((values[1] ?? 0) / 2, -1n)]) {
      expect(roundFloat(format, x)).toBe(0);
      expect(roundFloat(format, -x)).toBe(-0);
      expect(encodeFloat(format, -x)).toBe(halfOf(format));
    }
  });
});

describe("special values", () => {
  test.each([
    [f16, 65504, 0x7e00, 2 ** -24],
    [bf16, 2 ** 127 * (2 - 2 ** -7), 0x7fc0, 2 ** -133],
    [e4m3, 448, 0x7f, 2 ** -9],
    [e5m2, 57344, 0x7e, 2 ** -16],
  ])("$name", (format, max, nan, smallest) => {
    expect(format.max).toBe(max);
    expect(encodeFloat(format, Number.NaN)).toBe(nan);
    expect(decodeFloat(format, nan)).toBeNaN();
    expect(decodeFloat(format, nan | halfOf(format))).toBeNaN();
    expect(decodeFloat(format, 1)).toBe(smallest);
    expect(roundFloat(format, Number.NaN)).toBeNaN();
    const infinity = format === e4m3 ? 448 : Number.POSITIVE_INFINITY;
    expect(roundFloat(format, Number.POSITIVE_INFINITY)).toBe(infinity);
    expect(roundFloat(format, Number.NEGATIVE_INFINITY)).toBe(-infinity);
    expect(decodeFloat(format, encodeFloat(format, Number.NEGATIVE_INFINITY))).toBe(-infinity);
  });

  test("e4m3 has two nans and no infinity", () => {
    const nans = Array.from({ length: 256 }, (_, code) => code).filter((code) => Number.isNaN(decodeFloat(e4m3, code)));
    expect(nans).toEqual([0x7f, 0xff]);
  });

  test("e2m1 has neither: nan and infinity become 6, and -0 reads as 0", () => {
    expect(roundToE2m1(Number.NaN)).toBe(6);
    expect(roundToE2m1(Number.NEGATIVE_INFINITY)).toBe(-6);
    expect(roundToE2m1(-0.1)).toBe(0);
    expect(encodeFloat(e2m1, -0.1)).toBe(8);
  });

  test("rounds once: through f32 these would be ties and go the other way", () => {
    expect(roundToBf16(1 + 2 ** -8 + 2 ** -40)).toBe(1 + 2 ** -7);
    expect(roundToF16(1 + 2 ** -11 + 2 ** -40)).toBe(1 + 2 ** -10);
    expect(roundToE4m3(1 + 2 ** -4 + 2 ** -40)).toBe(1.125);
    expect(roundToE5m2(1 + 2 ** -3 + 2 ** -40)).toBe(1.25);
    expect(roundToE2m1(1.25 + 2 ** -40)).toBe(1.5);
    expect(roundToE8m0(1.5 - 2 ** -40)).toBe(1);
  });

  test("bf16 is the upper half of f32", () => {
    const [single] = [new Float32Array(1)];
    const bits = new Uint32Array(single.buffer);
    const wrong = Array.from({ length: 65_536 }, (_, code) => code).filter((code) => {
      bits[0] = code * 65_536;
      return !Object.is(decodeFloat(bf16, code), single[0]);
    });
    expect(wrong).toEqual([]);
  });
});

describe("e8m0", () => {
  test("every code comes back", () => {
    for (let code = 0; code < 255; code += 1) {
      expect(decodeE8m0(code)).toBe(2 ** (code - 127));
      expect(encodeE8m0(decodeE8m0(code))).toBe(code);
      expect(roundToE8m0(2 ** (code - 127))).toBe(2 ** (code - 127));
    }
    expect(decodeE8m0(255)).toBeNaN();
    expect(encodeE8m0(Number.NaN)).toBe(255);
  });

  test("the nearest power, a tie upwards", () => {
    for (let k = -127; k < 127; k += 1) {
      const tie = 1.5 * 2 ** k;
      expect(roundToE8m0(tie)).toBe(2 ** (k + 1));
      expect(roundToE8m0(neighbour(tie, -1n))).toBe(2 ** k);
    }
  });

  test("saturates; a negative number has no scale", () => {
    expect(roundToE8m0(0)).toBe(2 ** -127);
    expect(roundToE8m0(5e-324)).toBe(2 ** -127);
    expect(roundToE8m0(1e300)).toBe(2 ** 127);
    expect(roundToE8m0(Number.POSITIVE_INFINITY)).toBe(2 ** 127);
    expect(roundToE8m0(-1)).toBeNaN();
    expect(encodeE8m0(-1)).toBe(255);
  });

  test("pow2Ceil is exact on powers of two and their neighbours", () => {
    for (let k = -1022; k < 1023; k += 1) {
      const power = 2 ** k;
      expect(pow2Ceil(power)).toBe(power);
      expect(pow2Ceil(neighbour(power, 1n))).toBe(2 * power);
      if (k > -1022) expect(pow2Ceil(neighbour(power, -1n))).toBe(power);
    }
    expect(pow2Ceil(2 ** 1023)).toBe(2 ** 1023);
    for (const x of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** -1023, Number.MAX_VALUE])
      expect(pow2Ceil(x)).toBeNaN();
  });
});

interface WorkedExamples {
  readonly e4m3_rne: readonly { readonly x: number; readonly q: number; readonly code: number }[];
  readonly e2m1: {
    readonly ties: readonly (readonly [x: number, q: number])[];
    readonly group: { readonly x: readonly number[]; readonly scale: number; readonly dequant: readonly number[] };
    readonly pack_low_nibble_first: { readonly values: readonly number[]; readonly codes: readonly number[] };
  };
  readonly ue8m0_scale: readonly {
    readonly amax: number;
    readonly scale_exponent: number;
    readonly e8m0_byte: number;
  }[];
}

const examplesFile = join(process.env["DSC_TEST_DATA"] ?? "", "architectures/worked-examples.json");
const hasExamples = process.env["DSC_TEST_DATA"] !== undefined && existsSync(examplesFile);
const skipped = hasExamples ? "" : " (skipped: no worked examples, set DSC_TEST_DATA)";

describe.skipIf(!hasExamples)(`worked examples${skipped}`, () => {
  const examples = (): WorkedExamples => JSON.parse(readFileSync(examplesFile, "utf8"));

  test("e4m3", () => {
    const rows = examples().e4m3_rne;
    expect(rows.length).toBeGreaterThan(10);
    for (const { x, q, code } of rows) expect([roundToE4m3(x), encodeFloat(e4m3, x)]).toEqual([q, code]);
  });

  test("e2m1", () => {
    const { ties, group, pack_low_nibble_first: pack } = examples().e2m1;
    for (const [x, q] of ties) expect(roundToE2m1(x)).toBe(q);
    expect(group.x.map((x) => roundToE2m1(x / group.scale) * group.scale)).toEqual(group.dequant);
    expect(pack.values.map((x) => encodeFloat(e2m1, x))).toEqual(pack.codes);
  });

  test("ue8m0 scales of e4m3 groups: 2^ceil(log2(max(amax, 1e-4) / 448)), in f32", () => {
    for (const { amax, scale_exponent, e8m0_byte } of examples().ue8m0_scale) {
      const scale = pow2Ceil(Math.fround(Math.max(Math.fround(amax), Math.fround(1e-4)) / 448));
      expect([scale, encodeE8m0(scale)]).toEqual([2 ** scale_exponent, e8m0_byte]);
    }
  });
});
