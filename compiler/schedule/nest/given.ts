/** What a kernel of a nest is given: its buffers and sizes. */
import { type Dim, zeroDim } from "../../graph/dim.ts";
import type { Node } from "../../graph/node.ts";
import type { BufferSpec } from "../../kernel/build.ts";
import { elems } from "../../kernel/elem.ts";
import { name } from "../../kernel/expr.ts";
import { dimExpr, namesIn } from "../lift/spell-dim.ts";
import type { Nest } from "./nest.ts";
import { windowOf } from "./windows.ts";

export interface NamedBuffer {
  readonly name: string;
  readonly spec: BufferSpec;
  readonly node: Node;
}

/** Buffers of a nest: its operands under short names, each once, in their order. */
export function buffersOf(nest: Nest, taken: Iterable<string> = []): readonly NamedBuffer[] {
  const used = new Set<string>(["made", "k", "j", "i", "at", ...nest.least.keys(), ...nest.loops.keys(), ...taken]);
  const window = windowOf(nest);
  return nest.operands.map((o) => {
    const base =
      o.node.name
        .split(".")
        .at(-1)
        ?.replace(/[^a-zA-Z0-9]+/g, "_")
        .replace(/^[0-9_]+|_$/g, "") ?? "";
    const stem = base === "" || elems[base as keyof typeof elems] !== undefined ? "x" : base;
    let n = `${stem}_in`;
    for (let i = 1; used.has(n); i += 1) n = `${stem}_in${i}`;
    used.add(n);
    const { dims } = o.flat.type;
    const extent = dimExpr(dims.at(-1) ?? zeroDim);
    const [pieces] = dims.length > 1 ? dims : [];
    const of =
      pieces === undefined ? {} : { pieces: window?.weights.has(o.flat) ? name(window.sizes.pieces) : dimExpr(pieces) };
    const spec = { elem: o.elem, extent, ...of };
    return { name: n, node: o.flat, spec };
  });
}

/** Names of the sizes that a nest depends on, with the least value of each. */
export function sizesOf(nest: Nest, dims: readonly Dim[]): Record<string, { minimum: number }> {
  const names = new Set<string>();
  for (const d of dims) namesIn(d, names);
  const sizes: Record<string, { minimum: number }> = {};
  for (const n of [...names].sort()) sizes[n] = { minimum: nest.least.get(n) ?? 0 };
  for (const n of nest.loops.keys()) sizes[n] = { minimum: 0 };
  const window = windowOf(nest)?.sizes;
  if (window !== undefined) Object.assign(sizes, { [window.first]: { minimum: 0 }, [window.pieces]: { minimum: 1 } });
  return sizes;
}

/** Sizes that occur anywhere in the nest. */
export function allDims(nest: Nest): readonly Dim[] {
  const dims: Dim[] = [...nest.axes.map((a) => a.size), ...nest.operands.flatMap((o) => o.flat.type.dims)];
  const visit = (e: Nest["body"]): void => {
    if (e.kind === "dim") dims.push(e.dim);
    if (e.kind === "reduce") {
      for (const a of e.axes) dims.push(a.size);
      visit(e.body);
      if (e.where !== null) visit(e.where);
    } else if (e.kind === "call") e.args.forEach(visit);
    else if (e.kind === "read") e.at.forEach(visit);
    else if (e.kind === "fold") {
      dims.push(e.axis.size);
      e.steps.forEach((s) => void visit(s.body));
      visit(e.result);
      if (e.where !== null) visit(e.where);
    }
  };
  visit(nest.body);
  if (nest.where !== null) visit(nest.where);
  return dims;
}
