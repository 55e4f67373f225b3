/** The fast interpreter computes what the slow one does, bit for bit; folds compute what they mean. */
import { describe, expect, test } from "vitest";
import { interpretSlowly } from "../../compiler/graph/interpret/slowly.ts";
import { prepare } from "../../compiler/graph/interpret.ts";
import type { Node } from "../../compiler/graph/node.ts";
import { print } from "../../compiler/graph/print.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import { randomGraph } from "./random-graph.ts";
import { expectSameTensor, reordered } from "./same-meaning.ts";

const count = process.env["DSC_FULL"] === "1" ? 2000 : 80;
const seeds = Array.from({ length: count }, (_, i) => i);

describe("random graphs", () => {
  test("folds in one pass, in pieces, are one reduction after the other", () => {
    for (const seed of seeds) {
      const { graph, sizes, params } = randomGraph(seed);
      if (!print(graph).includes("fold[")) continue;
      const prepared = prepare(graph);
      for (const at of sizes) {
        const { param, state } = params(at);
        const meant = interpretSlowly(graph, { sizes: at, param, state: state(), folds: "one by one" });
        for (const chunks of [1, 2, 7]) {
          const found = prepared.run({ sizes: at, param, state: state(), chunks });
          meant.forEach((m, i) => {
            const f = found[i];
            const what = `seed ${seed}, ${JSON.stringify(at)}, ${chunks} pieces\n${print(graph)}`;
            if (f !== undefined) expectSameTensor(m, f, reordered, `result ${i}: ${what}`);
          });
        }
      }
    }
  });

  test("every node in every round, in pieces too, with one preparation for all sizes", () => {
    for (const seed of seeds) {
      const { graph, sizes, params } = randomGraph(seed, { steps: 6 + (seed % 8) });
      const prepared = prepare(graph);
      for (const at of [...sizes, ...sizes.slice(0, 1)]) {
        const { param, state } = params(at);
        for (const chunks of seed % 3 === 0 ? [1, 3, 9] : [1]) {
          const seen = new Map<string, () => void>();
          const where = (n: Node, iterations: readonly number[]): string => `${n.id} ${iterations.join()}`;
          const [old, now] = [state(), state()];
          const what = `seed ${seed}, ${JSON.stringify(at)}, ${chunks} pieces\n${print(graph)}`;
          const slow = new Map<string, Parameters<typeof expectSameTensor>[0]>();
          interpretSlowly(graph, {
            sizes: at,
            param,
            state: old,
            chunks,
            observe: (n, i, v) => void slow.set(where(n, i), v),
          });
          prepared.run({
            sizes: at,
            param,
            state: now,
            chunks,
            observe: (n, i, v) => {
              const other = slow.get(where(n, i));
              if (other === undefined) expect.fail(`%${n.name} is not computed slowly: ${what}`);
              expectSameTensor(other, v, "bits", `%${n.name} in round ${i.join()}: ${what}`);
              seen.set(where(n, i), () => undefined);
            },
          });
          expect(seen.size).toBe(slow.size);
          for (const n of nodesOf(graph)) {
            if (n.kind !== "state") continue;
            const [a, b] = [old.read(n.name), now.read(n.name)];
            if (a !== null && b !== null) expectSameTensor(a, b, "bits", `state %${n.name}: ${what}`);
          }
        }
      }
    }
  });
});
