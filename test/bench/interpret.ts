/** How fast the interpreter writes: tokens a second of a small Llama, and milliseconds a call by node. */

import { dim } from "../../compiler/graph/dim.ts";
import { prepare, StateStore, type Tensor } from "../../compiler/graph/interpret.ts";
import type { Node } from "../../compiler/graph/node.ts";
import { paramTensor } from "../graph/random-values.ts";
import { llamaSizes, smallLlama } from "../graph/small-llama.ts";

const steps = Number(process.argv[2] ?? 300);
for (const attention of ["nodes", "fold"] as const) {
  const prepared = prepare(smallLlama(attention));
  const weights = new Map<string, Tensor>();
  const state = new StateStore();
  const spent = new Map<string, number>();
  let since = 0;
  const observe = (n: Node): void => {
    const now = performance.now();
    spent.set(n.name, (spent.get(n.name) ?? 0) + now - since);
    since = now;
  };
  const call = (S0: number, T: number, watch: boolean): void => {
    const sizes = { ...llamaSizes, S0, T };
    const param = (n: Parameters<Parameters<typeof prepared.run>[0]["param"]>[0]): Tensor => {
      const known = weights.get(n.name) ?? paramTensor(n, sizes, 1, dim(512));
      if (n.kind === "weight") weights.set(n.name, known);
      return known;
    };
    since = performance.now();
    prepared.run({ sizes, param, state, ...(watch ? { observe } : {}) });
  };
  const started = performance.now();
  call(0, 100, false);
  const prompt = performance.now() - started;
  const before = performance.now();
  for (let i = 0; i < steps; i += 1) call(100 + i, 1, false);
  const took = performance.now() - before;
  console.log(
    `${attention}: 100 tokens of prompt ${prompt.toFixed(0)} ms, then ${(steps / (took / 1000)).toFixed(0)} tokens/s`,
  );
  for (let i = 0; i < 50; i += 1) call(100 + steps + i, 1, true);
  const rows = [...spent].sort((a, b) => b[1] - a[1]).slice(0, 14);
  console.log(rows.map(([n, ms]) => `  ${n} ${(ms / 50).toFixed(3)} ms`).join("\n"));
}
