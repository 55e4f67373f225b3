/**
 * Products that the compiler makes kernels of for WebGPU, beside probes written by hand, in one run on each driver that there is:
 * SwiftShader (chromium-common), lavapipe where DSC_LAVAPIPE names it. Prints, asserts nothing. These drivers play a GPU on a processor:
 * they rank kernels by what they themselves dislike (barriers), so what is asked of them is only that nothing is much slower than by hand.
 * lavapipe is given one thread: Dawn keeps another one busy while it waits, which counts as work.
 * DSC_BENCH_DRIVER=gpu takes the adapter of the machine instead, and sizes that keep one at work.
 *
 *     tsx test/bench/webgpu-kernels.ts [seconds a kernel] [what is measured: "8 bits"; without it all]
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { launchOf } from "../../backends/wgsl/launch.ts";
import { wgslModule } from "../../backends/wgsl/module.ts";
import { webgpuSubgroupsTarget, webgpuTarget } from "../../backends/wgsl/target.ts";
import { plainVariant, type WgslVariant } from "../../backends/wgsl/variant.ts";
import { elems } from "../../compiler/kernel/elem.ts";
import { elementsOf } from "../../compiler/kernel/interpret.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { floats } from "../kernels/data.ts";
import { mapCase } from "../kernels/map-case.ts";
import { matmulProbe, rowOfGroup, rowOfThread, shortRowsOfThread, stagedProbe, type Work } from "./webgpu-probes.ts";

const seconds = Number(process.argv[2] ?? 1);
const only = process.argv[3] ?? "";
const driver = process.env["DSC_BENCH_DRIVER"];

/** The last map of a graph. */
function generated(
  how: string,
  text: string,
  T: number,
  flops: number,
  target: KernelTarget,
  variant: WgslVariant = plainVariant,
): Work {
  const c = mapCase(text, { sizes: { T }, fixed: { T }, target, expected: false });
  const k = lower({ ...c.kernel, name: "product" }, target);
  const module = wgslModule(k, target, variant);
  const bytes = new Map(k.buffers.map((b) => [b.name, elementsOf(b, c.sizes) * elems[b.elem].bytes]));
  return {
    what: how,
    text: module.text,
    buffers: module.bindings.map(({ members, written }) => ({
      bytes: members.reduce((n, b) => n + (bytes.get(b.name) ?? 0), 0),
      written,
    })),
    ...launchOf(module, c.sizes, {}),
    flops,
  };
}

const inRows = (N: number, K: number): string => `graph @g {
  size T in 1..4096
  %x : f32[T, ${K}] = input
  %w : f32[${N}, ${K}] = weight
  %y : f32[T, ${N}] = map [t, n] sum[k: ${K}](%x[t, k] * %w[n, k])
  return %y
}`;
const inColumns = (N: number, K: number): string => `graph @g {
  size T in 1..4096
  %x : f32[T, ${K}] = input
  %w : f32[${K}, ${N}] = weight
  %y : f32[T, ${N}] = map [t, n] sum[k: ${K}](%x[t, k] * %w[k, n])
  return %y
}`;

/** Plans without shared memory, and with it however small the product. */
const inPlace = { ...webgpuTarget, stageTiles: false };
const staged = { ...webgpuTarget, stagedFrom: 0 };

const products = (n: number): readonly Work[] => {
  const flops = 2 * n ** 3;
  return [
    matmulProbe(n, n, n),
    stagedProbe(n, n, n),
    generated("in place, weights in rows", inRows(n, n), n, flops, inPlace),
    generated("in place, weights in columns", inColumns(n, n), n, flops, inPlace),
    generated("staged, weights in rows", inRows(n, n), n, flops, staged),
    generated("staged, weights in columns", inColumns(n, n), n, flops, staged),
  ];
};
const vectors = (n: number): readonly Work[] => [
  rowOfThread(n, n),
  generated("a tile of each lane", inRows(n, n), 1, 2 * n * n, { ...webgpuTarget, lanes: 1, streams: 4 }),
  rowOfGroup(n, n),
  generated("shared by lanes", inRows(n, n), 1, 2 * n * n, webgpuTarget),
  generated("shared by lanes, subgroups", inRows(n, n), 1, 2 * n * n, webgpuSubgroupsTarget),
  generated("4 vectors, shared by lanes", inRows(n, n), 4, 8 * n * n, webgpuSubgroupsTarget),
];

