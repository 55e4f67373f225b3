/** `dsc explain --target webgpu`: a plan for a GPU, and kernels of it as text. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { webgpuPackages } from "../../backends/wgsl/compile-target.ts";
import { windowsText } from "../../compiler/cli/explain-windows.ts";
import type { Program } from "../../runtime/artifact/program.ts";
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
  expect(plan.out).toMatch(/^ {2}greedy_ids: .*\n.*\n {4}at temperature 0 alone$/m);
  expect(plan.out).toMatch(/^ {2}weight_sum: .*\n.*\n {4}not at temperature 0$/m);
  const [, name = ""] = /^ {4}(\w+): contraction: .* shared by \d+ of 64 lanes$/m.exec(plan.out) ?? [];
  const { out } = await explain("--target", "webgpu", "--kernel", name);
  expect(out).toContain(`fn ${name}(`);
  expect(out).toContain("@workgroup_size(64)");
  expect(out).not.toContain("subgroup");
  expect((await explain("--target", "webgpu-subgroups", "--kernel", name)).out).toMatch(/subgroup(Add|ShuffleXor)\(/);
  expect((await explain("--kernel", "run_next")).out).toMatch(/^\(module/);
});

test("weights that are larger than every adapter's bindings are told, with their launches", () => {
  const text = (vocab_size: number, change: (p: Program) => Program = (p) => p): string => {
    const config = { ...llama(1), vocab_size };
    const compiled = compileConfig("models/deepseek-llm.ds", config, webgpuPackages.target);
    return windowsText(change(compiled.program), webgpuPackages.target);
  };
  expect(text(128)).toBe("");
  // 64 numbers of four bytes a row: 2 windows of 146 MiB, for rows of the input and of the head.
  const [, split, whole] =
    /: embed 2; there decode takes (\d+) launches in place of (\d+)\n$/.exec(text(600_000)) ?? [];
  expect(Number(split) - Number(whole)).toBe(2);
  const unsplit = (p: Program): Program => ({ ...p, kernels: p.kernels.map(({ window: _, ...k }) => k) });
  expect(text(600_000, unsplit)).toMatch(
    /^needs bindings of 146\.\d MiB for embed: not every adapter has more than 128\.0 MiB\n$/,
  );
});

test("what is not there is told", async () => {
  expect(await explain("--kernel", "run_q_proj")).toMatchObject({
    code: 2,
    error: expect.stringContaining("run_q_proj_y"),
  });
  expect(await explain("--target", "webgp")).toMatchObject({ code: 2, error: expect.stringContaining("`webgpu`") });
});
