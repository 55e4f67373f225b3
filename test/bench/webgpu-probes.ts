/** Products written by hand in WGSL as one would without a compiler: what generated ones are held beside. */

/** A call of a module with one entry point, `product`. */
export interface Work {
  readonly what: string;
  readonly text: string;
  /** In the order of the bindings. */
  readonly buffers: readonly { readonly bytes: number; readonly written: boolean }[];
  readonly uniform: Int32Array<ArrayBuffer>;
  readonly workgroups: readonly [x: number, y: number];
  readonly flops: number;
}

/** C[m, n] = sum over k of A[m, k] · B[k, n], 4 rows and 4 columns of it a thread, in registers. */
export const matmulProbe = (M: number, N: number, K: number): Work => ({
  what: "4 x 4 a thread, by hand",
  text: `@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> size: vec4<u32>; // M, N, K
@compute @workgroup_size(8, 8)
fn product(@builtin(global_invocation_id) at: vec3<u32>) {
  let columns = size.y / 4u;
  let depth = size.z / 4u;
  let column = at.x;
  let row = at.y * 4u;
  if (column >= columns || row >= size.x) { return; }
  var c0 = vec4<f32>();
  var c1 = vec4<f32>();
  var c2 = vec4<f32>();
  var c3 = vec4<f32>();
  for (var k = 0u; k < depth; k++) {
    let a0 = a[row * depth + k];
    let a1 = a[(row + 1u) * depth + k];
    let a2 = a[(row + 2u) * depth + k];
    let a3 = a[(row + 3u) * depth + k];
    let first = k * 4u * columns + column;
    let b0 = b[first];
    let b1 = b[first + columns];
    let b2 = b[first + 2u * columns];
    let b3 = b[first + 3u * columns];
    c0 += a0.x * b0 + a0.y * b1 + a0.z * b2 + a0.w * b3;
    c1 += a1.x * b0 + a1.y * b1 + a1.z * b2 + a1.w * b3;
    c2 += a2.x * b0 + a2.y * b1 + a2.z * b2 + a2.w * b3;
    c3 += a3.x * b0 + a3.y * b1 + a3.z * b2 + a3.w * b3;
  }
  let to = row * columns + column;
  c[to] = c0;
  c[to + columns] = c1;
  c[to + 2u * columns] = c2;
  c[to + 3u * columns] = c3;
}`,
  buffers: [M * K, K * N, M * N].map((n, i) => ({ bytes: 4 * n, written: i === 2 })),
  uniform: Int32Array.of(M, N, K, 0),
  workgroups: [Math.ceil(N / 32), Math.ceil(M / 32)],
  flops: 2 * M * N * K,
});

/** The same, where 64 threads share 32 x 32 of it: 16 terms at once go through shared memory. M, N and K are whole tiles. */
export const stagedProbe = (M: number, N: number, K: number): Work => ({
  ...matmulProbe(M, N, K),
  what: "the same, staged, by hand",
  text: `@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> size: vec4<u32>; // M, N, K
var<workgroup> of_a: array<vec4<f32>, 128>; // 32 rows, 4 vectors along the sum
var<workgroup> of_b: array<vec4<f32>, 128>; // 16 terms, 8 vectors of columns
@compute @workgroup_size(8, 8)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) at: vec3<u32>,
  @builtin(local_invocation_index) lane: u32) {
  let columns = size.y / 4u;
  let depth = size.z / 4u;
  let first_a = (group.y * 32u + lane / 4u) * depth + lane % 4u;
  let first_b = (lane / 8u) * columns + group.x * 8u + lane % 8u;
  var c0 = vec4<f32>();
  var c1 = vec4<f32>();
  var c2 = vec4<f32>();
  var c3 = vec4<f32>();
  for (var k0 = 0u; k0 < depth; k0 += 4u) {
    of_a[lane] = a[first_a + k0];
    of_a[lane + 64u] = a[first_a + k0 + 16u * depth];
    of_b[lane] = b[first_b + k0 * 4u * columns];
    of_b[lane + 64u] = b[first_b + (k0 * 4u + 8u) * columns];
    workgroupBarrier();
    for (var k = 0u; k < 4u; k++) {
      let a0 = of_a[at.y * 16u + k];
      let a1 = of_a[at.y * 16u + k + 4u];
      let a2 = of_a[at.y * 16u + k + 8u];
      let a3 = of_a[at.y * 16u + k + 12u];
      let b0 = of_b[k * 32u + at.x];
      let b1 = of_b[k * 32u + at.x + 8u];
      let b2 = of_b[k * 32u + at.x + 16u];
      let b3 = of_b[k * 32u + at.x + 24u];
      c0 += a0.x * b0 + a0.y * b1 + a0.z * b2 + a0.w * b3;
      c1 += a1.x * b0 + a1.y * b1 + a1.z * b2 + a1.w * b3;
      c2 += a2.x * b0 + a2.y * b1 + a2.z * b2 + a2.w * b3;
      c3 += a3.x * b0 + a3.y * b1 + a3.z * b2 + a3.w * b3;
    }
    workgroupBarrier();
  }
  let to = (group.y * 32u + at.y * 4u) * columns + group.x * 8u + at.x;
  c[to] = c0;
  c[to + columns] = c1;
  c[to + 2u * columns] = c2;
  c[to + 3u * columns] = c3;
}`,
});

