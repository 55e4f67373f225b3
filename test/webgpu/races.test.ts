/**
 * Texts of kernels whose lanes wait for each other, by a detector of races that is not ours (`wgsl_reflect`): it plays the lanes of a
 * workgroup from barrier to barrier, on the inputs by which packages try their kernels, and says where two touch one place at a time.
 * Kernel IR is held to the same by its own interpreter (`compiler/kernel/interpret/races.ts`).
 */
import { expect, test } from "vitest";
import { webgpuPackages } from "../../backends/wgsl/compile-target.ts";
import type { Compiled } from "../../compiler/driver/compile.ts";
import { type KernelCheck, readKernelChecks } from "../../runtime/artifact/kernel-checks.ts";
import type { KernelDecl } from "../../runtime/artifact/program.ts";
import { kernelTexts } from "../../runtime/webgpu/kernel-texts.ts";
import { compileConfig, latent, llama } from "../program/compiled-models.ts";
import { checkInputs } from "./check-inputs.ts";

const { detectRaces }: typeof import("wgsl_reflect") = await import(
  new URL("./wgsl_reflect.module.js", import.meta.resolve("wgsl_reflect")).href
);
const full = process.env["DSC_FULL"] === "1";
const { target } = webgpuPackages;
const models: readonly (readonly [string, () => Compiled])[] = [
  ["dense", () => compileConfig("models/deepseek-llm.ds", llama(1), target)],
  ...(full
    ? [["latent attention and experts", () => compileConfig("models/deepseek-v2.ds", latent(2), target)] as const]
    : []),
];

interface Tried {
  readonly check: KernelCheck;
  readonly decl: KernelDecl;
  readonly text: string;
}
/** Kernels with barriers, those of a model that differ. */
async function triedOf(compiled: Compiled): Promise<readonly Tried[]> {
  const { modules, program } = await webgpuPackages.emit(compiled);
  const content = (name: string): string => String(modules.find((m) => m.name === name)?.content ?? "");
  const textOf = kernelTexts(content("plain.wgsl"), null);
  return readKernelChecks(new TextEncoder().encode(content("checks.json")), program).flatMap((check) => {
    const decl = program.kernels[check.kernel];
    const text = textOf(decl?.name ?? "") ?? "";
    const waits = decl !== undefined && barriersIn(text) > 0;
    return waits && (full || isQuick(decl)) ? [{ check, decl, text }] : [];
  });
}

/** It plays some thousand statements a second, which are many where the best of a row are chosen. */
const isQuick = ({ name }: KernelDecl): boolean => !/best_ids|_ids\b/.test(name);

const barrier = "workgroupBarrier();";
const barriersIn = (text: string): number => text.split(barrier).length - 1;
const without = (text: string, which: number): string => {
  const parts = text.split(barrier);
  return `${parts.slice(0, which + 1).join(barrier)}${parts.slice(which + 1).join(barrier)}`;
};

/**
 * The same kernel without what the detector does not know: builtins as members of an argument, and `block` as a name. It runs one row
 * of workgroups.
 */
const known = (text: string): string =>
  text
    .replace(/(\w+): Place, /, "@builtin(workgroup_id) $1: vec3<u32>, ")
    .replace(/struct Place \{[^}]*\}/, "")
    .replace(/fn group_of[^}]*\}/, "")
    .replace(/group_of\((\w+)\)/g, "i32($1.x)")
    .replace(/\bblock\b/g, "block_1");

/** What two lanes touch at a time; what the detector cannot play is an error. */
function racesOf({ check, decl, text }: Tried): readonly string[] {
  const { buffers, uniform } = checkInputs(check, decl);
  const padded = new Int32Array(Math.ceil(uniform.length / 4) * 4);
  padded.set(uniform);
  const bound = [...buffers.map((b) => b.bytes), { uniform: padded }];
  const said: unknown[] = [];
  const { error } = console;
  console.error = (...words: unknown[]): void => void said.push(...words);
  try {
    const { races, errors } = detectRaces(known(text), decl.name, [1, 1, 1], { 0: { ...bound } });
    expect([...errors, ...said], decl.name).toEqual([]);
    return races.map((r) => r.message);
  } finally {
    console.error = error;
  }
}

const all = models.map(([name, compiled]) => [name, triedOf(compiled())] as const);

const limit = { timeout: 600_000 };
test.each(all)(
  "no two lanes touch one place between two barriers, one of them storing: %s",
  limit,
  async (_, tried) => {
    const kernels = await tried;
    expect(kernels.length).toBeGreaterThan(8);
    for (const one of kernels) expect(racesOf(one), one.decl.name).toEqual([]);
  },
);

test("and nearly every barrier is there for that", limit, async () => {
  const kernels = (await all[0]?.[1]) ?? [];
  let [planted, seen] = [0, 0];
  for (const one of kernels.filter(({ decl }, i) => (full || i % 2 === 0) && isQuick(decl)))
    for (let i = 0; i < barriersIn(one.text); i += 1) {
      planted += 1;
      seen += Number(racesOf({ ...one, text: without(one.text, i) }).length > 0);
    }
  expect(planted).toBeGreaterThan(10);
  // The first workgroup alone is played: of kernels that are launched together the first, and of a loop as many turns as it has.
  expect(seen / planted).toBeGreaterThan(0.75);
});
