/**
 * Tries kernels on the device that they are for, against values that the package holds: all in one submit, with one readback. Each
 * binding number has one buffer, in which every check has a stretch.
 */
import { type CheckedValue, checkedValues, isRight } from "../artifact/check-sums.ts";
import { elemBytes } from "../artifact/elems.ts";
import { KernelError, SelfTestError } from "../artifact/errors.ts";
import { behindStarts, checkBytes, type KernelCheck } from "../artifact/kernel-checks.ts";
import type { KernelDecl } from "../artifact/program.ts";
import type { Layouts } from "./bind-groups.ts";
import { usage } from "./flags.ts";
import { GpuMemory } from "./gpu-memory.ts";
import type { Watch } from "./lost.ts";
import { alignment } from "./plan-weights.ts";
import { type Copied, ReadBack, type ReadStretch } from "./read-back.ts";
import { inScopes } from "./scopes.ts";
import { uniformBytes } from "./uniforms.ts";

export interface SelfTest {
  readonly device: GPUDevice;
  readonly layouts: Layouts;
  readonly watch: Watch;
  readonly decls: readonly KernelDecl[];
  readonly checks: readonly KernelCheck[];
  /** By ordinal of the kernel. */
  readonly pipelines: (kernel: number) => GPUComputePipeline | undefined;
}

/** Where bindings and uniforms may start. */
const stride = 256;

