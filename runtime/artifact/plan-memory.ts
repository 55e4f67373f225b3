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

/** Tries some orders, each buffer in the smallest gap that holds it among those placed that live with it; the tightest is taken. */
export function planMemory(buffers: readonly Living[], alignment = 64): MemoryPlan {
  const aligned = buffers.map(({ bytes, live }): Living => ({ bytes: Math.ceil(bytes / alignment) * alignment, live }));
  const peak = peakOf(aligned);
  let best: MemoryPlan | null = null;
  for (const weight of orders) {
    const plan = placedBy(aligned, weight);
    if (best === null || plan.bytes < best.bytes) best = { ...plan, peak };
    if (best.bytes === peak) break; // no plan needs less
  }
  return best ?? { offsets: [], bytes: 0, peak };
}

const steps = ({ live }: Living): number => live[1] - live[0] + 1;
/** Which buffers come first: large ones, those that hold most memory for longest, the longest, the first, the last. */
const orders: readonly ((b: Living) => number)[] = [
  (b) => b.bytes,
  (b) => b.bytes * steps(b),
  (b) => steps(b),
  (b) => -b.live[0],
  (b) => b.live[1],
];

function placedBy(buffers: readonly Living[], weight: (b: Living) => number): Omit<MemoryPlan, "peak"> {
  const order = [...buffers.entries()].sort(([i, a], [j, b]) => weight(b) - weight(a) || b.bytes - a.bytes || i - j);
  const offsets = new Array<number>(buffers.length).fill(0);
  const placed: { readonly buffer: Living; readonly from: number }[] = [];
  let bytes = 0;
  for (const [i, buffer] of order) {
    if (buffer.bytes === 0) continue;
    const taken = placed
      .filter((p) => meet(buffer, p.buffer))
      .map((p) => ({ from: p.from, to: p.from + p.buffer.bytes }))
      .sort((a, b) => a.from - b.from);
    const from = bestGap(taken, buffer.bytes);
    offsets[i] = from;
    placed.push({ buffer, from });
    bytes = Math.max(bytes, from + buffer.bytes);
  }
  return { offsets, bytes };
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
