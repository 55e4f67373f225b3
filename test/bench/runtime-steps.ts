/**
 * What the runtime itself costs: steps whose kernels do next to nothing, in a program of many layers. Prints, asserts nothing.
 *
 *     tsx test/bench/runtime-steps.ts [layers]
 */
import { rm } from "node:fs/promises";
import type { Program, WeightDecl } from "../../runtime/artifact/program.ts";
import { loadPackage } from "../../runtime/package/entry.ts";
import { f32Tensor, tinyTensors, writePackage } from "../runtime/tiny-package.ts";
import { sizes, tinyProgram } from "../runtime/tiny-program.ts";

const layers = Number(process.argv[2] ?? 100);
const program: Program = {
  ...tinyProgram,
  weights: tinyProgram.weights.map((w): WeightDecl => (w.stacks.length === 0 ? w : { ...w, stacks: [layers] })),
  states: tinyProgram.states.map((s) => ({ ...s, copies: layers })),
  phases: tinyProgram.phases.map((p) => ({
    ...p,
    steps: p.steps.map((s) => (s.kind === "repeat" ? { ...s, count: layers } : s)),
  })),
};
const scale = new Float32Array(sizes.D).fill(0.01);
const tensors = [
  ...tinyTensors.slice(0, 1),
  ...Array.from({ length: layers }, (_, l) => f32Tensor(`model.layers.${l}.g`, [sizes.D], scale)),
];
const disk = await writePackage({ program, tensors });
const steps = 2 + 2 * layers;
for (const threads of [1, 2]) {
  const { base, weights, worker } = disk;
  const model = await loadPackage(base, { weights, worker, threads });
  const session = model.session();
  const times: number[] = [];
  for (let i = 0; i < 3000; i += 1) {
    const start = performance.now();
    await session.forward([1]);
    times.push((performance.now() - start) * 1000);
    session.rollback(1);
  }
  const late = times.slice(1000).sort((a, b) => a - b);
  const median = late[late.length >> 1] ?? 0;
  console.log(
    `${threads} threads: ${median.toFixed(1)} us a call of ${steps} steps, ${((median / steps) * 1000).toFixed(0)} ns a step`,
  );
  model.dispose();
}
await rm(disk.folder, { recursive: true });
