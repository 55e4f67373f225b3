/** Places buffers of one call in one stretch of memory: two whose lives meet never overlap, others may. */

export interface Living {
  readonly bytes: number;
  /** First and last step that touches it, both included. */
  readonly live: readonly [number, number];
}
export interface MemoryPlan {
  /** Byte offset of each buffer, a multiple of `alignment`. */
  readonly offsets: readonly number[];
  /** Bytes of the whole stretch. */
  readonly bytes: number;
  /** Most bytes alive at one step: no plan needs less. */
  readonly peak: number;
}

const meet = (a: Living, b: Living): boolean => a.live[0] <= b.live[1] && b.live[0] <= a.live[1];

/** The largest first, each in the smallest gap that holds it among those placed that live with it (best fit). */
export function planMemory(buffers: readonly Living[], alignment = 64): MemoryPlan {
  const size = (b: Living): number => Math.ceil(b.bytes / alignment) * alignment;
  const order = buffers.map((_, i) => i).sort((a, b) => sizeAt(b) - sizeAt(a) || a - b);
  function sizeAt(i: number): number {
    const b = buffers[i];
    return b === undefined ? 0 : size(b);
  }
  const offsets = new Array<number>(buffers.length).fill(0);
  const placed: number[] = [];
  let bytes = 0;
  for (const i of order) {
    const buffer = buffers[i];
    if (buffer === undefined || buffer.bytes === 0) continue;
    const taken = placed
      .filter((j) => meet(buffer, buffers[j] ?? buffer))
      .map((j) => ({ from: offsets[j] ?? 0, to: (offsets[j] ?? 0) + sizeAt(j) }))
      .sort((a, b) => a.from - b.from);
    const at = bestGap(taken, size(buffer));
    offsets[i] = at;
    placed.push(i);
    bytes = Math.max(bytes, at + size(buffer));
  }
  return { offsets, bytes, peak: peakOf(buffers.map((b) => ({ bytes: size(b), live: b.live }))) };
}

function bestGap(taken: readonly { from: number; to: number }[], size: number): number {
  let best: { at: number; room: number } | null = null;
  let free = 0;
  for (const { from, to } of taken) {
    const room = from - free;
    if (room >= size && (best === null || room < best.room)) best = { at: free, room };
    free = Math.max(free, to);
  }
  return best?.at ?? free;
}

function peakOf(buffers: readonly Living[]): number {
  const steps = new Set(buffers.map((b) => b.live[0]));
  let peak = 0;
  for (const step of steps) {
    const alive = buffers.filter((b) => b.live[0] <= step && step <= b.live[1]);
    peak = Math.max(
      peak,
      alive.reduce((sum, b) => sum + b.bytes, 0),
    );
  }
  return peak;
}

/** Pairs of buffers that live together and overlap in a plan: none, or the plan is wrong. */
export function overlaps(buffers: readonly Living[], plan: MemoryPlan): readonly (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [];
  for (const [i, a] of buffers.entries())
    for (const [j, b] of buffers.entries()) {
      if (j <= i || a.bytes === 0 || b.bytes === 0 || !meet(a, b)) continue;
      const [x, y] = [plan.offsets[i] ?? 0, plan.offsets[j] ?? 0];
      if (x < y + b.bytes && y < x + a.bytes) found.push([i, j]);
    }
  return found;
}
