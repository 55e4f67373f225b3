/** The barrier of shared modules, between real threads: each sees what all others wrote before it, and none runs ahead. */
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { wasmModule } from "../../backends/wasm/module.ts";

/** Each round: write a slot without atomics, meet, read the slots of all, meet. Posts how many were wrong. */
const program = `
const { parentPort, workerData } = require("node:worker_threads");
const { bytes, memory, me, count, rounds, spins, control, slots } = workerData;
WebAssembly.instantiate(bytes, { env: { memory } }).then(({ instance }) => {
  const { barrier } = instance.exports;
  const words = new Int32Array(memory.buffer);
  let wrong = 0;
  for (let round = 1; round <= rounds; round += 1) {
    words[slots + 32 * me] = round;
    barrier(control, count, spins);
    for (let other = 0; other < count; other += 1) if (words[slots + 32 * other] !== round) wrong += 1;
    barrier(control, count, spins);
  }
  parentPort.postMessage(wrong);
});`;

interface Meeting {
  readonly count: number;
  readonly rounds: number;
  readonly spins: number;
}
const meetings: readonly Meeting[] = [
  { count: 2, rounds: 3000, spins: 100_000 },
  { count: 2, rounds: 3000, spins: 50 },
  { count: 2, rounds: 2000, spins: 0 },
  { count: 2, rounds: 1000, spins: -1 },
  { count: 3, rounds: 1000, spins: 1000 },
  { count: 3, rounds: 1000, spins: 0 },
  { count: 1, rounds: 1000, spins: 0 },
];

test.each(meetings)(
  "$count threads, $rounds times, polling $spins times",
  async ({ count, rounds, spins }) => {
    const bytes = await wasmModule([], { relaxed: false, shared: true });
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const [control, slots] = [1024, 1024];
    const data = { bytes, memory, count, rounds, spins, control, slots };
    const workers = Array.from(
      { length: count },
      (_, me) => new Worker(program, { eval: true, workerData: { ...data, me } }),
    );
    try {
      const results = workers.map((w) => new Promise((done, failed) => w.once("message", done).once("error", failed)));
      expect(await Promise.all(results)).toEqual(workers.map(() => 0));
      const [arrived, generation] = [control / 4, control / 4 + 16].map((i) => new Int32Array(memory.buffer)[i]);
      expect({ arrived, generation }).toEqual({ arrived: 0, generation: 2 * rounds });
    } finally {
      await Promise.all(workers.map((w) => w.terminate()));
    }
  },
  30_000,
);