/** Bytes of one buffer, put together. */
class Filled {
  readonly #parts: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  #end = 0;
  get bytes(): number {
    return Math.max(16, this.#end);
  }
  /** Gives where they are, and how many are bound. */
  add(bytes: Uint8Array): { readonly from: number; readonly bytes: number } {
    const from = Math.ceil(this.#end / stride) * stride;
    const size = Math.max(16, Math.ceil(bytes.length / 16) * 16);
    this.#parts.push({ at: from, bytes });
    this.#end = from + size;
    return { from, bytes: size };
  }
  joined(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.bytes);
    for (const { at, bytes } of this.#parts) all.set(bytes, at);
    return all;
  }
}

interface Placed {
  readonly check: KernelCheck;
  readonly decl: KernelDecl;
  /** By binding, the uniform last. */
  readonly ranges: readonly { readonly from: number; readonly bytes: number }[];
}

/** A kernel that was tried. */
export interface KernelResult {
  /** Of the kernel. */
  readonly name: string;
  readonly passed: boolean;
  /** How far the value was off that was farthest off for what it may be, and how far that is. */
  readonly worst: number;
  readonly bound: number;
  /** What is wrong; empty where nothing is. */
  readonly why: string;
}

/** In the order of the checks. Throws SelfTestError for what the device finds wrong, OutOfMemoryError, DeviceLostError. */
export async function tryKernels(test: SelfTest): Promise<readonly KernelResult[]> {
  if (test.checks.length === 0) return [];
  const { device, watch, decls, checks } = test;
  const filled: Filled[] = [];
  const at = (binding: number): Filled => {
    filled[binding] ??= new Filled();
    return filled[binding];
  };
  const uniforms = new Filled();
  const placed = checks.flatMap((check): readonly Placed[] => {
    const decl = decls[check.kernel];
    if (decl?.gpu === undefined) return [];
    const starts: number[] = decl.buffers.map(() => 0);
    const ranges = decl.gpu.bindings.map((members, b) => at(b).add(sideBySide(check, decl, members, starts)));
    const numbers = new Int32Array(uniformBytes(decl) / 4);
    numbers.set([...check.sizes, ...starts, ...behindStarts(check.bound)]);
    return [{ check, decl, ranges: [...ranges, uniforms.add(new Uint8Array(numbers.buffer))] }];
  });
  const memory = new GpuMemory(device);
  try {
    const storage = usage.storage | usage.copyTarget | usage.copySource;
    const all = [...filled.map((f) => ({ f, use: storage })), { f: uniforms, use: usage.uniform | usage.copyTarget }];
    const buffers: GPUBuffer[] = [];
    for (const { f, use } of all) {
      const { buffers: made, ready } = memory.allocate([{ what: "the self-test", bytes: f.bytes }], use);
      await watch.until(ready);
      for (const buffer of made) {
        device.queue.writeBuffer(buffer, 0, f.joined());
        buffers.push(buffer);
      }
    }
    return await played(test, placed, buffers, new ReadBack(memory, watch));
  } finally {
    memory.dispose();
  }
}

/** The buffers of a binding; `starts` is told where each starts. */
function sideBySide(check: KernelCheck, decl: KernelDecl, members: readonly number[], starts: number[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const b of members) {
    const bytes = checkBytes(check, decl, b);
    const size = elemBytes[decl.buffers[b]?.elem ?? "f32"];
    starts[b] = end / size;
    parts.push(bytes);
    end += Math.ceil(bytes.length / size / alignment) * alignment * size;
  }
  const all = new Uint8Array(end);
  for (const [i, b] of members.entries())
    all.set(parts[i] ?? new Uint8Array(0), (starts[b] ?? 0) * elemBytes[decl.buffers[b]?.elem ?? "f32"]);
  return all;
}

async function played(
  test: SelfTest,
  placed: readonly Placed[],
  buffers: readonly GPUBuffer[],
  readBack: ReadBack,
): Promise<readonly KernelResult[]> {
  const { value, checked } = inScopes(test.device, "the self-test", () => submitted(test, placed, buffers, readBack));
  await test.watch.until(checked).catch((error: unknown) => {
    value.copied.drop();
    throw error instanceof KernelError ? new SelfTestError(error.message, error) : error;
  });
  const results = (await value.copied.read()).map((part) => new Uint8Array(part));
  return placed.map((one) => {
    const bytesOf = (b: number): Uint8Array =>
      results[value.stretches.findIndex((s) => s.of === one && s.number === b)] ?? new Uint8Array(0);
    return judged(one.decl, checkedValues(one.check, one.decl, bytesOf));
  });
}

interface WrittenStretch extends ReadStretch {
  readonly of: Placed;
  /** Of the kernel's buffer. */
  readonly number: number;
}

/** Runs all, and copies what they have written. */
function submitted(
  { device, layouts, pipelines }: SelfTest,
  placed: readonly Placed[],
  buffers: readonly GPUBuffer[],
  readBack: ReadBack,
): { readonly copied: Copied; readonly stretches: readonly WrittenStretch[] } {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  const stretches: WrittenStretch[] = [];
  for (const one of placed) {
    const { check, decl, ranges } = one;
    const pipeline = pipelines(check.kernel);
    if (pipeline === undefined) continue;
    const uniform = ranges.at(-1) ?? { from: 0, bytes: 16 };
    const entries = ranges.map((range, binding): GPUBindGroupEntry => {
      const last = binding === ranges.length - 1;
      const buffer = buffers[last ? buffers.length - 1 : binding];
      if (buffer === undefined) throw new RangeError(`no binding ${binding}`);
      return { binding, resource: { buffer, offset: last ? 0 : range.from, size: range.bytes } };
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: layouts.of(decl, uniform.bytes), entries }), [uniform.from]);
    pass.dispatchWorkgroups(check.groups);
    for (const { buffer: number } of check.expected) {
      const binding = decl.gpu?.bindings.findIndex((members) => members.includes(number)) ?? -1;
      const [range, buffer] = [ranges[binding], buffers[binding]];
      if (range !== undefined && buffer !== undefined) stretches.push({ buffer, ...range, of: one, number });
    }
  }
  pass.end();
  const copied = readBack.copy(encoder, stretches);
  device.queue.submit([encoder.finish()]);
  return { copied, stretches };
}

function judged({ name, buffers }: KernelDecl, all: readonly CheckedValue[]): KernelResult {
  const far = ({ value, wanted, within }: CheckedValue): number => {
    const off = Math.abs(value - wanted);
    return off === 0 ? 0 : off / within;
  };
  const [first] = all;
  // What is no number is farthest off.
  const worst = all.reduce((most, one) => (far(one) <= far(most) ? most : one), first ?? nothing);
  const passed = isRight(worst);
  const { buffer, what, at, value, wanted, within: bound } = worst;
  const of = buffers[buffer]?.name ?? buffer;
  const why = passed ? "" : `kernel ${name}: ${what} ${at} of ${of} is ${value}, not ${wanted}`;
  return { name, passed, worst: Math.abs(value - wanted), bound, why };
}
const nothing: CheckedValue = { buffer: 0, what: "sum", at: 0, value: 0, wanted: 0, within: 0 };
