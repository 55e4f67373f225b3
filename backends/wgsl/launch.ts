/** One call of a module: what its uniform holds, and how many workgroups run. */
import { elems } from "../../compiler/kernel/elem.ts";
import { evaluateExtent } from "../../compiler/kernel/interpret.ts";
import type { Buffer, Expr, Kernel } from "../../compiler/kernel/kernel.ts";
import { behindStarts } from "../../runtime/artifact/kernel-checks.ts";
import type { WgslModule } from "./module.ts";
import { WgslError } from "./wgsl-error.ts";

export interface Launch {
  readonly uniform: Int32Array<ArrayBuffer>;
  readonly workgroups: readonly [x: number, y: number];
}
/** The most workgroups of one dimension. */
const mostOfDimension = 65_535;

/** `starts`: by buffer, the element where it starts in what is bound. Throws `WgslError`. */
export function launchOf(
  { kernel: k, itemsInGroup }: WgslModule,
  sizes: Readonly<Record<string, number>>,
  starts: Readonly<Record<string, number>>,
): Launch {
  for (const s of k.sizes) {
    const value = sizes[s.name] ?? Number.NaN;
    if ((value | 0) !== value || value < s.minimum || value % s.multiple !== 0)
      throw new WgslError(
        "bad-call",
        k.name,
        `${s.name} is ${value}: from ${s.minimum} on, a multiple of ${s.multiple}`,
      );
  }
  const items = k.grid.reduce((n, g) => n * Math.max(0, extentOf(k, g.extent, sizes)), 1);
  const groups = Math.ceil(items / itemsInGroup);
  if (groups > mostOfDimension ** 2 || items > 0x7fffffff)
    throw new WgslError("bad-call", k.name, `${items} work items`);
  const x = Math.min(groups, mostOfDimension);
  return {
    uniform: Int32Array.of(
      ...k.sizes.map((s) => sizes[s.name] ?? 0),
      ...k.buffers.map((b) => starts[b.name] ?? 0),
      ...behindStarts(),
    ),
    workgroups: [x, x === 0 ? 0 : Math.ceil(groups / x)],
  };
}

/** Bytes of a buffer, in all of its pieces. */
export const bufferBytes = (k: Kernel, b: Buffer, sizes: Readonly<Record<string, number>>): number =>
  extentOf(k, b.extent, sizes) * (b.pieces === undefined ? 1 : extentOf(k, b.pieces, sizes)) * elems[b.elem].bytes;

function extentOf(k: Kernel, e: Expr, sizes: Readonly<Record<string, number>>): number {
  const extent = evaluateExtent(e, sizes);
  if (!Number.isSafeInteger(extent)) throw new WgslError("bad-call", k.name, `an extent of ${extent}`);
  return extent;
}
