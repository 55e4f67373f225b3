/** Dawn with Mesa's lavapipe: f16, subgroups of 4, 8 or 16, loads beyond a buffer are 0. */
import { afterAll } from "vitest";
import { conform } from "./conform.ts";
import { openLavapipe } from "./drivers.ts";

const full = process.env["DSC_FULL"] === "1";
for (const [lanes, first] of full
  ? ([
      [4, 1],
      [8, 4],
      [16, 6],
    ] as const)
  : ([[8, 4]] as const)) {
  const gpu = await openLavapipe(lanes);
  afterAll(() => (typeof gpu === "string" ? undefined : gpu.close()));
  conform(`lavapipe, subgroups of ${lanes}`, { gpu, flushes: false, first });
}
