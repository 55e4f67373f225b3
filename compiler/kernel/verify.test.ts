import { describe, expect, test } from "vitest";
import { exampleKernelTargets } from "../target/example-kernel-targets.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { typeOf } from "./elem.ts";
import { constant } from "./expr.ts";
import type { Expr, Kernel, Stmt } from "./kernel.ts";
import { parseKernel } from "./parse.ts";
import { verify } from "./verify.ts";

function read(text: string): Kernel {
  const parsed = parseKernel(text);
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column} ${parsed.message}`);
  return parsed.kernel;
}
const target = (name: string): KernelTarget => {
  const found = exampleKernelTargets.find((t) => t.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};
/** The rules that a kernel breaks; `head` and `body` as in the text form. */
const broken = (head: string, body: string, on?: KernelTarget): readonly number[] => [
  ...new Set(verify(read(`kernel @k "" ${head} { ${body} }`), on).map((p) => p.rule)),
];

const gemv = `kernel @gemv "2 rows x 32 lanes x 4 groups"
  size N
  size K multiple 4
  read w: f32[N * K] rows
  read x: f32[K] rows
  write y: f32[N] rows
  grid block in (N + 7) / 8
  lanes 128
{
  let n0 = (block * 4 + lane / 32) * 2
  reg row_at: i32[2]
  unroll r in 0 .. 2 step 1 {
    row_at[r] = min(n0 + r, N - 1) * K
  }
  reg acc: f32x4[2]
  unroll i in 0 .. 2 step 1 {
    acc[i] = f32x4(0)
  }
  loop k in lane % 32 * 4 .. K step 128 {
    let xk = x[k]:4
    unroll r1 in 0 .. 2 step 1 {
      acc[r1] = fma(w[row_at[r1] + k]:4, xk, acc[r1])
    }
  }
  unroll r2 in 0 .. 2 step 1 {
    reduce all_sum = sum(fold_sum(acc[r2])) over 32 any
    if n0 + r2 < N & lane % 32 == 0 {
      y[n0 + r2] = all_sum
    }
  }
}
`;
const changed = (from: string, to: string): readonly number[] => {
  expect(gemv).toContain(from);
  return [...new Set(verify(read(gemv.replace(from, to))).map((p) => p.rule))];
};

test("a matrix times a vector holds them all", () => {
  expect(verify(read(gemv), target("gpu_unit"))).toEqual([]);
});

describe("1: names", () => {
  test.each([
    ["twice", "", "let a1 = 1 let a1 = 2"],
    ["twice in blocks side by side", "", "if 0 < 1 { let a1 = 1 } if 0 < 1 { let a1 = 1 }"],
    ["out of scope", "", "if 0 < 1 { let a1 = 1 } let b1 = a1"],
    ["an extent that converts", "write y: f32[to_i32(f32(4))] rows", ""],
    ["an extent of what a lane knows", "size N write y: f32[N] rows grid g in lane", ""],
  ])("%s", (_, head, body) => {
    expect(broken(head, body)).toContain(1);
  });
  test("subgroups where there are none", () => {
    expect(broken("lanes 64", "let a1 = subgroup_id", target("gpu"))).toEqual([1]);
    expect(broken("lanes 64", "let a1 = subgroup_id", target("gpu_subgroups"))).toEqual([]);
  });
});

describe("2: types", () => {
  test.each([
    ["operands of two types", "let a1 = 1 + f32(1)"],
    ["operands of two widths", "let a1 = f32x4(1) + f32(1)"],
    ["an operation that integers do not have", "let a1 = sqrt(1)"],
    ["a remainder of floats", "let a1 = f32(1) % f32(2)"],
    ["arithmetic on storage", "let a1 = bf16(1) + bf16(1)"],
    ["a condition that is a number", "if 1 { }"],
    ["a choice by a number", "let a1 = select(1, 2, 3)"],
    ["a number that f32 does not have", "let a1 = f32(0.1)"],
    ["a number that bf16 does not have", "let a1 = bf16(0.10000000149011612)"],
    ["an integer of minus zero", "let a1 = i32(-0)"],
    ["a number that i8 does not have", "let a1 = i8(128)"],
    ["a vector as index", "reg r1: f32[4] r1[i32x4(0)] = f32(0)"],
    ["a store of another type", "reg r1: f32[4] r1[0] = 1"],
    ["a lane that is not there", "let a1 = extract4(f32x4(0))"],
    ["a splat to less", "let a1 = splat2(f32x4(0))"],
    ["a dot of four i16", "let a1 = dot4(i16x16(0), i16x16(0), i32x4(0))"],
    ["a conversion of a truth value", "let a1 = to_i32(bool(1))"],
    ["the bits of 16", "let a1 = as_i32(bf16(1))"],
    ["a fold of bytes", "let a1 = fold_sum(i8x4(1))"],
    ["a width that is none", "reg r1: i32[1] let a1 = p1[0]:3"],
    ["no registers", "reg r1: i32[0]"],
    ["a bound that is no integer", "loop i in 0 .. f32(4) step 1 { }"],
    ["a reduction of a vector", "reduce r1 = sum(f32x4(0)) over 1 any"],
    ["a fragment without rows", "frag fa: a bf16[1, 0, 16]"],
    [
      "a fragment of another role",
      `frag fa: a f32[1, 8, 8] frag fb: b f32[1, 8, 8] frag fd: d f32[1, 8, 8]
      mma fd[0] += fb[0] * fa[0]`,
    ],
    ["a fragment of another element", "frag fa: a bf16[1, 8, 8] frag_load fa[0] = p1[0] stride 8"],
    ["a register of another type", "reg r1: f32x4[1] r1[0] = f32x4(0) let a1 = r1[0]:2"],
    ["a loop that moves its end", "reg r1: i32[1] r1[0] = 4 loop i in 0 .. r1[0] step 1 { r1[0] = 2 }"],
    ["a loop that stands still", "loop i in 0 .. 4 step 0 { }"],
    [
      "multiplied fragments of other shapes",
      `frag fa: a bf16[1, 16, 16] frag fb: b bf16[1, 8, 8]
      frag fd: d f32[1, 16, 8] mma fd[0] += fa[0] * fb[0]`,
    ],
  ])("%s", (_, body) => {
    expect(broken("shared p1: i32[64]", body)).toContain(2);
  });
  test.each(["lanes 0", "size N multiple 0", "shared s1: f32[0]"])("%s", (head) => {
    expect(broken(head, "")).toEqual([2]);
  });
  const sum = (n: number): Expr =>
    n === 0 ? constant(1) : { kind: "op", type: typeOf("i32"), op: "add", args: [sum(n - 1), constant(1)] };
  const nest = (n: number): Stmt => ({
    kind: "if",
    cond: constant(1, typeOf("bool")),
    body: n === 0 ? [] : [nest(n - 1)],
  });
  test.each<[string, Stmt]>([
    ["a comment of several lines", { kind: "comment", text: "a\nb" }],
    ["a name of another type", { kind: "let", name: "a1", value: { kind: "name", type: typeOf("f32"), name: "lane" } }],
    ["a deep expression", { kind: "let", name: "a1", value: sum(250) }],
    ["deep blocks", nest(70)],
  ])("%s", (_, s) => {
    expect(verify({ ...read('kernel @k "" { }'), body: [s] }).map((p) => p.rule)).toEqual([2]);
  });
});

test("1 and 3: memories and fragments that are not there, or not for that", () => {
  const named = (s: Stmt): readonly number[] => verify({ ...read('kernel @k "" { }'), body: [s] }).map((p) => p.rule);
  const zero = constant(0);
  expect(named({ kind: "store", to: "y", index: zero, value: zero })).toEqual([1]);
  const frag = "frag fa: a f32[1, 8, 8] frag fb: b f32[1, 8, 8] frag fd: d f32[1, 8, 8]";
  expect(broken("", `${frag} mma fd[0] += fa[0] * fc[0]`)).toEqual([1]);
  expect(broken("", `${frag} frag_load fa[0] = y[0] stride 8`)).toEqual([1]);
  expect(broken("write y: f32[64] rows", `${frag} frag_load fa[0] = y[0] stride 8`)).toEqual([3]);
  expect(broken("read x: f32[64] rows", `${frag} frag_store x[0] = fd[0] stride 8`)).toEqual([3]);
});

test("3: access", () => {
  expect(broken("read x: f32[4] rows", "x[0] = f32(0)")).toEqual([3]);
  expect(broken("write y: f32[4] rows", "let a1 = y[0]")).toEqual([3]);
});

test("4: alignment", () => {
  expect(changed("size K multiple 4", "size K multiple 2")).toContain(4);
  expect(changed("lane % 32 * 4 .. K", "lane % 32 * 2 .. K")).toContain(4);
  expect(changed("min(n0 + r, N - 1) * K", "min(n0 + r, N - 1)")).toContain(4);
});

describe("5: where lanes meet", () => {
  test.each([
    ["under a condition of a lane", "if lane < 4 { barrier }"],
    ["in a loop of a lane", "loop i in 0 .. lane step 1 { barrier }"],
    ["under what was read from shared memory", "p1[lane] = 0 barrier if p1[0] < 1 { barrier }"],
    ["under a reduction of fewer lanes", "reduce m1 = max(lane) over 16 any if m1 < 1 { barrier }"],
    [
      "through registers of earlier turns",
      `reg a1: i32[1] reg b1: i32[1] reg c1: i32[1] a1[0] = 0 b1[0] = 0 c1[0] = 0
      loop i in 0 .. 4 step 1 { if c1[0] < 1 { barrier } c1[0] = b1[0] b1[0] = a1[0] a1[0] = lane }`,
    ],
    [
      "under what only some lanes stored",
      "reg a1: i32[1] a1[0] = 0 if lane < 4 { a1[0] = 1 } if a1[0] < 1 { barrier }",
    ],
  ])("%s", (_, body) => {
    expect(broken("lanes 64 shared p1: i32[64]", body)).toEqual([5]);
  });
  test("under what all lanes know", () => {
    const body = "reduce m1 = max(lane) over 64 any if m1 < 1 { barrier } if x[0] < 1 { barrier }";
    expect(broken("read x: i32[4] rows lanes 64", body)).toEqual([]);
  });
});

test("6: indices of registers", () => {
  expect(broken("size K", "reg r1: f32[4] loop i in 0 .. 4 step 1 { r1[i] = f32(0) }")).toEqual([6]);
  expect(broken("size K", "reg r1: f32[4] unroll i in 0 .. K step 1 { }")).toEqual([6]);
  const nest = (depth: number): string =>
    depth === 0 ? "" : `unroll i${depth} in 0 .. 128 step 1 { ${nest(depth - 1)} let a${depth} = 1 }`;
  expect(broken("", nest(4))).toEqual([6]);
});

test.each(["from", "min", "f32x4", "end", "a__b", "vec4", "subgroup_id", "while"])("7: %s is no name", (n) => {
  expect(broken("", `let ${n} = 1`)).toContain(7);
});

test("7: names of kernels and layouts", () => {
  const k = read('kernel @k "" write y: f32[4] rows { }');
  const rules = (x: Kernel): readonly number[] => verify(x).map((p) => p.rule);
  expect(rules({ ...k, name: "a__b" })).toEqual([7]);
  expect(rules({ ...k, buffers: k.buffers.map((b) => ({ ...b, layout: "two words" })) })).toEqual([7]);
});

test("8: the target", () => {
  expect(broken("lanes 64", "", target("simd"))).toEqual([8]);
  expect(broken("lanes 64 shared p1: f32[4097]", "", target("gpu"))).toEqual([8]);
  expect(broken("lanes 64", "reduce m1 = max(lane) over 3 any")).toEqual([8]);
  expect(broken("lanes 64", "reduce m1 = max(lane) over 8 cluster", target("gpu_subgroups"))).toEqual([8]);
  expect(broken("lanes 64", "reduce m1 = max(lane) over 4 cluster", target("gpu_subgroups"))).toEqual([]);
  expect(broken("lanes 64", "reduce m1 = max(lane) over 4 cluster", target("gpu"))).toEqual([8]);
  expect(broken("lanes 128", "frag fa: a bf16[1, 16, 8]", target("gpu_unit"))).toEqual([8]);
  expect(broken("lanes 64", "frag fa: a bf16[1, 16, 16]", target("gpu"))).toEqual([8]);
  expect(broken("lanes 128", "frag fa: a bf16[1, 16, 16]", target("gpu_unit"))).toEqual([]);
});

describe("9: range", () => {
  test("what the clamp, the guard and the multiple are for", () => {
    expect(changed("min(n0 + r, N - 1)", "(n0 + r)")).toEqual([9]);
    expect(changed("min(n0 + r, N - 1)", "min(n0 + r, N)")).toEqual([9]);
    expect(changed("n0 + r2 < N & ", "")).toEqual([9]);
    expect(changed("n0 + r2 < N", "n0 + r2 <= N")).toEqual([9]);
    expect(changed("grid block in (N + 7) / 8", "grid block in (N + 8) / 8")).toEqual([9]); // N = 0 has an item then
    expect(changed("N * K", "N * K - 1")).toEqual([9]);
    expect(changed("lane % 32 * 4 .. K", "lane % 32 * 4 - 4 .. K")).toEqual([9]);
  });
  test.each([
    ["an index from memory", "y[at[g]] = f32(0)"],
    ["an index from memory, guarded above only", "let i1 = at[g] if i1 < N { y[i1] = f32(0) }"],
    [
      "what a register holds after a loop that stores to it",
      `reg r1: i32[1] r1[0] = 0
      loop i in 0 .. N step 1 { let a1 = x[r1[0]] r1[0] = i + 1 }`,
    ],
    [
      "what a register holds after a store to who knows which",
      `reg r1: i32[2] r1[0] = 0 r1[1] = 0
      unroll i in 0 .. 2 step 1 { r1[select(i < 1, 1, 0)] = N } let a1 = x[r1[0]]`,
    ],
    ["truncated division of what may be negative", "let a1 = x[(g - 1) / 2]"],
    ["the stride of lanes", "let a1 = x[g * 2]"],
  ])("%s", (_, body) => {
    const head = "size N read at: i32[N] rows read x: f32[N] rows write y: f32[N] rows grid g in N";
    expect(broken(head, body)).toContain(9);
  });
  test.each([
    ["clamped", "let a1 = x[min(max(at[g], 0), N - 1)]"],
    ["guarded", "let i1 = at[g] if 0 <= i1 & i1 < N { let a1 = x[i1] }"],
    ["guarded, then in arithmetic", "let i1 = at[g] if 0 <= i1 & i1 < N { if i1 + 1 < N { let a1 = x[i1 + 1] } }"],
    ["a loop up to what memory says, guarded", "loop i in 0 .. at[g] step 1 { if i < N { let a1 = x[i] } }"],
    ["guarded by a name", "let i1 = at[g] let in1 = 0 <= i1 & i1 < N if in1 { let a1 = x[i1] }"],
    ["a register stored in each turn", "reg r1: i32[1] loop i in 0 .. N step 1 { r1[0] = i let a1 = x[r1[0]] }"],
    ["a loop of no turn", "loop i in 0 .. 0 step 1 { let a1 = x[N] }"],
  ])("%s", (_, body) => {
    const head = "size N read at: i32[N] rows read x: f32[N] rows grid g in N";
    expect(broken(head, body)).toEqual([]);
  });
  test("a minimum of a size", () => {
    expect(broken("size N read x: f32[N] rows", "let a1 = x[0]")).toEqual([9]);
    expect(broken("size N min 1 read x: f32[N] rows", "let a1 = x[0]")).toEqual([]);
  });
  test("fragments reach as far as their rows", () => {
    const body = "frag fa: a f32[1, 16, 8] frag_load fa[0] = x[0] stride K";
    expect(broken("size K multiple 8 min 8 read x: f32[16 * K] rows", body)).toEqual([]);
    expect(broken("size K multiple 8 min 8 read x: f32[15 * K] rows", body)).toEqual([9]);
    expect(broken("size K min 1 read x: f32[256] rows", body.replace("x[0] stride K", "x[200] stride 0 - K"))).toEqual([
      9,
    ]);
  });
});

describe("10: one writer", () => {
  const head = `size M size N write y: f32[M * N] rows grid a1 in (M + 3) / 4 grid b1 in (N + 15) / 16`;
  const tile = (m: string, n: string): readonly number[] =>
    broken(
      head,
      `loop i in 0 .. 4 step 1 { loop j in 0 .. 16 step 1 { let m1 = ${m} let n1 = ${n}
      if m1 < M & n1 < N { y[m1 * N + n1] = f32(0) } } }`,
    );
  test("of tiles", () => {
    expect(tile("a1 * 4 + i", "b1 * 16 + j")).toEqual([]);
    expect(tile("a1 * 4 + i", "b1 * 15 + j")).toEqual([10]);
    expect(tile("a1 * 3 + i", "b1 * 16 + j")).toEqual([10]);
    expect(tile("i", "b1 * 16 + j")).toEqual([10]);
  });
  test("stores of one buffer agree on the item", () => {
    const line = "size N write y: f32[N + 1] rows grid g in N";
    expect(broken(line, "y[g] = f32(0)")).toEqual([]);
    expect(broken(line, "y[g] = f32(0) y[g + 1] = f32(0)")).toEqual([10]);
    expect(broken(line.replace("N + 1", "N * 2"), "y[g] = f32(0) y[g * 2] = f32(0)")).toEqual([10]);
    expect(broken(line, "if g == 0 { y[0] = f32(0) }")).toEqual([]);
    expect(broken(line, "y[0] = f32(0)")).toContain(10);
  });
  test("a vector belongs to one item", () => {
    const line = "size N multiple 8 write y: f32[N] rows grid g in N / 4";
    expect(broken(line, "y[g * 4]:4 = f32x4(0)".replace(":4", ""))).toEqual([]);
    expect(broken(line.replace("N / 4", "N / 8"), "y[g * 8] = f32x8(0)")).toEqual([]);
    expect(broken(line, "y[g / 2 * 4] = f32x4(0)")).toEqual([10]);
  });
  test("what is read and written is so by its own item", () => {
    const line = "size N size K min 1 update y: f32[N * K] rows grid g in N";
    const inside = (body: string): readonly number[] => broken(line, `loop k in 0 .. K step 1 { ${body} }`);
    expect(inside("y[g * K + k] = y[g * K + k] + y[g * K]")).toEqual([]);
    expect(inside("y[g * K] = y[g * K + k]")).toEqual([]);
    expect(inside("y[g * K + k] = y[k]")).toEqual([10]);
    expect(inside("y[g * K + k] = y[min(g * K + k, N * K - 1)]")).toContain(10);
    expect(inside("y[g * K + k] = y[min(g + 1, N - 1) * K + k]")).toEqual([10]);
    expect(inside("if 0 < g { y[g * K + k] = y[(g - 1) * K + k] }")).toEqual([10]);
    expect(inside("let a1 = y[k]")).toEqual([]); // nobody writes
    expect(broken(line.replace("grid g in N", ""), "let a1 = y[0]").filter((rule) => rule === 10)).toEqual([]);
    expect(broken("update y: f32[8] rows", "y[0] = y[7]")).toEqual([]); // one item
  });
  test("a load of it depends on the lane", () => {
    const line = "update y: i32[4] rows lanes 4";
    expect(broken(line, "let a1 = y[0] barrier if a1 == 0 { barrier }")).toEqual([5]);
    expect(broken(line.replace("update", "read"), "let a1 = y[0] barrier if a1 == 0 { barrier }")).toEqual([]);
  });
  test("lanes of an item share its elements", () => {
    expect(broken("size N write y: f32[N * 64] rows lanes 64 grid g in N", "y[g * 64 + lane] = f32(0)")).toEqual([]);
    expect(broken("size N write y: f32[N * 64] rows lanes 64 grid g in N", "y[g * 32 + lane] = f32(0)")).toContain(10);
  });
});

describe("buffers in pieces", () => {
  const head = "size N read w: f32[8; 16] rows write y: f32[N * 64] rows grid g in N";
  /** What is read of w, as the only value of item g. */
  const reads = (access: string, more = ""): readonly number[] =>
    broken(`${head} ${more}`, `let i1 = min(g, 7) y[g * 64] = ${access}`);
  test.each([
    ["a piece and an element of it", "w[i1; 15]"],
    ["a vector in a piece", "extract1(w[i1; 12]:4)"],
    ["the first piece and the last", "w[0; 0] + w[7; 15]"],
  ])("%s", (_, access) => {
    expect(reads(access)).toEqual([]);
  });
  test.each([
    ["2: which piece is not said", "w[15]", 2],
    ["2: a real piece", "w[f32(0); 15]", 2],
    ["9: past the last piece", "w[i1 + 1; 15]", 9],
    ["9: any piece", "w[g; 15]", 9],
    ["9: before the first piece", "w[i1 - 1; 15]", 9],
    ["9: past the end of a piece that is not the last", "w[0; 16]", 9],
    ["9: a vector across two pieces", "extract1(w[0; 14]:4)", 9],
    ["4: a vector between multiples", "extract1(w[0; 2]:4)", 4],
  ])("%s", (_, access, rule) => {
    expect(reads(access)).toContain(rule);
  });
  test("2: a piece of a buffer in one", () => {
    expect(broken("read x: f32[8] rows write y: f32[1] rows", "y[0] = x[0; 1]")).toEqual([2]);
  });
  test("3: what is written is in one piece, and what a matrix unit reads", () => {
    expect(broken("write y: f32[2; 8] rows", "")).toEqual([3]);
    expect(broken("update y: f32[2; 8] rows", "")).toEqual([3]);
    const frag = "frag a1: a bf16[1, 16, 16] frag_load a1[0] = w[0] stride 16";
    expect(broken("lanes 32 read w: bf16[2; 256] rows", frag)).toContain(3);
  });
  test("4: pieces that begin between multiples of a vector", () => {
    expect(broken("read w: f32[8; 18] rows write y: f32[1] rows", "y[0] = extract1(w[1; 4]:4)")).toEqual([4]);
  });
  test("1: as many as a lane knows", () => {
    expect(broken("size N read w: f32[lane; 16] rows", "")).toContain(1);
  });
  test("all pieces together may be more than an i32 counts", () => {
    const large = "size N read w: f32[256; 14680064] rows write y: f32[N] rows grid g in N";
    expect(broken(large, "y[g] = w[min(g, 255); 14680063]")).toEqual([]);
    expect(broken(large.replace("256; 14680064", "3758096384"), "y[g] = w[0]")).toEqual([2]);
  });
});

describe("windows of pieces", () => {
  const head =
    "size first size some min 1 read w: f32[some; 16] rows write y: f32[8] rows window first some of 8 grid g in 8";
  const here = "if first <= g & g < first + some";
  const load = "w[min(max(g - first, 0), some - 1); 0]";
  test.each<readonly string[]>([
    ["a store of the piece that is at hand", `${here} { y[g] = ${load} }`],
    [
      "where both bounds have names",
      `let a1 = g let past = some + first let c1 = first <= a1 if c1 { if a1 < past { y[a1] = ${load} } }`,
    ],
    [
      "a piece that is looked up",
      `let p1 = pick[g] if first <= p1 & p1 < first + some { y[g] = f32(1) }`,
      `read pick: i32[8] rows ${head}`,
    ],
  ])("%s", (_, body = "", more = head) => {
    expect(broken(more, body)).toEqual([]);
  });
  test.each<readonly string[]>([
    ["no guard", `y[g] = ${load}`],
    ["half a guard", `if g < first + some { y[g] = ${load} }`],
    ["a guard of two different pieces", `if first <= g & g / 2 < first + some { y[g] = ${load} }`],
    [
      "a piece that hangs on the window",
      `let p1 = g - g + first if first <= p1 & p1 < first + some { y[g] = ${load} }`,
    ],
    ["an element that does", `${here} { y[min(g + 1 - first / 100, 7)] = f32(1) }`],
    [
      "a piece that what is at hand says",
      `let p1 = to_i32(${load}) if first <= p1 & p1 < first + some { y[g] = f32(1) }`,
    ],
    ["other items in each window", `${here} { y[g] = f32(1) }`, head.replace("in 8", "in min(some, 8)")],
    ["a buffer of another size in each", `${here} { y[g] = f32(1) }`, head.replace("f32[8]", "f32[some + 8]")],
    ["a window of no sizes", `y[g] = f32(1)`, head.replace("window first some", "window first all")],
  ])("11: %s", (_, body = "", more = head) => {
    expect(broken(more, body)).toContain(11);
  });
});
