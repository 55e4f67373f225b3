/** `dsc explain --target webgpu`: a plan for a GPU, and kernels of it as text. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { webgpuPackages } from "../../backends/wgsl/compile-target.ts";
import { weightBindings } from "../../compiler/package/weight-bindings.ts";
import { project } from "../cli/run-dsc.ts";
import { runInside } from "../cli/run-inside.ts";
import { root } from "../conformance/bind-text.ts";
import { compileConfig, llama } from "../program/compiled-models.ts";

const explain = (...more: readonly string[]): ReturnType<typeof runInside> => {
  const folder = project({ "config.json": JSON.stringify(llama(1)) });
  const model = join(root, "models/deepseek-llm.ds");
  return runInside(["explain", model, "--config", "config.json", "--phase", "decode", ...more], folder);
};

test("long sums are shared by lanes, and a kernel is told as WGSL or WebAssembly", async () => {
  const plan = await explain("--target", "webgpu");
  expect(plan).toMatchObject({ code: 0, error: "" });
  const [, name = ""] = /^ {4}(\w+): contraction: .* shared by \d+ of 64 lanes$/m.exec(plan.out) ?? [];
  const { out } = await explain("--target", "webgpu", "--kernel", name);
  expect(out).toContain(`fn ${name}(`);
  expect(out).toContain("@workgroup_size(64)");
  expect(out).not.toContain("subgroup");
  expect((await explain("--target", "webgpu-subgroups", "--kernel", name)).out).toMatch(/subgroup(Add|ShuffleXor)\(/);
  expect((await explain("--kernel", "run_next")).out).toMatch(/^\(module/);
});

test("weights of which more is bound than every adapter takes are told", () => {
  const text = (weights: number): string => {
    const compiled = compileConfig(
      "models/deepseek-llm.ds",
      { ...llama(1), vocab_size: weights },
      webgpuPackages.target,
    );
    return weightBindings(compiled.program)
      .slice(0, 1)
      .map((b) => `${b.weight}: ${b.bytes}`)
      .join();
  };
  expect(text(600_000)).toBe(`embed: ${4 * 64 * 600_000}`);
  expect(text(128)).toMatch(/^layer0\.mlp\.w_gate: 40960$/);
});

test("what is not there is told", async () => {
  expect(await explain("--kernel", "run_q_proj")).toMatchObject({
    code: 2,
    error: expect.stringContaining("run_q_proj_y"),
  });
  expect(await explain("--target", "webgp")).toMatchObject({ code: 2, error: expect.stringContaining("`webgpu`") });
});
