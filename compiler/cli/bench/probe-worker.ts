/** The script of a measuring thread. As text: a thread's file would have to be found from the sources and from a build. */
export const probeWorker = `
const { parentPort, workerData } = require("node:worker_threads");
const { compiled, memory, gate, threads, job } = workerData;
new Float32Array(memory.buffer, job.fill[0], (job.fill[1] - job.fill[0]) / 4).fill(0.5);
const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
const call = exports[job.kernel];
// An engine enters optimised code at the next call only.
for (let i = 0; i < 60; i += 1) call(0, 1, ...job.rest);
Atomics.add(gate, 0, 1);
Atomics.notify(gate, 0);
for (let there = Atomics.load(gate, 0); there < threads; there = Atomics.load(gate, 0)) Atomics.wait(gate, 0, there);
const started = performance.now();
let amount = 0;
while (performance.now() - started < job.seconds * 1000) {
  call(...job.items, ...job.rest);
  amount += job.amount;
}
parentPort.postMessage(amount / ((performance.now() - started) / 1000));
`;
