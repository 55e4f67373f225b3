/**
 * Time of each pass over 61 layers, 3 of them with a dense network and 58 with experts, as two repeats; cold and warm, wall
 * clock and processor: `npx tsx test/bench/passes-time.ts`. Prints a table, asserts nothing.
 */
import { runPasses } from "../../compiler/driver/pipeline.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import { gpu } from "../../compiler/target/example-targets.ts";
import { layersGraph, publishedAt } from "../graph/blocks.ts";

interface Row {
  readonly pass: string;
  readonly wall: number;
  readonly processor: number;
  readonly nodes: number;
}

function run(T: number): readonly Row[] {
  const { b, g } = layersGraph("repeat", { dense: 3, sparse: 58 });
  const rows: Row[] = [];
  let [wall, processor] = [performance.now(), process.cpuUsage()];
  const after = ({ name }: { readonly name: string }, graph: typeof g): void => {
    const { user } = process.cpuUsage(processor);
    rows.push({ pass: name, wall: performance.now() - wall, processor: user / 1000, nodes: nodesOf(graph).length });
    [wall, processor] = [performance.now(), process.cpuUsage()];
  };
  runPasses(g, { builder: b, sizes: publishedAt(T, 4096), target: gpu, after });
  return rows;
}

const milliseconds = (x: number): string => x.toFixed(1).padStart(9);
function print(title: string, rows: readonly Row[]): void {
  const total = (f: (r: Row) => number): number => rows.reduce((s, r) => s + f(r), 0);
  console.log(`${title.padEnd(20)}       ms   cpu ms  nodes after`);
  for (const r of rows) {
    console.log(
      `${r.pass.padEnd(20)}${milliseconds(r.wall)}${milliseconds(r.processor)}${String(r.nodes).padStart(8)}`,
    );
  }
  console.log(
    `${"together".padEnd(20)}${milliseconds(total((r) => r.wall))}${milliseconds(total((r) => r.processor))}\n`,
  );
}

print("cold, 1 token", run(1));
for (let i = 0; i < 20; i += 1) run(1);
print("warm, 1 token", run(1));
print("warm, 4096 tokens", run(4096));