/** y[n] = sum over k of W[n, k] · x[k]. */
const vectorProbe = (what: string, N: number, K: number, groups: number, body: string, before = ""): Work => ({
  what,
  text: `${before}@group(0) @binding(0) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> size: vec4<u32>; // N, K
${body}`,
  buffers: [N * K, K, N].map((n, i) => ({ bytes: 4 * n, written: i === 2 })),
  uniform: Int32Array.of(N, K, 0, 0),
  workgroups: [groups, 1],
  flops: 2 * N * K,
});
export const rowOfThread = (N: number, K: number): Work =>
  vectorProbe(
    "a row a thread, by hand",
    N,
    K,
    Math.ceil(N / 64),
    `@compute @workgroup_size(64)
fn product(@builtin(global_invocation_id) at: vec3<u32>) {
  if (at.x >= size.x) { return; }
  let depth = size.y / 4u;
  var sum = vec4<f32>();
  for (var k = 0u; k < depth; k++) { sum += w[at.x * depth + k] * x[k]; }
  y[at.x] = dot(sum, vec4<f32>(1.0));
}`,
  );
export const rowOfGroup = (N: number, K: number): Work =>
  vectorProbe(
    "a row a workgroup, by hand",
    N,
    K,
    N,
    `var<workgroup> parts: array<f32, 64>;
@compute @workgroup_size(64)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_size) width: u32, @builtin(subgroup_invocation_id) inside: u32) {
  let depth = size.y / 4u;
  var sum = vec4<f32>();
  for (var k = lane; k < depth; k += 64u) { sum += w[group.x * depth + k] * x[k]; }
  let part = subgroupAdd(dot(sum, vec4<f32>(1.0)));
  if (inside == 0u) { parts[lane / width] = part; }
  workgroupBarrier();
  if (lane == 0u) {
    var all = 0.0;
    for (var i = 0u; i * width < 64u; i++) { all += parts[i]; }
    y[group.x] = all;
  }
}`,
    "enable subgroups;\n",
  );

/** The same in numbers of 8 bits, four products at once, with one multiplier for each row and each token: four rows a thread. */
export const shortRowsOfThread = (N: number, K: number): Work => ({
  what: "4 rows a thread, by hand, packed",
  text: `requires packed_4x8_integer_dot_product;
@group(0) @binding(0) var<storage, read> w: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> m: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> size: vec4<u32>; // N, K
fn four(a: vec4<u32>, b: vec4<u32>) -> i32 {
  return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
@compute @workgroup_size(64)
fn product(@builtin(global_invocation_id) at: vec3<u32>) {
  if (at.x * 4u >= size.x) { return; }
  let depth = size.y / 16u;
  let row = at.x * 4u * depth;
  var sum = vec4<i32>();
  for (var k = 0u; k < depth; k++) {
    let v = x[k];
    sum += vec4(four(w[row + k], v), four(w[row + depth + k], v), four(w[row + 2u * depth + k], v), four(w[row + 3u * depth + k], v));
  }
  y[at.x] = vec4<f32>(sum) * m[at.x];
}`,
  buffers: [N * K, K, 4 * N, 4 * N].map((bytes, i) => ({ bytes, written: i === 3 })),
  uniform: Int32Array.of(N, K, 0, 0),
  workgroups: [Math.ceil(N / 256), 1],
  flops: 2 * N * K,
});
