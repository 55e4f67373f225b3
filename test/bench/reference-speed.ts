/**
 * How fast the reference backend writes stories260K, prompt and tokens: `DSC_TEST_DATA=… npx tsx test/bench/reference-speed.ts
 * [tokens]`. Prints a line, asserts nothing.
 */
import { bindText } from "../conformance/bind-text.ts";
import { readStories } from "../real/stories-checkpoint.ts";
import { readStoriesData, whyNoStories } from "../real/stories-data.ts";

if (whyNoStories !== "") {
  console.error(`stories260K${whyNoStories}`);
  process.exit(2);
}
const count = Number(process.argv[2] ?? 300);
const data = readStoriesData();
const { config, tensors } = readStories(data.weights);
const started = performance.now();
const { session } = await bindText({ entry: "models/deepseek-llm.ds", config, tensors, results: ["next"] });
const opened = performance.now();
const prompt = data.cases[0]?.ids.slice(0, 64) ?? [];

/** The most likely token after these. */
function after(ids: readonly number[]): number {
  const row = session.forward(ids)[0]?.data ?? [];
  let best = 0;
  for (let id = 1; id < row.length; id += 1) if (Number(row[id]) > Number(row[best])) best = id;
  return best;
}

let id = after(prompt);
const read = performance.now();
for (let i = 0; i < count; i += 1) id = after([id]);
const written = performance.now();
console.log(`open          ${(opened - started).toFixed(0).padStart(6)} ms`);
console.log(
  `${String(prompt.length).padEnd(4)} of prompt ${(read - opened).toFixed(0).padStart(5)} ms, compiling included`,
);
console.log(
  `${String(count).padEnd(4)} tokens    ${((count * 1000) / (written - read)).toFixed(1).padStart(6)} tokens/s`,
);
