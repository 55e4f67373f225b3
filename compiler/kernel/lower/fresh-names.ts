/** Names that a kernel does not have yet. */
import type { Kernel, Stmt } from "../kernel.ts";
import { isReserved } from "../reserved.ts";
import { declares, walkStmts } from "../walk.ts";

export class FreshNames {
  readonly #used = new Set<string>();
  constructor(k: Kernel) {
    this.keep(k);
  }
  /** All names of another kernel, too. */
  keep(k: Kernel): void {
    for (const x of [...k.sizes, ...k.buffers, ...k.grid, ...k.shared]) this.#used.add(x.name);
    for (const n of declaredIn(k.body)) this.#used.add(n);
  }
  /** `base` itself where it is free. */
  take(base: string): string {
    let n = base;
    for (let i = 1; this.#used.has(n) || isReserved(n); i += 1) n = `${base}_${i}`;
    this.#used.add(n);
    return n;
  }
}

export function declaredIn(body: readonly Stmt[]): ReadonlySet<string> {
  const names = new Set<string>();
  walkStmts(body, (s) => {
    const n = declares(s);
    if (n !== null) names.add(n);
  });
  return names;
}
