/** Which buffers share a binding, where a kernel has more of them than a stage may bind. */
import type { Buffer, Kernel } from "../../compiler/kernel/kernel.ts";

/** Storage buffers of one stage by the default limits. */
export const mostBindings = 8;

export interface Binding {
  /** One behind the other in what is bound, each at a multiple of 16 elements; of one elem. */
  readonly members: readonly Buffer[];
  readonly written: boolean;
}

/**
 * One for each buffer while there is room; else buffers of one elem that are read share theirs, small ones of known extent first: small
 * weights, which lie side by side where they are loaded. What is written never shares, so that nothing is bound twice in two ways.
 */
export function bindingsOf(k: Kernel): readonly Binding[] {
  const found: Binding[] = k.buffers.map((b) => ({ members: [b], written: b.access !== "read" }));
  while (found.length > mostBindings) {
    const [first, second] = nextPair(found) ?? [];
    if (first === undefined || second === undefined) break;
    const members = [...first.members, ...second.members];
    found.splice(found.indexOf(first), 1, { members, written: false });
    found.splice(found.indexOf(second), 1);
  }
  return found;
}

/** The two of one elem that are smallest together. */
function nextPair(all: readonly Binding[]): readonly [Binding, Binding] | null {
  let best: { readonly pair: readonly [Binding, Binding]; readonly size: number } | null = null;
  for (const [i, a] of all.entries())
    for (const b of all.slice(i + 1)) {
      if (a.written || b.written || a.members[0]?.elem !== b.members[0]?.elem) continue;
      const size = sizeOf(a) + sizeOf(b);
      if (best === null || size < best.size) best = { pair: [a, b], size };
    }
  return best?.pair ?? null;
}
/** What is not known counts as large. */
const sizeOf = ({ members }: Binding): number =>
  members.reduce(
    (n, { extent, pieces }) => n + (extent.kind === "const" && pieces === undefined ? extent.value : 2 ** 30),
    0,
  );
