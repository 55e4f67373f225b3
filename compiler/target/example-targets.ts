/** Round numbers for planning and tests where no backend is chosen; the order of magnitude is right, nothing else. */
import type { CostTarget } from "./target.ts";

export const gpu: CostTarget = {
  name: "gpu",
  flopsPerSecond: 5e14,
  bytesPerSecond: 4e12,
  launchSeconds: 2e-6,
  windowElements: null,
  manyLanes: true,
  tile: 512,
  foldTile: 512,
  maxNesting: 2,
};

export const cpu: CostTarget = {
  name: "cpu",
  flopsPerSecond: 1e12,
  bytesPerSecond: 1e11,
  launchSeconds: 1e-6,
  windowElements: null,
  manyLanes: false,
  tile: 4096,
  foldTile: 4096,
  maxNesting: 2,
};

/** By name, as a command line says it. */
export const exampleTargets: ReadonlyMap<string, CostTarget> = new Map([gpu, cpu].map((t) => [t.name, t]));
