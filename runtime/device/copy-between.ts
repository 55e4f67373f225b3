/** Copies from one memory of a model to another, as steps that look like kernels. No imports: workers run it. */

/** `call(begin, end, scratch, from, to, bytes)`: one work item, so one thread does it. */
export type CopyFunction = (...args: (number | undefined)[]) => void;

/** From each to each; none where there is one memory. Ordered as `copyOrdinal` says. */
export function copiesBetween(memories: readonly WebAssembly.Memory[]): readonly CopyFunction[] {
  if (memories.length < 2) return [];
  return memories.flatMap((source) =>
    memories.map(
      (target): CopyFunction =>
        (_begin, _end, _scratch, from = 0, to = 0, bytes = 0) => {
          // The buffers are asked for each time: memory that is not shared moves when it grows.
          new Uint8Array(target.buffer, to >>> 0, bytes).set(new Uint8Array(source.buffer, from >>> 0, bytes));
        },
    ),
  );
}

/** Behind the kernels of all memories. */
export const copyOrdinal = (memories: number, kernels: number, from: number, to: number): number =>
  memories * kernels + from * memories + to;
