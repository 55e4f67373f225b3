import { describe, expect, test } from "vitest";
import { typeOf } from "./elem.ts";
import { constant, dot, op } from "./expr.ts";
import { type Data, interpret, type RunOptions } from "./interpret.ts";
import type { Kernel } from "./kernel.ts";
import { parseKernel } from "./parse.ts";

function read(text: string): Kernel {
  const parsed = parseKernel(text);
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column} ${parsed.message}`);
  return parsed.kernel;
}
/** The one output, y, of `count` elements. */
function run<Y extends Data>(
  y: Y,
  body: string,
  { head = "", buffers = {} }: { head?: string; buffers?: Record<string, Data> } = {},
  options: RunOptions = {},
): Y {
  const elem = y instanceof Float32Array ? "f32" : y instanceof Int32Array ? "i32" : "bf16";
  const k = read(`kernel @k "" ${head} write y: ${elem}[${y.length}] rows { ${body} }`);
  expect(interpret(k, { sizes: {}, buffers: { ...buffers, y } }, options)).toBeNull();
  return y;
}
const faultOf = (head: string, body: string, data: Record<string, Data> = {}, sizes = {}): string | undefined =>
  interpret(read(`kernel @k "" ${head} { ${body} }`), { sizes, buffers: data })?.kind;

test("long loops end where a run says, tails and what is written out do not", () => {
  const body = `reg r: i32[1] r[0] = 0 loop i in 0 .. 100 step 8 { r[0] = r[0] + 1 } y[0] = r[0]
    loop i in 96 .. 200 step 8 { r[0] = r[0] + 1 } y[1] = r[0]
    loop i in 0 .. 64 step 8 { r[0] = r[0] + 1 } y[2] = r[0]
    unroll i in 0 .. 100 step 50 { r[0] = r[0] + 1 } y[3] = r[0]`;
  expect([...run(new Int32Array(4), body)]).toEqual([13, 26, 34, 36]);
  expect([...run(new Int32Array(4), body, {}, { bound: 68 })]).toEqual([9, 22, 30, 32]);
});

describe("arithmetic", () => {
  test("f32 rounds after each operation", () => {
    const y = run(new Float32Array(3), "y[0] = x[0] + x[1] y[1] = x[0] * x[0] y[2] = x[0] / x[1]", {
      head: "read x: f32[2] rows",
      buffers: { x: Float32Array.of(0.1, 3) },
    });
    const [a, b] = [Math.fround(0.1), 3];
    expect([...y]).toEqual([Math.fround(a + b), Math.fround(a * a), Math.fround(a / b)]);
  });
  test("fma rounds once or twice, as the target does", () => {
    const text = "y[0] = fma(x[0], x[0], x[1])";
    const x = Float32Array.of(1 + 2 ** -12, -(1 + 2 ** -11));
    const by = { head: "read x: f32[2] rows", buffers: { x } };
    expect(run(new Float32Array(1), text, by, { fma: "fused" })[0]).toBe(2 ** -24);
    expect(run(new Float32Array(1), text, by, { fma: "separate" })[0]).toBe(0);
  });
  test("i32 wraps, truncates and shifts", () => {
    const y = run(
      new Int32Array(6),
      `let top = x[0] y[0] = top + 1 y[1] = top * top y[2] = x[1] / 2 y[3] = x[1] % 2 y[4] = x[1] >> 1
      y[5] = to_i32(as_u32(x[1]) >> as_u32(1))`,
      { head: "read x: i32[2] rows", buffers: { x: Int32Array.of(0x7fffffff, -7) } },
    );
    expect([...y]).toEqual([-0x80000000, 1, -3, -1, -4, 0x7ffffffc]);
  });
  test("conversions saturate, round and keep the low bits", () => {
    const y = run(
      new Int32Array(4),
      "y[0] = to_i32(x[0]) y[1] = to_i32(x[1]) y[2] = to_i32(to_i8(to_i32(x[2]))) y[3] = as_i32(x[2])",
      { head: "read x: f32[3] rows", buffers: { x: Float32Array.of(1e20, Number.NaN, 200) } },
    );
    expect([...y]).toEqual([0x7fffffff, 0, -56, 0x43480000]);
    const b = run(new Uint16Array(2), "y[0] = to_bf16(x[0]) y[1] = to_bf16(x[1])", {
      head: "read x: f32[2] rows",
      buffers: { x: Float32Array.of(1 + 2 ** -8, 3.4e38) },
    });
    expect([...b]).toEqual([0x3f80, 0x7f7f]);
  });
  test("what is read and written holds what the caller left, and then what was stored", () => {
    const k = read(
      `kernel @k "" update y: bf16[6] rows grid g in 3 { y[g] = to_bf16(to_f32(y[g]) * f32(2)) y[g + 3] = to_bf16(to_f32(y[g]) + f32(1)) }`,
    );
    const y = Uint16Array.of(0x3f80, 0x4000, 0x4040, 0, 0, 0);
    expect(interpret(k, { sizes: {}, buffers: { y } })).toBeNull();
    expect([...y]).toEqual([0x4000, 0x4080, 0x40c0, 0x4040, 0x40a0, 0x40e0]);
  });
  test("vectors go lane by lane; dots are exact", () => {
    const head = "read a: i8[16] rows read b: i8[16] rows";
    const [a, b] = [Int8Array.from({ length: 16 }, (_, i) => i - 8), Int8Array.from({ length: 16 }, (_, i) => i)];
    const y = run(new Int32Array(4), "y[0] = dot4_b7(a[0]:16, b[0]:16, i32x4(5 step 1))", { head, buffers: { a, b } });
    const want = [0, 1, 2, 3].map((n) => [0, 1, 2, 3].reduce((s, g) => s + (4 * n + g - 8) * (4 * n + g), 5 + n));
    expect([...y]).toEqual(want);
    const three = [constant(1, typeOf("i8", 4)), constant(2, typeOf("i8", 4)), constant(0)] as const;
    expect(dot({ a: three[0], b: three[1], acc: three[2], group: 4, b7: false }).type).toEqual(typeOf("i32"));
  });
  test("constants fold to what a run gives", () => {
    expect(op("div", constant(-7), 2)).toEqual(constant(-3));
    expect(op("add", constant(0.1, typeOf("f32")), 0.2)).toEqual(
      constant(Math.fround(Math.fround(0.1) + Math.fround(0.2)), typeOf("f32")),
    );
    expect(op("div", constant(1), 0).kind).toBe("op");
  });
});

describe("faults", () => {
  test.each([
    ["range", "read x: f32[4] rows", "let a1 = x[lane + 4]"],
    ["unwritten", "", "reg r1: f32[2] r1[0] = f32(0) let a1 = r1[1]"],
    ["unwritten", "", "loop i in 0 .. 2 step 1 { reg r1: i32[1] if i < 1 { r1[0] = 1 } let a1 = r1[0] }"],
    ["unwritten", "shared p1: f32[4]", "let a1 = p1[0]"],
    ["race", "lanes 4 shared p1: i32[4]", "p1[0] = lane"],
    ["race", "lanes 4 shared p1: i32[4]", "p1[lane] = lane barrier p1[lane] = 0 let a1 = p1[(lane + 1) % 4]"],
    ["race", "lanes 4 shared p1: i32[4]", "p1[lane] = lane barrier let a1 = p1[0] if lane == 2 { p1[0] = 1 }"],
    [
      "race", // a reduction is no barrier
      "lanes 4 shared p1: i32[4]",
      "p1[lane] = lane reduce m1 = max(lane) over 4 any let a1 = p1[(lane + 1) % 4]",
    ],
    ["race", "write y: f32[4] rows grid g in 2", "y[0] = f32(0)"],
    ["race", "write y: f32[4] rows lanes 2", "y[0] = f32(0)"],
    ["race", "update y: f32[4] rows grid g in 2", "y[0] = f32(0)"],
    ["race", "update y: f32[4] rows grid g in 2", "if g == 0 { y[0] = f32(0) } if g == 1 { let a1 = y[0] }"],
    ["race", "update y: f32[4] rows grid g in 2", "if g == 1 { y[0] = f32(0) } if g == 0 { let a1 = y[0] }"],
    ["race", "update y: f32[4] rows grid g in 3", "if g == 2 { y[0] = f32(0) } if g < 2 { let a1 = y[0] }"],
    ["race", "update y: f32[4] rows lanes 2", "y[lane] = f32(0) let a1 = y[1 - lane]"],
    ["race", "update y: f32[4] rows lanes 2", "let a1 = y[0] if lane == 1 { y[0] = f32(0) }"],
    ["range", "update y: f32[4] rows", "y[4] = f32(0)"],
    ["divergence", "lanes 4", "if lane < 2 { barrier }"],
    ["divergence", "lanes 4", "loop i in 0 .. lane step 1 { barrier }"],
    ["division", "", "let a1 = 1 / lane"],
    ["division", "", "let a1 = 1 << lane + 32"],
    ["promise", "", "let a1 = dot4_b7(i8x4(1), i8x4(-1), 0)"],
  ])("%s: %s %s", (kind, head, body) => {
    const data = { x: new Float32Array(4), y: new Float32Array(4) };
    expect(faultOf(head, body, data)).toBe(kind);
  });
  test.each([
    ["lanes 4 shared p1: i32[4]", "p1[lane] = lane barrier let a1 = p1[(lane + 1) % 4]"],
    ["lanes 4 shared p1: i32[4]", "loop i in 0 .. 4 step 1 { p1[lane] = i barrier let a1 = p1[0] barrier }"],
    ["write y: f32[4] rows lanes 2", "y[0] = f32(0)".replace("y[0]", "y[lane]")],
    ["update y: f32[4] rows lanes 2", "y[lane] = y[lane + 2] barrier let a1 = y[1 - lane]"],
    ["update y: f32[4] rows grid g in 2", "y[g] = y[g] + f32(1) let a1 = y[3]"],
  ])("none: %s %s", (head, body) => {
    expect(faultOf(head, body, { y: new Float32Array(4) })).toBeUndefined();
  });
  test("inputs that do not fit", () => {
    const head = "size N multiple 4 min 4 read x: f32[N] rows";
    expect(faultOf(head, "", { x: new Float32Array(8) }, { N: 8 })).toBeUndefined();
    expect(faultOf(head, "", { x: new Float32Array(7) }, { N: 8 })).toBe("input");
    expect(faultOf(head, "", { x: new Int32Array(8) }, { N: 8 })).toBe("input");
    for (const N of [0, 6, 2 ** 31, Number.NaN])
      expect(faultOf(head, "", { x: new Float32Array(8) }, { N })).toBe("input");
  });
});

describe("buffers in pieces", () => {
  const head = "read w: f32[3; 4] rows";
  const w = Float32Array.from({ length: 12 }, (_, i) => i);
  test("follow each other", () => {
    const y = run(new Float32Array(4), "y[0] = w[0; 1] y[1] = w[1; 0] y[2] = w[2; 3] y[3] = fold_sum(w[1; 0]:4)", {
      head,
      buffers: { w },
    });
    expect([...y]).toEqual([1, 4, 11, 4 + 5 + 6 + 7]);
  });
  test.each(["w[3; 0]", "w[0; 4]", "w[1; 0 - 1]", "w[0 - 1; 5]", "fold_sum(w[0; 2]:4)"])(
    "%s is no element",
    (access) => {
      expect(faultOf(`${head} write y: f32[1] rows`, `y[0] = ${access}`, { w, y: new Float32Array(1) })).toBe("range");
    },
  );
  test("all of them are to be there", () => {
    expect(faultOf(head, "", { w: w.subarray(0, 11) })).toBe("input");
  });
});
