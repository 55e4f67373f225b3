/** Schedules of nests, each once: layers, parts and phases of one shape share the search for a plan and its proof. */
import type { Sizes } from "../graph/dim.ts";
import { key } from "../graph/scalar.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { OneOfEach } from "../kernel/one-of-each.ts";
import type { Nest } from "../schedule/nest/nest.ts";
import { type Scheduled, type ScheduleOptions, scheduleNest } from "../schedule/schedule-map.ts";
import { isSorted } from "../target/cost.ts";
import type { KernelTarget } from "../target/kernel-target.ts";

export class NestSchedules {
  readonly #target: KernelTarget;
  readonly #known = new Map<string, Scheduled>();
  /** Kernels in tiles, by nest and by plan. */
  readonly #tiled = new Map<string, Map<string, Kernel>>();
  readonly #finishes: ScheduleOptions["finish"][] = [];
  readonly #each: OneOfEach;
  readonly #unproved: boolean;
  /** `unproved`: kernels are proved by somebody else before anybody runs them. */
  constructor(target: KernelTarget, each = new OneOfEach(), unproved = false) {
    this.#target = target;
    this.#each = each;
    this.#unproved = unproved;
  }

  /** `sizes`: what it is planned for. Of nests that differ in their label alone, the kernel of the first. */
  of(nest: Nest, sizes: Sizes, options: ScheduleOptions): Scheduled {
    const { rule = null, finish } = options;
    // What the text asks for is told at its place.
    if (rule !== null) return this.#schedule(nest, sizes, options);
    const shape = `${JSON.stringify([options.name, this.#number(finish)])} ${shapeOf(nest)}${this.#longest(nest)}`;
    const text = `${JSON.stringify(Object.entries(sizes).sort())} ${shape}`;
    const tiled = this.#tiled.get(shape) ?? new Map<string, Kernel>();
    this.#tiled.set(shape, tiled);
    const known = this.#known.get(text) ?? this.#schedule(nest, sizes, { ...options, tiled });
    this.#known.set(text, known);
    return known;
  }
  #schedule(nest: Nest, sizes: Sizes, options: ScheduleOptions): Scheduled {
    return scheduleNest(nest, sizes, this.#target, { ...options, each: this.#each, unproved: this.#unproved });
  }
  /** How long rows may be says how many items share one. */
  #longest({ most }: Nest): string {
    return this.#target.lanes > 1 ? JSON.stringify([...most].sort()) : "";
  }
  #number(finish: ScheduleOptions["finish"]): number {
    const known = this.#finishes.indexOf(finish);
    return known >= 0 ? known : this.#finishes.push(finish) - 1;
  }
}

/** All that a kernel depends on: the names of operands become those of its buffers. */
function shapeOf({ axes, body, where, elem, operands, loops, least }: Nest): string {
  const given = operands.map(({ flat, node, elem: of }) => {
    const dims = flat.type.dims.map((d) => d.key);
    return [flat.id, node.name.split(".").at(-1), flat.type.dtype, dims, of, node.kind, isSorted(node)];
  });
  const facts = [axes.map((a) => [a.name, a.size.key]), elem, given, [...loops.keys()], [...least].sort()];
  return `${JSON.stringify(facts)} ${key(body)} where ${where === null ? "" : key(where)}`;
}
