/** Firefox: kernels by naga and wgpu, on the drivers that Dawn is tried on. */
import { afterAll } from "vitest";
import { conform, little } from "./conform.ts";
import { lavapipeDriver, swiftshaderDriver } from "./drivers.ts";
import { openFirefoxGpu } from "./firefox-gpu.ts";

const full = process.env["DSC_FULL"] === "1";
const drivers = [
  ["SwiftShader", swiftshaderDriver, true, 5],
  ["lavapipe", lavapipeDriver(), false, 9],
] as const;
for (const [name, driver, flushes, first] of drivers) {
  const gpu = full ? await openFirefoxGpu(driver) : "only in the full tests";
  afterAll(() => (typeof gpu === "string" ? undefined : gpu.close()));
  conform(`Firefox on ${name}`, { gpu, flushes, share: little, first });
}
