/** Kernels that do the same are one object: one proof and one lowering are theirs. */
import type { Kernel } from "./kernel.ts";
import { declaredIn } from "./lower/fresh-names.ts";
import { printKernel } from "./print.ts";

export class OneOfEach {
  readonly #byText = new Map<string, Kernel>();
  readonly #known = new WeakMap<Kernel, Kernel>();
  readonly #textOf: (k: Kernel) => string;
  constructor(textOf: (k: Kernel) => string = textOfKernel) {
    this.#textOf = textOf;
  }

  /** The first kernel of this text; names of kernels, and what they come from, do not count. */
  of(k: Kernel): Kernel {
    const known = this.#known.get(k);
    if (known !== undefined) return known;
    const text = this.#textOf(k);
    const first = this.#byText.get(text) ?? k;
    this.#byText.set(text, first);
    this.#known.set(k, first);
    return first;
  }
}

const textOfKernel = (k: Kernel): string => printKernel({ ...k, name: "k", source: "" });

/** The same for kernels that differ only in what they call their buffers, which calls bind in order, and what they have themselves. */
export function textButForNames(k: Kernel): string {
  const parts = k.parts?.map((p) => p.kernel) ?? [];
  const own = new Set<string>();
  for (const { buffers, shared, grid, body } of [k, ...parts])
    for (const n of [...[...buffers, ...shared, ...grid].map((x) => x.name), ...declaredIn(body)]) own.add(n);
  const numbers = new Map<string, number>();
  const text = textOfKernel(k).replace(/[A-Za-z_]\w*/g, (word) => {
    if (!own.has(word)) return word;
    const number = numbers.get(word) ?? numbers.size;
    numbers.set(word, number);
    return `_${number}`;
  });
  // A word that says how a buffer lies may be a name as well.
  return JSON.stringify([text, k.buffers.map((b) => b.layout)]);
}
