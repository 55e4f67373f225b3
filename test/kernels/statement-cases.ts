/** Loops, guards, registers, scratch and indices in small kernels that strategies do not write, by what is special of them. */
const head = 'kernel @k "" size N min 1 size K multiple 4 min 1';
export const statementCases: Readonly<Record<string, string>> = {
  "three grid axes": `${head} write y: i32[N * K * 3] rows grid a in N grid b in K grid c in 3
    { y[(c * K + b) * N + a] = a + 100 * b + 10000 * c }`,
  "a loop that ends beside 2^31": `${head} write y: i32[2] rows { reg n: i32[1] n[0] = 0
    loop i in 2147483000 .. 2147483647 step 500 { n[0] = n[0] + 1 } y[0] = n[0] y[1] = 7 }`,
  "a loop from below zero": `${head} write y: i32[1] rows { reg n: i32[1] n[0] = 0
    loop i in i32(-2147483648) .. 2147483647 step 1073741824 { n[0] = n[0] + i / 1048576 } y[0] = n[0] }`,
  "loops of no turns": `${head} write y: i32[1] rows { reg n: i32[1] n[0] = 5
    loop i in N .. 0 step 1 { n[0] = 6 } loop j in 3 .. 3 step 1 { n[0] = 7 } y[0] = n[0] }`,
  "indices that a register moves": `${head} read x: f32[64] rows write y: f32[8] rows { reg n: i32[1] n[0] = 0
    loop i in 0 .. 8 step 1 { y[i] = x[min(max(n[0], 0), 63)] n[0] = n[0] + i + 1 } }`,
  "indices through lets, products and differences": `${head} read x: f32[N * K * 4] rows write y: f32[N * K] rows grid g in N {
    loop k in 0 .. K step 1 { let at1 = (g * K + k) * 4 let up = at1 + 3 y[K * g + k] = x[at1] + x[up] - x[up - 2] * x[2 - (0 - at1)] } }`,
  down: `${head} read x: f32[K] rows write y: f32[K] rows { loop k in 0 .. K step 1 { y[k] = x[K - 1 - k] } }`,
  "a guard against zero": `${head} read x: f32[N] rows write y: f32[N] rows { loop i in 0 .. N step 1 {
    if 0 < N - 1 { y[i] = x[min(i / max(N - 1, 1), N - 1)] } if N <= 1 { y[i] = f32(9) } } }`,
  "far constants": `${head} read x: f32[65536] rows write y: f32[8] rows { loop i in 0 .. 8 step 1 { y[i] = x[i] + x[i + 16384] + x[i + 65528] } }`,
  "wide registers": `${head} read x: f32[64] rows write y: f32[64] rows { reg a1: f32x16[2] unroll r in 0 .. 2 step 1 {
    a1[r] = x[r * 16]:16 } loop i in 0 .. 3 step 1 { a1[0] = a1[0] + a1[1] a1[1] = a1[0] * splat16(f32(2)) }
    y[0] = a1[0] y[16] = a1[1] y[32] = x[32]:16 y[48] = splat16(x[8]:8) }`,
  "far and near constants": `${head} read x: f32[K * 16] rows write y: f32[K] rows { loop k in 0 .. K step 1 {
    let near = k * 16 let up = near + 3 y[k] = x[near] + x[up] + x[up - 2] + x[(k + 1) * 16 - 1] } }`,
  scratch: `${head} read x: f32[K] rows write y: f32[N * K] rows grid g in N shared s1: f32[8] shared s2: i32[3] { loop i in 0 .. 8 step 1 {
    s1[i] = x[min(i, K - 1)] } s2[1] = 2 loop k in 0 .. K step 1 { y[g * K + k] = s1[min(k, 7)] * to_f32(s2[1]) } }`,
  "nested loops and what they leave": `${head} read x: f32[N * K] rows write y: f32[N] rows { reg s: f32[1] loop n in 0 .. N step 1 {
    s[0] = f32(0) loop k in 0 .. K step 4 { s[0] = s[0] + x[n * K + k] loop j in 1 .. 3 step 1 { s[0] = s[0] + x[n * K + k + j] } }
    if 1 <= n { y[n] = s[0] } if n < 1 { y[n] = f32(0) - s[0] } } }`,
  "what is read and written": `${head} read x: f32[N * K] rows update y: f32[N * K] rows update z: bf16[N * 8] rows grid g in N {
    loop k in 0 .. K step 1 { y[g * K + k] = x[g * K + k] } loop j in 0 .. K step 4 { y[g * K + j] = y[g * K + j]:4 + splat4(y[g * K]) }
    z[g * 8] = splat8(to_bf16(y[g * K])) z[g * 8] = to_bf16(to_f32(z[g * 8]:8) * splat8(to_f32(z[g * 8 + 7]))) }`,
  "the lane": `${head} write y: i32[1] rows { y[lane] = lane + 3 }`,
};
