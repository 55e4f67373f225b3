/** Kernels that do the same are one object: one proof and one lowering are theirs. */
import type { Kernel } from "./kernel.ts";
import { printKernel } from "./print.ts";

export class OneOfEach {
  readonly #byText = new Map<string, Kernel>();
  readonly #known = new WeakMap<Kernel, Kernel>();

  /** The first kernel of this text; names of kernels, and what they come from, do not count. */
  of(k: Kernel): Kernel {
    const known = this.#known.get(k);
    if (known !== undefined) return known;
    const text = printKernel({ ...k, name: "k", source: "" });
    const first = this.#byText.get(text) ?? k;
    this.#byText.set(text, first);
    this.#known.set(k, first);
    return first;
  }
}
