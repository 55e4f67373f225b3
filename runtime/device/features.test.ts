import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { hasRelaxedSimd, hasSharedMemory, mayBlock } from "./features.ts";

test("this Node", () => {
  const [major = 0] = process.versions.node.split(".").map(Number);
  expect(hasRelaxedSimd()).toBe(major >= 22);
  expect(hasSharedMemory()).toBe(true);
  expect(mayBlock()).toBe(true);
});

test("relaxed SIMD is found where it is turned on", () => {
  const file = fileURLToPath(new URL("./features.ts", import.meta.url));
  const code = `import(${JSON.stringify(file)}).then((m) => process.stdout.write(String(m.hasRelaxedSimd())))`;
  const args = ["--experimental-wasm-relaxed-simd", "--import", "tsx", "-e", code];
  expect(execFileSync(process.execPath, args, { encoding: "utf8" })).toBe("true");
});