/** Weights of 8 bits with a multiplier for 32, times reals, and times numbers of 8 bits of the same form. */
const shortWeights = (N: number, K: number): string => `graph @g {
  size T in 1..4096
  %x : f32[T, ${K}] = input
  %w : i8[${N}, ${K}] = weight
  %m : f32[${N}, ${K / 32}] = weight
  %y : f32[T, ${N}] = map [t, n] sum[k: ${K}](%x[t, k] * (%w[n, k] * %m[n, floordiv(k, 32)]))
  return %y
}`;
const shortBoth = (N: number, K: number): string => `graph @g {
  size T in 1..4096
  %x : i8[T, ${K}] = input
  %s : f32[T, ${K / 32}] = input
  %w : i8[${N}, ${K}] = weight
  %m : f32[${N}, ${K / 32}] = weight
  %y : f32[T, ${N}] = map [t, n] sum[g: ${K / 32}](sum[b: 32](%w[n, g * 32 + b] * %x[t, g * 32 + b]) * (%m[n, g] * %s[t, g]))
  return %y
}`;
const packed = { ...plainVariant, packedDot: true };
const shorts = (n: number, T: number): readonly Work[] => {
  const flops = 2 * n * n * T;
  const both = (how: string, target: KernelTarget): readonly Work[] => [
    generated(`8 bits times reals, ${how}`, shortWeights(n, n), T, flops, target),
    generated(`8 bits, unpacked, ${how}`, shortBoth(n, n), T, flops, target),
    generated(`8 bits, packed, ${how}`, shortBoth(n, n), T, flops, target, packed),
  ];
  if (T > 1)
    return [
      ...both("in place", inPlace),
      generated("8 bits times reals, staged", shortWeights(n, n), T, flops, staged),
    ];
  return [
    shortRowsOfThread(n, n),
    ...both("a lane", { ...webgpuTarget, lanes: 1, streams: 4 }),
    ...both("shared", webgpuSubgroupsTarget),
  ];
};

/** Seconds that passed, and seconds that processors worked for it: with other work on a machine only these say much. */
interface Times {
  readonly passed: number;
  readonly worked: number;
}
type Run = () => Promise<Times>;

/** Seconds that a submit should take: less is mostly the way to a GPU and back. */
const longEnough = 0.02;

/** A dispatch, or what one of many takes, after a first one that compiles. */
async function prepared(device: GPUDevice, work: Work): Promise<Run> {
  const module = device.createShaderModule({ code: work.text });
  const pipeline = await device.createComputePipelineAsync({
    layout: "auto",
    compute: { module, entryPoint: "product" },
  });
  const buffers = work.buffers.map(({ bytes }) => {
    const buffer = device.createBuffer({ size: Math.ceil(bytes / 16) * 16, usage: 0x80 | 0x8 }); // storage, copy target
    device.queue.writeBuffer(buffer, 0, floats(Math.ceil(bytes / 16) * 4, 1));
    return buffer;
  });
  const uniform = device.createBuffer({ size: Math.ceil(work.uniform.byteLength / 16) * 16, usage: 0x40 | 0x8 });
  device.queue.writeBuffer(uniform, 0, work.uniform);
  const entries = [...buffers, uniform].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const run = async (times: number): Promise<Times> => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < times; i += 1) pass.dispatchWorkgroups(...work.workgroups);
    pass.end();
    const commands = encoder.finish();
    const [start, before] = [performance.now(), process.cpuUsage()];
    device.queue.submit([commands]);
    await device.queue.onSubmittedWorkDone();
    const { user, system } = process.cpuUsage(before);
    return { passed: (performance.now() - start) / 1000 / times, worked: (user + system) / 1e6 / times };
  };
  await run(1);
  const { passed } = await run(1);
  const { passed: one } = passed < longEnough ? await run(Math.ceil(longEnough / passed)) : { passed };
  const times = Math.max(1, Math.ceil(longEnough / one));
  return () => run(times);
}

