/**
 * e4m3 and ue8m0 against their definitions, written out a second time in the plainest way: every code, and 100,000 f32 numbers of
 * random bits. A value of e4m3 is (-1)^s 2^(e - 7) (1 + m / 8), with e = 0: (-1)^s 2^-6 m / 8; S.1111.111 is nan.
 */
import { expect, test } from "vitest";
import { roundToE4m3 } from "./casts.ts";
import { decodeE8m0, encodeE8m0, pow2Ceil } from "./e8m0.ts";
import { decodeFloat, e4m3, encodeFloat } from "./float-format.ts";

function defined(code: number): number {
  const [sign, exponent, mantissa] = [code >> 7, (code >> 3) & 15, code & 7];
  if (exponent === 15 && mantissa === 7) return Number.NaN;
  const size = exponent === 0 ? 2 ** -6 * (mantissa / 8) : 2 ** (exponent - 7) * (1 + mantissa / 8);
  return sign === 1 ? -size : size;
}

/** f32 numbers of random bits, half of them in the range of e4m3. */
function* numbers(count: number): Generator<number> {
  const view = new DataView(new ArrayBuffer(4));
  let state = 20_261_125;
  for (let i = 0; i < count; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    view.setUint32(0, i % 2 === 0 ? state : (state & 0x807fffff) | ((110 + ((state >>> 23) % 28)) << 23));
    const x = view.getFloat32(0);
    if (!Number.isFinite(x)) continue;
    yield x;
    i += 1;
  }
}

const positive = Array.from({ length: 127 }, (_, code) => ({ code, value: defined(code) }));
/** The nearest, of two the one with the even code; what is larger than all is the largest. */
function nearest(x: number): { readonly code: number; readonly value: number } {
  const size = Math.min(Math.abs(x), 448);
  let [low, high] = [0, positive.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((positive[middle]?.value ?? 0) < size) low = middle + 1;
    else high = middle;
  }
  const [above, below] = [positive[low], positive[low - 1]];
  if (above === undefined) throw new Error("no value");
  if (below === undefined || above.value === size) return above;
  const [up, down] = [above.value - size, size - below.value];
  if (up !== down) return up < down ? above : below;
  return above.code % 2 === 0 ? above : below;
}

test("all 256 codes of e4m3, both ways", () => {
  for (let code = 0; code < 256; code += 1) {
    const value = defined(code);
    expect(Object.is(decodeFloat(e4m3, code), value), `${code}`).toBe(true);
    if (!Number.isNaN(value)) expect(encodeFloat(e4m3, value)).toBe(code);
  }
});

test("100,000 numbers as e4m3", () => {
  const wrong: number[] = [];
  for (const x of numbers(100_000)) {
    const { code, value } = nearest(x);
    const sign = Object.is(Math.sign(x), -1) || Object.is(x, -0);
    const right =
      encodeFloat(e4m3, x) === (sign ? code + 128 : code) && Object.is(roundToE4m3(x), sign ? -value : value);
    if (!right) wrong.push(x);
  }
  expect(wrong).toEqual([]);
});

test("all 256 codes of ue8m0, both ways", () => {
  for (let byte = 0; byte < 255; byte += 1) {
    expect(decodeE8m0(byte)).toBe(2 ** (byte - 127));
    expect(encodeE8m0(2 ** (byte - 127))).toBe(byte);
  }
  expect(decodeE8m0(255)).toBeNaN();
});

test("scales of 100,000 numbers: by their bits, the exponent, and one more where a bit of the mantissa is set", () => {
  const view = new DataView(new ArrayBuffer(4));
  const wrong: number[] = [];
  for (const x of numbers(100_000)) {
    const scale = Math.fround(Math.max(Math.abs(x), Math.fround(1e-4)) / 448);
    view.setFloat32(0, scale);
    const bits = view.getUint32(0);
    const exponent = ((bits >>> 23) & 255) - 127 + ((bits & 0x7fffff) === 0 ? 0 : 1);
    if (pow2Ceil(scale) !== 2 ** exponent || encodeE8m0(pow2Ceil(scale)) !== exponent + 127) wrong.push(x);
  }
  expect(wrong).toEqual([]);
});
