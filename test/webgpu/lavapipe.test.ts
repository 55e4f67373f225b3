/** Dawn with Mesa's lavapipe: f16, subgroups of 4, 8 or 16, loads beyond a buffer are 0. It takes seconds over what SwiftShader does at once. */
import { afterAll } from "vitest";
import { conform, little } from "./conform.ts";
import { openLavapipe } from "./drivers.ts";

const full = process.env["DSC_FULL"] === "1";
const half = { operations: 2, cases: 2, rows: 14 };
const runs = full
  ? ([
      [8, half, 4],
      [4, little, 1],
      [16, little, 6],
    ] as const)
  : ([[8, half, 4]] as const);
for (const [lanes, share, first] of runs) {
  const gpu = await openLavapipe(lanes);
  afterAll(() => (typeof gpu === "string" ? undefined : gpu.close()));
  conform(`lavapipe, subgroups of ${lanes}`, { gpu, flushes: false, share, first });
}