/** The medians of each, in turns, so that what else a machine does falls on all. */
async function medians(device: GPUDevice, works: readonly Work[]): Promise<readonly Times[]> {
  const runs: Run[] = [];
  for (const work of works) runs.push(await prepared(device, work));
  const all = works.map((): Times[] => []);
  for (const until = performance.now() + seconds * 1000 * works.length; performance.now() < until; )
    for (const [i, run] of runs.entries()) all[i]?.push(await run());
  const median = (xs: readonly number[]): number => [...xs].sort((a, b) => a - b)[xs.length >> 1] ?? Number.NaN;
  return all.map((ts) => ({ passed: median(ts.map((t) => t.passed)), worked: median(ts.map((t) => t.worked)) }));
}

async function onDriver(name: string): Promise<void> {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const dawn = create([]);
  const adapter = await dawn.requestAdapter();
  if (adapter === null) return console.log(`${name}: no adapter`);
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const requiredLimits = { maxBufferSize, maxStorageBufferBindingSize };
  const device = await adapter.requestDevice({ requiredFeatures: ["subgroups"], requiredLimits });
  console.log(`${name}, ${adapter.info.description}: GFLOP in a second, in a second of one processor's work`);
  const [small, large, side] = name === "gpu" ? [2048, 4096, 8192] : [256, 512, 2048];
  const groups = [
    [`${small} x ${small} x ${small}`, () => products(small)],
    [`${large} x ${large} x ${large}`, () => products(large)],
    [`${side} x ${side} and a vector`, () => vectors(side)],
    [`${side} x ${side}, 8 bits`, () => shorts(side, 1)],
    [`${small} x ${small} x ${small}, 8 bits`, () => shorts(small, small)],
  ] as const;
  for (const [what, worksOf] of groups.filter(([name]) => name.includes(only))) {
    const works = worksOf();
    for (const [i, { passed, worked }] of (await medians(device, works)).entries()) {
      const { flops, what: how } = works[i] ?? { flops: 0, what: "" };
      const [a, b] = [passed, worked].map((t) => (flops / t / 1e9).toFixed(2).padStart(7));
      console.log(`  ${what.padEnd(26)}${how.padEnd(32)}${a} ${b}`);
    }
  }
  device.destroy();
  if (dawn === undefined) throw new Error("Dawn must outlive its devices");
}

const drivers = [
  ["SwiftShader", process.env["DSC_SWIFTSHADER"] ?? "/usr/lib/chromium/vk_swiftshader_icd.json"],
  ["lavapipe", process.env["DSC_LAVAPIPE"] ?? ""],
] as const;
if (driver !== undefined) await onDriver(driver);
else
  for (const [name, icd] of drivers) {
    if (!existsSync(icd)) {
      console.log(`${name}: not here`);
      continue;
    }
    const libraries = [process.env["LD_LIBRARY_PATH"], "/usr/lib/chromium"].filter((x) => x !== undefined).join(":");
    const env = {
      ...process.env,
      VK_DRIVER_FILES: icd,
      VK_ICD_FILENAMES: icd,
      LD_LIBRARY_PATH: libraries,
      XDG_RUNTIME_DIR: process.env["XDG_RUNTIME_DIR"] ?? "/tmp",
      DSC_BENCH_DRIVER: name,
      LP_NUM_THREADS: "1",
    };
    const args = ["--import", "tsx", fileURLToPath(import.meta.url), String(seconds), only];
    spawnSync(process.execPath, args, { env, stdio: ["ignore", "inherit", "ignore"] });
  }
if (driver !== undefined) process.exit(); // Dawn keeps it alive
