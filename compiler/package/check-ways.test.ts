import { expect, test } from "vitest";
import type { KernelDecl } from "../../runtime/artifact/program.ts";
import { interpret } from "../kernel/interpret.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { parseKernel } from "../kernel/parse.ts";
import { Ways } from "./check-ways.ts";
import { checksText, kernelChecks } from "./kernel-checks.ts";

function read(text: string): Kernel {
  const parsed = parseKernel(text);
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column} ${parsed.message}`);
  return parsed.kernel;
}
/** Four rows a work item: of those that are not whole each by itself, if there are at least eight. */
const tiled =
  read(`kernel @k "" size T multiple 1 min 1 read x: f32[T] rows write y: f32[T] rows grid b in (T + 3) / 4 {
  let t = b * 4
  if t + 4 <= T { loop j in 0 .. 4 step 1 { y[t + j] = x[t + j] } }
  if T < t + 4 { loop i in t .. T step 1 { y[i] = x[i] } }
}`);
const decl: KernelDecl = {
  ...{ name: "k", sizes: ["T"], grid: ["T"], scratch: 0 },
  buffers: [
    { name: "x", elem: "f32", extent: "T", access: "read" },
    { name: "y", elem: "f32", extent: "T", access: "write" },
  ],
  gpu: { bindings: [[0], [1]], itemsInGroup: 64 },
};

function gone(T: number): { readonly ways: number; readonly more: boolean } {
  const ways = new Ways(tiled);
  const buffers = { x: new Float32Array(T).fill(1), y: new Float32Array(T) };
  expect(interpret(tiled, { sizes: { T }, buffers }, { passed: ways.passed })).toBeNull();
  return { ways: ways.count, more: ways.mayBeMore(tiled) };
}

test("ways are those that were gone, and others that sizes may lead to", () => {
  expect(gone(4)).toEqual({ ways: 2, more: true });
  expect(gone(5)).toEqual({ ways: 4, more: true });
  expect(gone(6)).toEqual({ ways: 5, more: false });
});

test("a way that hangs on no size is not looked for", () => {
  const k = read(`kernel @k "" write y: i32[4] rows grid b in 4 { if 5 < b { y[b] = 1 } }`);
  const ways = new Ways(k);
  interpret(k, { sizes: {}, buffers: { y: new Int32Array(4) } }, { passed: ways.passed });
  expect([ways.count, ways.mayBeMore(k)]).toEqual([1, false]);
});

test("sizes are the least that go the most ways, and all that is written is summed", () => {
  const wide = read(`kernel @k "" size T multiple 1 min 1 read x: f32[T] rows write y: f32[T] rows grid b in T {
    if b < 16 { y[b] = x[b] }
    if 15 < b { y[b] = x[b] + x[b] }
  }`);
  const [least, larger] = [tiled, wide].map((k) => kernelChecks([k], [decl])[0]);
  expect(least).toMatchObject({ sizes: [5], groups: 1, expected: [{ buffer: 1, runs: [0, 5], others: "kept" }] });
  expect(larger).toMatchObject({ sizes: [17], expected: [{ runs: [0, 17], others: "kept" }] });
  expect(checksText([least, larger].filter((c) => c !== undefined)).split("\n")).toHaveLength(5);
});

test("of what takes long some items are summed, and all else may be anything", () => {
  const long =
    read(`kernel @k "" size T multiple 1 min 1 read x: f32[T] rows write y: f32[T * 64] rows grid b in T * 64 {
    reg r: f32[1]
    r[0] = f32(0)
    loop k in 0 .. T * 2000 step 1 { r[0] = r[0] + x[b % T] }
    y[b] = r[0]
  }`);
  const [check] = kernelChecks([long], [decl]);
  const [of] = check?.expected ?? [];
  expect(of?.others).toBe("any");
  expect(of?.runs.filter((_, i) => i % 2 === 1).reduce((a, b) => a + b, 0)).toBe(6);
});

/** A sum of 10,000 terms, by 64 lanes. */
const sum =
  read(`kernel @k "" size T multiple 1 min 1 read x: f32[T * 10240] rows write y: f32[T] rows lanes 64 grid t in T {
  reg r: f32[1]
  r[0] = f32(0)
  loop k in lane * 4 .. 10240 step 256 { r[0] = r[0] + x[t * 10240 + k] }
  reduce all = sum(r[0]) over 64 any
  if lane == 0 { y[t] = all }
}`);

test("sums have so many terms that each lane goes twice", () => {
  const [check] = kernelChecks([sum], [{ ...decl, gpu: { bindings: [[0], [1]], itemsInGroup: 1 } }]);
  expect(check).toMatchObject({ sizes: [5], groups: 4, bound: 512, expected: [{ runs: [0, 4], others: "kept" }] });
  // The last row begins at 30,720, and its last term is its 509th.
  expect(check?.elements[0]).toBe(3 * 10_240 + 509);
});

test("numbers that choose among weights far from each other choose few of them, and of a window the first", () => {
  const pieces = { grid: "grid b in T", use: "w[min(max(e - first, 0), some - 1); 4194303 * min(e, 1)]" };
  const within = read(`kernel @k "" size T multiple 1 min 1 size first size some min 1 read which: i32[T] rows
    read w: f32[some; 4194304] rows write y: f32[T] rows window first some of 8 ${pieces.grid} {
    let e = min(max(which[b], 0), 7)
    if first <= e & e < first + some { y[b] = ${pieces.use} }
  }`);
  const [check] = kernelChecks([within], [{ ...decl, buffers: [...decl.buffers, ...decl.buffers].slice(0, 3) }]);
  expect(check).toMatchObject({ wholes: "two", sizes: [5, 0, 1] });
});
