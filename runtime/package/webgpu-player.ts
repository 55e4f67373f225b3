/** WebGPU as what plays a package. */
import { CorruptPackageError, NoAdapterError, OutOfMemoryError, ReadError } from "../artifact/errors.ts";
import { hashBytes, hashText } from "../artifact/hash.ts";
import { checksFile, type KernelCheck, readKernelChecks } from "../artifact/kernel-checks.ts";
import type { KernelVariant, Program } from "../artifact/program.ts";
import { programFile } from "../artifact/read-value.ts";
import { GpuDevice } from "../webgpu/gpu-device.ts";
import { limitsOf } from "../webgpu/gpu-limits.ts";
import { kernelTexts } from "../webgpu/kernel-texts.ts";
import { adapterName, type OpenAdapter, openAdapter } from "../webgpu/open-adapter.ts";
import { type GpuPlan, planGpu } from "../webgpu/plan-gpu.ts";
import type { inWindows } from "../webgpu/windows.ts";
import * as parts from "./parts.ts";
import type { PlannedModel, Player, PlayerOrder } from "./player.ts";
import { damaged, type PackageFiles } from "./read-package.ts";

export const webgpuPlayer: Player = {
  prepare: async (order) => {
    const opened = await openAdapter(order.options.gpu, order.options.power ?? "high-performance");
    const windows = (await parts.windows?.())?.inWindows ?? null;
    return { plan: async (program) => planned(program, order, opened, windows) };
  },
};

function planned(
  program: Program,
  order: PlayerOrder,
  opened: OpenAdapter,
  windows: typeof inWindows | null,
): PlannedModel {
  const plan = planGpu(program, order.sizes, limitsOf(opened.adapter.limits), windows);
  return {
    played: plan,
    info: {
      ...{ backend: "webgpu", threads: 1, simd: null },
      memory: {
        arena: plan.arena,
        arenaPeak: plan.arenaPeak,
        session: bytesOf(plan.states.orders),
        fixed: bytesOf(plan.buffers) + plan.uniformBytes,
        memories: 1,
      },
    },
    open: () => open(plan, order, opened),
  };
}

async function open(
  plan: GpuPlan,
  { files, program, host, options: { signal } }: PlayerOrder,
  { adapter, language }: OpenAdapter,
): ReturnType<PlannedModel["open"]> {
  const variants = variantsFor(program, adapter, language);
  const [best] = variants;
  if (best === undefined) throw new CorruptPackageError(programFile, "it has no kernels for every adapter");
  const source = {
    variants: variants.map((v) => ({ name: variantName(v), read: () => readTexts(files, program, v) })),
    checks: await readChecks(files, program),
  };
  signal?.throwIfAborted();
  checkMemory(plan, adapter, host.available());
  const device = await GpuDevice.open({
    plan,
    device: await requestDevice(adapter, variants),
    kernels: source,
    submitWork: host.submitWork,
    signal,
  });
  const { kernels } = device;
  return {
    device,
    gpu: {
      adapter: adapterName(adapter),
      fallback: adapter.info?.isFallbackAdapter ?? false,
      // Kernels that are tried later may be refused then.
      get variant() {
        return kernels.variant;
      },
      get refused() {
        return kernels.refused.slice();
      },
    },
  };
}

/** Nobody says what a GPU has. Where a processor plays one, it is the host's memory. */
function checkMemory(plan: GpuPlan, { info }: GPUAdapter, available: number | null): void {
  const needed = bytesOf(plan.buffers) + plan.uniformBytes + bytesOf(plan.states.orders);
  if (info?.isFallbackAdapter === true && available !== null && needed > available)
    throw new OutOfMemoryError("the model with one session", needed, available);
}

const bytesOf = (orders: readonly { readonly bytes: number }[]): number => orders.reduce((n, o) => n + o.bytes, 0);

/** Those that the adapter takes by what it says, the best first. */
const variantsFor = (
  { variants = [] }: Program,
  { features }: GPUAdapter,
  language: ReadonlySet<string>,
): readonly KernelVariant[] =>
  variants.filter((v) => v.features.every((f) => features.has(f)) && v.language.every((l) => language.has(l)));

const variantName = ({ file }: KernelVariant): string => file.replace(/^.*\/|\.wgsl$/g, "");

/** All kernels: those that a variant does not have are those of the last. */
async function readTexts(
  files: PackageFiles,
  program: Program,
  variant: KernelVariant,
): Promise<(kernel: string) => string> {
  const plain = program.variants?.at(-1) ?? variant;
  const all = [...new Set([plain.file, variant.file])];
  const read = await Promise.all(all.map((file) => readFile(files, program, file)));
  const [base = "", own = null] = read.map((bytes) => new TextDecoder().decode(bytes));
  const texts = kernelTexts(base, own);
  return (kernel) => {
    const text = texts(kernel);
    if (text === undefined) throw new CorruptPackageError(variant.file, `it has no kernel ${JSON.stringify(kernel)}`);
    return text;
  };
}

/** Throws ReadError and CorruptPackageError. */
async function readFile(
  { base, host, options }: PackageFiles,
  { modules }: Program,
  file: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await host.readFile(new URL(file, base), options);
  if (bytes === null) throw new ReadError(`the package has no ${file}`);
  if (modules !== undefined && modules[file] !== hashText(hashBytes(bytes))) throw damaged(file);
  return bytes;
}

/** None where the package has none. */
const readChecks = async (files: PackageFiles, program: Program): Promise<readonly KernelCheck[]> =>
  program.modules?.[checksFile] === undefined
    ? []
    : readKernelChecks(await readFile(files, program, checksFile), program);

/** With what all of them take: a variant that turns out to be wrong is changed on the same device. */
async function requestDevice(adapter: GPUAdapter, variants: readonly KernelVariant[]): Promise<GPUDevice> {
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  return adapter
    .requestDevice({
      requiredFeatures: [...new Set(variants.flatMap((v) => v.features))],
      requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
    })
    .catch((cause: unknown) => {
      throw new NoAdapterError(`the adapter gives no device: ${String(cause)}`);
    });
}
