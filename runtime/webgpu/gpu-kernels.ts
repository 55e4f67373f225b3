/**
 * The kernels of a program on a device: made when they are first wanted, all of a phase at once, and tried against the values that the
 * package holds. Where one is refused or wrong, all are taken from the next best texts.
 */
import { SelfTestError } from "../artifact/errors.ts";
import type { KernelCheck } from "../artifact/kernel-checks.ts";
import type { KernelDecl } from "../artifact/program.ts";
import type { CheckedKernel } from "../calls/model-device.ts";
import type { Layouts } from "./bind-groups.ts";
import type { Watch } from "./lost.ts";
import { makePipeline } from "./pipelines.ts";
import { tryKernels } from "./self-test.ts";
import { Turns } from "./turns.ts";

export interface KernelVariantSource {
  readonly name: string;
  /** The text of each kernel by its name, read when it is asked for. Throws ReadError, CorruptPackageError. */
  readonly read: () => Promise<(kernel: string) => string>;
}
export interface KernelSource {
  /** Those that the adapter takes by what it says, the best first. */
  readonly variants: readonly KernelVariantSource[];
  readonly checks: readonly KernelCheck[];
}
export interface RefusedVariant {
  readonly variant: string;
  readonly why: string;
}

interface Around {
  readonly device: GPUDevice;
  readonly layouts: Layouts;
  readonly watch: Watch;
  readonly decls: readonly KernelDecl[];
  readonly source: KernelSource;
}

/** Kernels that are tried between two looks at a signal. */
const atOnce = 16;

export class GpuKernels {
  readonly refused: RefusedVariant[] = [];
  readonly #around: Around;
  readonly #turns = new Turns();
  /** By ordinal, those that are made and right. */
  #pipelines: (GPUComputePipeline | undefined)[] = [];
  #textOf: ((kernel: string) => string) | null = null;
  /** What was made of each text, for texts that variants have in common. */
  readonly #byText = new Map<string, GPUComputePipeline>();
  constructor(around: Around) {
    this.#around = around;
  }

  /** Of the texts that are used. */
  get variant(): string {
    return this.#around.source.variants[this.refused.length]?.name ?? "";
  }

  of(kernel: number): GPUComputePipeline {
    const found = this.#pipelines[kernel];
    if (found === undefined) throw new RangeError(`kernel ${kernel} is not made`);
    return found;
  }

  /** Whether nothing has to be made for them. */
  has(kernels: readonly number[]): boolean {
    return kernels.every((k) => this.#pipelines[k] !== undefined);
  }

  /** Makes and tries those that are not there yet. Throws SelfTestError where no texts are right, and DscError. */
  async make(kernels: readonly number[]): Promise<void> {
    const end = await this.#turns.take();
    try {
      const before = this.#pipelines.flatMap((p, k) => (p === undefined ? [] : [k]));
      for (;;) {
        const missing = [...new Set([...before, ...kernels])].filter((k) => this.#pipelines[k] === undefined);
        const why = await this.#tryMaking(missing);
        if (why === null) return;
        this.refused.push({ variant: this.variant, why });
        [this.#pipelines, this.#textOf] = [[], null];
        if (this.refused.length === this.#around.source.variants.length) throw new SelfTestError(why);
      }
    } finally {
      end();
    }
  }

  /** All kernels, some at a time, with the texts that are used in the end; last those that the package holds no values for. */
  async *tryAll(signal?: AbortSignal): AsyncGenerator<CheckedKernel, void, undefined> {
    const { source, device, layouts, watch, decls } = this.#around;
    for (let at = 0; at < source.checks.length; at += atOnce) {
      signal?.throwIfAborted();
      const checks = source.checks.slice(at, at + atOnce);
      await this.make(checks.map((c) => c.kernel));
      yield* await tryKernels({ device, layouts, watch, decls, checks, pipelines: (k) => this.#pipelines[k] });
    }
    const tried = new Set(source.checks.map((c) => c.kernel));
    for (const [k, { name }] of decls.entries()) if (!tried.has(k)) yield { name, passed: null, worst: 0, bound: 0 };
  }

  /** Null, or what is wrong with the texts. */
  async #tryMaking(missing: readonly number[]): Promise<string | null> {
    const { device, layouts, watch, decls, source } = this.#around;
    const textOf = this.#textOf ?? (await source.variants[this.refused.length]?.read());
    if (textOf === undefined) throw new RangeError("there is no variant");
    this.#textOf = textOf;
    const made = new Map<number, GPUComputePipeline>();
    const making = missing.map(async (k) => {
      const decl = decls[k];
      if (decl === undefined) throw new RangeError(`no kernel ${k}`);
      const text = textOf(decl.name);
      const pipeline = this.#byText.get(text) ?? (await makePipeline(device, layouts, decl, text));
      this.#byText.set(text, pipeline);
      made.set(k, pipeline);
    });
    try {
      await watch.until(Promise.all(making));
      const checks = source.checks.filter((c) => made.has(c.kernel));
      const results = await tryKernels({ device, layouts, watch, decls, checks, pipelines: (k) => made.get(k) });
      const wrong = results.find(({ passed }) => !passed);
      if (wrong !== undefined) return wrong.why;
    } catch (error) {
      if (error instanceof SelfTestError) return error.message;
      throw error;
    }
    for (const [k, pipeline] of made) this.#pipelines[k] = pipeline;
    return null;
  }
}
