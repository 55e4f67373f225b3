/**
 * Seeded fuzzing: `npm run fuzz -- --count 100000 --seed 1`. A case is a function of its seed, so `--seed N --count 1` shows
 * one again. Ends with 1 on an exception, or on a case that takes over a second.
 */
import { parseArgs } from "node:util";
import { runCases } from "./run-cases.ts";

const { values } = parseArgs({
  options: { count: { type: "string", default: "100000" }, seed: { type: "string", default: "1" } },
});
const count = Number(values.count);
const seed = Number(values.seed);
if (!Number.isSafeInteger(count) || !Number.isSafeInteger(seed) || count < 1) {
  console.error("usage: npm run fuzz -- [--count N] [--seed N]");
  process.exit(2);
}

const started = performance.now();
const outcome = runCases(seed, count, (done) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count}`);
});
const seconds = (performance.now() - started) / 1000;
console.log(`${outcome.cases} texts from seed ${seed} in ${seconds.toFixed(1)} s`);
console.log(`slowest: seed ${outcome.slowest.seed}, ${outcome.slowest.ms.toFixed(0)} ms`);
console.log(`exceptions: ${outcome.failures.length}`);
for (const failure of outcome.failures.slice(0, 5)) console.log(`seed ${failure.seed}: ${failure.error}\n`);
process.exit(outcome.failures.length > 0 || outcome.slowest.ms > 1000 ? 1 : 0);
