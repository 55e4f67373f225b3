import { defineConfig } from "vitest/config";

/**
 * `vitest run` is the quick suite; `vitest run --mode full` sets DSC_FULL=1 and adds the slow cases.
 *
 * DSC_TEST_DATA     folder with inputs that are not part of the repository; tests that need one skip without it.
 * DSC_LAVAPIPE      file that names Mesa's lavapipe (.ci/lavapipe.sh), DSC_SWIFTSHADER the same of SwiftShader where it is not Debian's.
 * DSC_CHROMIUM      the browsers that are taken, DSC_FIREFOX as well, where they are not those on the PATH.
 * DSC_TEST_REPORT   file to which the result is written as JSON as well.
 */
export default defineConfig(({ mode }) => {
  const full = mode === "full" || process.env["DSC_FULL"] === "1";
  const data = process.env["DSC_TEST_DATA"];
  const report = process.env["DSC_TEST_REPORT"];
  return {
    test: {
      include: ["**/*.test.ts"],
      exclude: ["**/node_modules/**", "**/dist/**"],
      pool: "forks",
      maxWorkers: 2,
      testTimeout: full ? 900_000 : 60_000,
      env: { ...(full ? { DSC_FULL: "1" } : {}), ...(data ? { DSC_TEST_DATA: data } : {}) },
      reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
      coverage: {
        provider: "v8",
        include: ["dsl/**/*.ts", "compiler/**/*.ts", "runtime/**/*.ts", "backends/**/*.ts"],
        exclude: ["**/*.test.ts"],
        reporter: ["text-summary", "html"],
      },
    },
  };
});
