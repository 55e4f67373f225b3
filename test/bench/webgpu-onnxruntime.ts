/**
 * Products of f32 by kernels that the compiler makes, and by onnxruntime's WebGPU provider, on the same adapter in the same run, in turns.
 * Prints, asserts nothing. Both play chains of products with a matrix each, one long and one short: what the difference takes is the products'
 * alone, without the way to the device and back.
 *
 *     npm i --prefix DIR --ignore-scripts onnxruntime-node
 *     DSC_ONNXRUNTIME=DIR tsx test/bench/webgpu-onnxruntime.ts [gpu]
 *
 * Without `gpu` on lavapipe, which DSC_LAVAPIPE names, and at sizes for it.
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launchOf } from "../../backends/wgsl/launch.ts";
import { wgslModule } from "../../backends/wgsl/module.ts";
import { webgpuSubgroupsTarget, webgpuTarget } from "../../backends/wgsl/target.ts";
import { plainVariant } from "../../backends/wgsl/variant.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { floats } from "../kernels/data.ts";
import { mapCase } from "../kernels/map-case.ts";
import { productChain } from "./onnx/product-chain.ts";

/** Of onnxruntime-node, what is used here. */
interface Onnxruntime {
  readonly InferenceSession: {
    create(
      file: Uint8Array,
      options: { readonly executionProviders: readonly string[] },
    ): Promise<{
      run(inputs: Readonly<Record<string, object>>): Promise<unknown>;
      release(): Promise<void>;
    }>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => object;
}

const [short, long] = [4, 20];
const turns = 15;

/** Milliseconds of a chain. */
interface Chain {
  readonly run: () => Promise<number>;
  readonly close: () => Promise<void>;
}
interface Contestant {
  readonly what: string;
  readonly chain: (T: number, n: number, length: number) => Promise<Chain>;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const theirs = (ort: Onnxruntime): Contestant => ({
  what: "onnxruntime, MatMul",
  chain: async (T, n, length) => {
    const session = await ort.InferenceSession.create(productChain(n, length), { executionProviders: ["webgpu"] });
    const x = new ort.Tensor("float32", floats(T * n, 1), [T, n]);
    return { run: () => timed(() => session.run({ x })), close: () => session.release() };
  },
});

/** `weight`: its axes as they lie. */
const ours = (device: GPUDevice, weight: "n, k" | "k, n"): Contestant => ({
  what: `dsc, weights [${weight}]`,
  chain: async (T, n, length) => {
    const text = `graph @g {
      size T in 1..4096
      %x : f32[T, ${n}] = input
      %w : f32[${n}, ${n}] = weight
      %y : f32[T, ${n}] = map [t, n] sum[k: ${n}](%x[t, k] * %w[${weight}])
      return %y
    }`;
    const target = device.features.has("subgroups") ? webgpuSubgroupsTarget : webgpuTarget;
    const c = mapCase(text, { sizes: { T }, fixed: { T }, target, expected: false });
    const module = wgslModule(lower({ ...c.kernel, name: "product" }, target), target, plainVariant);
    const { uniform, workgroups } = launchOf(module, c.sizes, {});
    const pipeline = await device.createComputePipelineAsync({
      layout: "auto",
      compute: { module: device.createShaderModule({ code: module.text }), entryPoint: "product" },
    });
    const buffer = (data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>, usage: number): GPUBuffer => {
      const made = device.createBuffer({ size: Math.ceil(data.byteLength / 16) * 16, usage: usage | 0x8 }); // copy target
      device.queue.writeBuffer(made, 0, data);
      return made;
    };
    const [storage, uniforms] = [0x80, 0x40];
    const tokens = [floats(T * n, 1), floats(T * n, 2)].map((x) => buffer(x, storage));
    const sizes = buffer(uniform, uniforms);
    const weights = Array.from({ length }, (_, i) => buffer(floats(n * n, i + 1), storage));
    const groups = weights.map((w, i) => {
      const [from, to] = i % 2 === 0 ? tokens : [tokens[1], tokens[0]];
      const bound = module.bindings.map(({ members, written }) =>
        written ? to : members[0]?.name === "w_in" ? w : from,
      );
      const entries = [...bound, sizes].map((b, binding) => ({ binding, resource: { buffer: b as GPUBuffer } }));
      return device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    });
    const run = async (): Promise<void> => {
      device.pushErrorScope("validation");
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      for (const group of groups) {
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...workgroups);
      }
      pass.end();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      const error = await device.popErrorScope();
      if (error !== null) throw new Error(error.message);
    };
    return {
      run: () => timed(run),
      close: async () => {
        for (const b of [...tokens, ...weights, sizes]) b.destroy();
      },
    };
  },
});

const median = (xs: readonly number[]): number => [...xs].sort((a, b) => a - b)[xs.length >> 1] ?? Number.NaN;

/** Milliseconds of one product, by contestant. */
async function race(contestants: readonly Contestant[], T: number, n: number): Promise<readonly number[]> {
  const pairs: (readonly [Chain, Chain])[] = [];
  for (const { chain } of contestants) pairs.push([await chain(T, n, short), await chain(T, n, long)]);
  for (const chain of pairs.flat()) await chain.run(); // compiles
  const differences = pairs.map((): number[] => []);
  for (let turn = 0; turn < turns; turn += 1)
    for (const [i, [few, many]] of pairs.entries()) {
      const less = await few.run();
      differences[i]?.push(((await many.run()) - less) / (long - short));
    }
  for (const chain of pairs.flat()) await chain.close();
  return differences.map(median);
}

async function onAdapter(folder: string, large: boolean): Promise<void> {
  const ort = createRequire(join(folder, "package.json"))("onnxruntime-node") as Onnxruntime;
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const dawn = create([]);
  const adapter = await dawn.requestAdapter();
  if (adapter === null) return console.log("no adapter");
  const device = await adapter.requestDevice({
    requiredFeatures: adapter.features.has("subgroups") ? ["subgroups"] : [],
    requiredLimits: {
      maxBufferSize: adapter.limits.maxBufferSize,
      maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
    },
  });
  console.log(
    `${adapter.info.description}: products [T, n] x [n, n] of f32, GFLOP in a second, and how many times onnxruntime's`,
  );
  const contestants = [theirs(ort), ours(device, "k, n"), ours(device, "n, k")];
  for (const [T, n] of large
    ? ([
        [1, 4096],
        [256, 4096],
        [2048, 4096],
      ] as const)
    : ([
        [1, 1024],
        [64, 512],
        [256, 512],
      ] as const)) {
    const times = await race(contestants, T, n);
    for (const [i, ms] of times.entries()) {
      const rate = ((2 * T * n * n) / ms / 1e6).toFixed(2).padStart(9);
      const ratio = ((times[0] ?? Number.NaN) / ms).toFixed(2).padStart(7);
      console.log(
        `  T ${String(T).padEnd(6)}n ${String(n).padEnd(6)}${(contestants[i]?.what ?? "").padEnd(24)}${rate}${ratio}`,
      );
    }
  }
  if (dawn === undefined) throw new Error("Dawn must outlive its devices");
}

const { DSC_ONNXRUNTIME: folder, DSC_LAVAPIPE: lavapipe } = process.env;
const here = process.argv[2];
if (folder === undefined) console.log("DSC_ONNXRUNTIME names a folder in which onnxruntime-node is installed");
else if (here !== undefined) {
  await onAdapter(folder, here === "gpu");
  process.exit(); // Dawn keeps it alive
} else if (lavapipe === undefined) console.log("DSC_LAVAPIPE names no lavapipe; on a GPU: gpu");
else {
  const env = { ...process.env, VK_DRIVER_FILES: lavapipe, VK_ICD_FILENAMES: lavapipe };
  const args = ["--import", "tsx", fileURLToPath(import.meta.url), "lavapipe"];
  spawnSync(process.execPath, args, { env, stdio: ["ignore", "inherit", "ignore"] });
}
