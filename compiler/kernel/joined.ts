/**
 * Several kernels as one launch. What holds of each by itself is proved by itself. Side by side, what one writes no other touches; in
 * stages one group of lanes does all, and meets between them.
 */
import { InternalError } from "../graph/internal-error.ts";
import { add, constant, div, max, mul } from "./expr.ts";
import type { Buffer, Expr, Kernel, Part, Size } from "./kernel.ts";
import { declaredIn, FreshNames } from "./lower/fresh-names.ts";
import { printExpr } from "./print.ts";
import type { Problems } from "./problem.ts";
import { renamedBody } from "./rename.ts";
import { uniformityProblems } from "./uniform.ts";

/** A kernel with what tells its buffers and sizes apart: those of equal keys are one. What is in pieces is so wherever it has its key. */
export interface Joining {
  readonly kernel: Kernel;
  readonly stage: number;
  readonly buffers: readonly string[];
  readonly sizes: readonly string[];
}
export interface Joined {
  readonly kernel: Kernel;
  /** Keys of its buffers and sizes, in its order. */
  readonly buffers: readonly string[];
  readonly sizes: readonly string[];
}

export const isStaged = (k: Kernel): boolean => (k.parts ?? []).some((p) => p.stage > 0);

/** `lanes`: of a group. */
export function joined(parts: readonly Joining[], lanes: number): Joined {
  const [first] = parts;
  if (first === undefined) throw new InternalError("nothing to join");
  const taken = new Set<string>();
  const fresh = (base: string): string => {
    let n = base;
    for (let i = 1; taken.has(n); i += 1) n = `${base}${i}`;
    taken.add(n);
    return n;
  };
  const sizes = new Map<string, Size>();
  const buffers = new Map<string, Buffer>();
  const made = parts.map(({ kernel: k, stage, buffers: keys, sizes: sizeKeys }): Part => {
    const named = k.sizes.map((s, i) => {
      const key = sizeKeys[i] ?? "";
      const known = sizes.get(key);
      const size = known === undefined ? { ...s, name: fresh(s.name) } : strictest(known, s);
      sizes.set(key, size);
      return size.name;
    });
    const over = renaming(k.sizes.map((s, i) => [s.name, named[i] ?? s.name]));
    const bound = k.buffers.map((b, i) => {
      const key = keys[i] ?? "";
      const known = buffers.get(key);
      const { pieces } = b;
      const here = { extent: over(b.extent), ...(pieces === undefined ? {} : { pieces: over(pieces) }) };
      const buffer: Buffer =
        known === undefined
          ? { ...b, ...here, name: fresh(b.name) }
          : { ...known, extent: longest(known.extent, here.extent), access: accessOfBoth(known, b) };
      buffers.set(key, buffer);
      return buffer.name;
    });
    return { kernel: k, stage, buffers: bound, sizes: named };
  });
  const whole: Kernel = {
    name: first.kernel.name,
    source: parts.map((p) => p.kernel.source).join("; "),
    sizes: [...sizes.values()],
    buffers: [...buffers.values()],
    grid: [],
    lanes,
    shared: [],
    body: [],
    parts: made,
  };
  const groups = made.map((p) => groupsOf(whole, p)).reduce((a, b) => add(a, b));
  const grid = [{ name: "group", extent: isStaged(whole) ? constant(1) : groups }];
  return { kernel: { ...whole, grid }, buffers: [...buffers.keys()], sizes: [...sizes.keys()] };
}
const strictest = (a: Size, b: Size): Size => ({
  name: a.name,
  multiple: a.multiple % b.multiple === 0 ? a.multiple : a.multiple * b.multiple,
  minimum: Math.max(a.minimum, b.minimum),
});
const longest = (a: Expr, b: Expr): Expr => (printExpr(a) === printExpr(b) ? a : max(a, b));
const accessOfBoth = (a: Buffer, b: Buffer): Buffer["access"] => (a.access === b.access ? a.access : "both");

