/** Kernels of a program, each once: layers, parts and phases of one shape share them. */
import type { KernelDecl, SizeExpr, WindowDecl } from "../../runtime/artifact/program.ts";
import { InternalError } from "../graph/internal-error.ts";
import { elems } from "../kernel/elem.ts";
import type { Buffer, Expr, Kernel, Window } from "../kernel/kernel.ts";
import { lower, lowerUnproved } from "../kernel/lower/lower.ts";
import { OneOfEach, textButForNames } from "../kernel/one-of-each.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { NestSchedules } from "./nest-schedules.ts";
import { times } from "./size-of-scalar.ts";

interface KernelPoolOptions {
  readonly onKernel?: ((lowered: Kernel) => void) | undefined;
  /** Kernels are proved by who is told of them. */
  readonly unproved?: boolean | undefined;
}

export class KernelPool {
  readonly schedules: NestSchedules;
  readonly #target: KernelTarget;
  readonly #each = new OneOfEach();
  /** What is one kernel of the program: names of buffers do not count. */
  readonly #alike = new OneOfEach(textButForNames);
  readonly #numbers = new Map<Kernel, number>();
  readonly #scheduled: Kernel[] = [];
  readonly #kernels: Kernel[] = [];
  readonly #names = new Set<string>();
  readonly #options: KernelPoolOptions;
  constructor(target: KernelTarget, options: KernelPoolOptions = {}) {
    this.#target = target;
    this.#options = options;
    this.schedules = new NestSchedules(target, this.#each, options.unproved);
  }
  /** Lowered, under names of their own. */
  get kernels(): readonly Kernel[] {
    return this.#kernels;
  }
  /** The same as schedules wrote them: what a backend lowers in several ways. */
  get scheduled(): readonly Kernel[] {
    return this.#scheduled;
  }
  get decls(): readonly KernelDecl[] {
    return this.#kernels.map(declOf);
  }

  /** The number of the kernel that does the same. `label`, `where`: the definition that it is for, and its place in the text. */
  add(k: Kernel, label: string, where: string | null = null): number {
    const one = this.#alike.of(this.#each.of(k));
    const known = this.#numbers.get(one);
    if (known !== undefined) return known;
    const source = `${label}${where === null ? "" : ` (${where})`}: ${one.source}`;
    const scheduled = { ...one, name: this.#name(label), source };
    this.#scheduled.push(scheduled);
    const { onKernel, unproved = false } = this.#options;
    const lowered = (unproved ? lowerUnproved : lower)(scheduled, this.#target);
    const number = this.#kernels.push(lowered) - 1;
    this.#numbers.set(one, number);
    onKernel?.(lowered);
    return number;
  }

  #name(label: string): string {
    const plain = label
      .split(".")
      .slice(-2)
      .join("_")
      .replace(/[^a-zA-Z0-9]+/g, "_")
      .replace(/^[0-9_]+|_+$/g, "");
    const stem = `run_${plain === "" ? "kernel" : plain}`;
    let name = stem;
    for (let i = 2; this.#names.has(name); i += 1) name = `${stem}_${i}`;
    this.#names.add(name);
    return name;
  }
}

function declOf(k: Kernel): KernelDecl {
  const window = k.window === undefined ? {} : { window: windowDecl(k, k.window) };
  return {
    name: k.name,
    buffers: k.buffers.map((b) => ({ name: b.name, elem: b.elem, extent: elementsOf(b), access: b.access })),
    sizes: k.sizes.map((s) => s.name),
    grid: k.grid.map((g) => sizeOf(g.extent)),
    scratch: k.shared.reduce((sum, s) => sum + Math.ceil((s.size * elems[s.elem].bytes) / 16) * 16, 0),
    ...window,
  };
}

function windowDecl(k: Kernel, { first, pieces }: Window): WindowDecl {
  const size = (n: string): number => k.sizes.findIndex((s) => s.name === n);
  const isPart = (b: Buffer): boolean => b.pieces?.kind === "name" && b.pieces.name === pieces;
  return { first: size(first), pieces: size(pieces), buffers: k.buffers.flatMap((b, i) => (isPart(b) ? [i] : [])) };
}

/** Elements of a buffer, in all of its pieces, as a size of the program. */
export const elementsOf = ({ extent, pieces }: Buffer): SizeExpr =>
  pieces === undefined ? sizeOf(extent) : times(sizeOf(pieces), sizeOf(extent));

/** An extent as a size of the program. */
export function sizeOf(e: Expr): SizeExpr {
  if (e.kind === "const") return e.value;
  if (e.kind === "name") return e.name;
  const operators = { add: "+", sub: "-", mul: "*", div: "/", mod: "%", min: "min", max: "max" } as const;
  const operator = e.kind === "op" && e.op in operators ? operators[e.op as keyof typeof operators] : undefined;
  const [a, b] = e.kind === "op" ? e.args : [];
  if (operator === undefined || a === undefined || b === undefined) throw new InternalError("an extent that is none");
  return [operator, sizeOf(a), sizeOf(b)];
}
