/** WebAssembly as what plays a package. */
import { OptionError, ReadError } from "../artifact/errors.ts";
import { hashBytes, hashText } from "../artifact/hash.ts";
import type { Program } from "../artifact/program.ts";
import { Device } from "../device/device.ts";
import { hasRelaxedSimd, hasSharedMemory, mayBlock, usualThreads } from "../device/features.ts";
import { planInMemories } from "../device/plan-device.ts";
import { type LoadOptions, wholeOption } from "./load-options.ts";
import type { PlannedModel, Player, PlayerOrder } from "./player.ts";
import { damaged, type PackageFiles } from "./read-package.ts";

export const wasmPlayer: Player = {
  prepare: async (order) => {
    const { files, host, options, program } = order;
    const kernels = await readKernels(files, program, chooseSimd(options.simd), threadsOf(options, host.cores));
    return { plan: (played) => planned(played, order, kernels) };
  },
};

async function planned(program: Program, { host, sizes }: PlayerOrder, kernels: KernelFile): Promise<PlannedModel> {
  const { threads, simd } = kernels;
  const plan = await planInMemories({ program, threads, ...sizes, memoryBytes: host.memoryBytes });
  return {
    played: plan,
    info: {
      ...{ backend: "wasm", threads, simd },
      memory: {
        arena: plan.arena.bytes,
        arenaPeak: plan.arena.peak,
        session: plan.states.bytes,
        fixed: plan.spread.memories.reduce((n, { end }) => n + end, 0),
        memories: plan.spread.memories.length,
      },
    },
    open: async () => {
      const device = await Device.open({
        plan,
        module: kernels,
        available: host.available(),
        startThread: host.startThread,
        waiting: { mayBlock: mayBlock(), stall: host.patience },
      });
      return { device, gpu: null };
    },
  };
}

const mostThreads = 64;

/** Throws OptionError. */
function threadsOf({ threads }: LoadOptions, cores: number): number {
  const wanted = threads === undefined ? usualThreads(cores) : wholeOption("threads", threads, mostThreads);
  return hasSharedMemory() ? wanted : 1;
}

/** Which instructions the kernels may use. Throws OptionError where they are asked for and the engine lacks them. */
function chooseSimd(wanted: LoadOptions["simd"] = "auto"): "baseline" | "relaxed" {
  if (!["auto", "baseline", "relaxed"].includes(wanted)) throw new OptionError(`simd ${JSON.stringify(wanted)}`);
  if (wanted === "relaxed" && !hasRelaxedSimd()) throw new OptionError("simd relaxed: this engine does not have it");
  return wanted !== "baseline" && hasRelaxedSimd() ? "relaxed" : "baseline";
}

interface KernelFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Name inside of the package. */
  readonly file: string;
  readonly simd: "baseline" | "relaxed";
  readonly threads: number;
}

/** The best of the modules that are there: with threads if they are wanted, else without. Throws ReadError, CorruptPackageError. */
async function readKernels(
  { base, host, options }: PackageFiles,
  { modules }: Program,
  simd: "baseline" | "relaxed",
  threads: number,
): Promise<KernelFile> {
  for (const count of threads > 1 ? [threads, 1] : [1])
    for (const kind of simd === "relaxed" ? (["relaxed", "baseline"] as const) : (["baseline"] as const)) {
      const file = `kernels/${kind === "relaxed" ? "relaxed" : "simd"}${count > 1 ? "-threads" : ""}.wasm`;
      const bytes = await host.readFile(new URL(file, base), options);
      if (bytes === null) continue;
      if (modules !== undefined && modules[file] !== hashText(hashBytes(bytes))) throw damaged(file);
      return { bytes, file, simd: kind, threads: count };
    }
  throw new ReadError("the package has no kernels/simd.wasm");
}