function renaming(names: readonly (readonly [string, string])[]): (e: Expr) => Expr {
  const to = new Map(names);
  const visit = (e: Expr): Expr => {
    if (e.kind === "name") return { ...e, name: to.get(e.name) ?? e.name };
    return e.kind === "op" ? { ...e, args: e.args.map(visit) } : e;
  };
  return visit;
}
/** An expression over the sizes of a part, over those of the whole. */
const inWhole = (p: Part): ((e: Expr) => Expr) =>
  renaming(p.kernel.sizes.map((s, i) => [s.name, p.sizes[i] ?? s.name]));

/** Work items of a part, over the sizes of the whole. */
export const itemsOf = (p: Part): Expr =>
  p.kernel.grid.map((g) => inWhole(p)(g.extent)).reduce((n, e) => mul(n, e), constant(1) as Expr);
/** Groups of lanes that its items take. */
export const groupsOf = (whole: Kernel, p: Part): Expr =>
  p.kernel.lanes > 1 ? itemsOf(p) : div(add(itemsOf(p), whole.lanes - 1), whole.lanes);

const renamings = new WeakMap<readonly Part[], readonly Kernel[]>();
/** The parts as kernels whose names are all different, those of buffers and sizes as in the whole; the kernel itself where it has none. */
export function partsOf(whole: Kernel): readonly Kernel[] {
  const { parts } = whole;
  if (parts === undefined) return [whole];
  const known = renamings.get(parts);
  if (known !== undefined) return known;
  const names = new FreshNames(whole);
  const made = parts.map((p): Kernel => {
    const { kernel: k } = p;
    const own = new Map<string, string>();
    for (const [i, b] of k.buffers.entries()) own.set(b.name, p.buffers[i] ?? b.name);
    for (const [i, s] of k.sizes.entries()) own.set(s.name, p.sizes[i] ?? s.name);
    for (const x of [...k.shared, ...k.grid]) own.set(x.name, names.take(x.name));
    for (const n of declaredIn(k.body)) own.set(n, names.take(n));
    const to = (n: string): string => own.get(n) ?? n;
    const over = inWhole(p);
    return {
      ...k,
      sizes: k.sizes.map((s) => ({ ...s, name: to(s.name) })),
      buffers: k.buffers.map((b) => ({
        ...b,
        name: to(b.name),
        extent: over(b.extent),
        ...(b.pieces === undefined ? {} : { pieces: over(b.pieces) }),
      })),
      grid: k.grid.map((g) => ({ name: to(g.name), extent: over(g.extent) })),
      shared: k.shared.map((s) => ({ ...s, name: to(s.name) })),
      body: renamedBody(k.body, to),
    };
  });
  renamings.set(parts, made);
  return made;
}

/** What has to hold of them together; of each alone others say. */
export function joinedProblems(whole: Kernel, problems: Problems): void {
  const parts = whole.parts ?? [];
  if (whole.body.length > 0 || whole.shared.length > 0) problems.report(2, `${whole.name} has parts and a body`);
  const written = new Map<string, Set<number>>();
  for (const [i, p] of parts.entries()) {
    if (p.kernel.lanes !== whole.lanes && (p.kernel.lanes !== 1 || p.kernel.shared.length > 0))
      problems.report(8, `a part has ${p.kernel.lanes} lanes where the launch has ${whole.lanes}`);
    for (const [j, b] of p.kernel.buffers.entries())
      if (b.access !== "read") {
        const n = p.buffers[j] ?? "";
        written.set(n, (written.get(n) ?? new Set()).add(i));
      }
  }
  for (const [i, p] of parts.entries())
    for (const n of p.buffers)
      for (const by of written.get(n) ?? [])
        if (by !== i && parts[by]?.stage === p.stage)
          problems.report(10, `${n} is written beside another part that has it`);
  if (!isStaged(whole)) return;
  // What is written here is the same for all lanes no longer, as far as a target can tell.
  for (const k of partsOf(whole)) {
    const both = k.buffers.map((b) => (written.has(b.name) ? { ...b, access: "both" as const } : b));
    uniformityProblems({ ...k, buffers: both }, problems);
  }
}
