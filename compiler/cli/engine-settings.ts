/**
 * How the engine spends a few seconds. A compile runs many functions a while each: those that an optimizer makes faster, in threads
 * beside those that compile, rarely live long enough to repay it, and a collection by several threads waits for cores that are taken.
 * The settings have no fixed names, so that they stand by the versions of Node that they were measured with; others stay as they are.
 */
import { setFlagsFromString } from "node:v8";

const later = ["--invocation-count-for-turbofan=20000", "--invocation-count-for-osr=5000"];

/** By major version: a function is optimized after eight times as much work as usual. */
const optimizing: Readonly<Record<string, readonly string[]>> = {
  20: ["--interrupt-budget=1000000"],
  22: later,
  24: later,
};

/** All of them may change at any time; for as long as the process lives. */
export function settleEngine(version: string): void {
  const found = optimizing[version.split(".")[0] ?? ""];
  for (const flag of found === undefined ? [] : [...found, "--no-parallel-scavenge"]) setFlagsFromString(flag);
}
