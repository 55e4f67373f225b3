/** What the engine around can do. */

/**
 * A module with one function `f() -> i32`: lane 0 of i16x8.relaxed_dot_i8x16_i7x16_s of a vector of threes and one of fives, which
 * is 30 on every engine.
 */
const relaxedProbe = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f], // type () -> i32
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00], // export "f"
  ...[0x0a, 0x12, 0x01, 0x10, 0x00],
  ...[0x41, 0x03, 0xfd, 0x0f], // i32.const 3, i8x16.splat
  ...[0x41, 0x05, 0xfd, 0x0f],
  ...[0xfd, 0x92, 0x02], // i16x8.relaxed_dot_i8x16_i7x16_s
  ...[0xfd, 0x18, 0x00], // i16x8.extract_lane_s 0
  0x0b,
);

let relaxed: boolean | null = null;

/** Relaxed SIMD is accepted, and gives a known product. Node 20 has it behind a flag only. */
export function hasRelaxedSimd(): boolean {
  relaxed ??= probe();
  return relaxed;
}

function probe(): boolean {
  try {
    if (!WebAssembly.validate(relaxedProbe)) return false;
    const f = new WebAssembly.Instance(new WebAssembly.Module(relaxedProbe)).exports["f"];
    return typeof f === "function" && f() === 30;
  } catch {
    return false;
  }
}

/** Memory that workers share: in a page only where it is isolated from other origins. */
export function hasSharedMemory(): boolean {
  try {
    const shared = new WebAssembly.Memory({ initial: 0, maximum: 1, shared: true });
    return shared.buffer instanceof SharedArrayBuffer;
  } catch {
    return false;
  }
}

/** Whether this thread may sleep: not in the main thread of a page. */
export function mayBlock(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/** Of a package, where nobody says how many. */
export const usualThreads = (cores: number): number =>
  hasSharedMemory() && mayBlock() ? Math.max(1, Math.min(4, Math.floor(cores / 2))) : 1;
