/** Selections and sorts of a phase: keys, then kernels that order them. */
import type { Binding, SizeExpr } from "../../runtime/artifact/program.ts";
import { productOf } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import { isWide } from "../graph/interpret/wide.ts";
import type { Argsort, TopK } from "../graph/node.ts";
import * as ir from "../kernel/expr.ts";
import type { Expr, Kernel } from "../kernel/kernel.ts";
import { dimExpr, dimSize } from "../schedule/lift/spell-dim.ts";
import type { makeNest } from "../schedule/nest/make-nest.ts";
import { chooseKeeping, chooseSelection, keysAtOnce, selection } from "../schedule/selection.ts";
import { keepBest, keepSpaces, sortKept } from "../schedule/sort-keep.ts";
import { keyWhere, sortKey } from "../schedule/sort-keys.ts";
import { choosePermutation, sortPermutation } from "../schedule/sort-permutation.ts";
import { sizeOf } from "./kernel-pool.ts";
import { type PhaseDraft, whole } from "./phase-draft.ts";
import { type Block, blockSizes, pointsOfBlock, sizesOfBlock } from "./row-blocks.ts";
import { times } from "./size-of-scalar.ts";
import { UnsupportedError } from "./unsupported.ts";

/** A longer axis is taken for one of any length. */
const mostBlocks = 1024;

/** Scores as integers that are ordered as they are, then the best of each row. */
export function topK(draft: PhaseDraft, n: TopK): void {
  const rows = productOf(n.domain.map((a) => draft.sizes.ofKernels.dim(a.size)));
  const count = draft.sizes.ofKernels.dim(n.over.size);
  const k = whole(draft.sizes.ofKernels.dim(n.k), n);
  const most = draft.sizes.most(n.over.size);
  const lines = draft.sizes.plannedFor(rows);
  const atOnce = keysAtOnce(k, lines, draft.order.target);
  if (k > 0 && most > atOnce && most <= mostBlocks * atOnce) return topKInBlocks(draft, n, k, most, lines);
  // Of a row that may be longer than it is: what a call needs does not grow with what is remembered.
  const longest = most <= mostBlocks * atOnce ? most : dimSize(draft.sizes.ofCalls.dim(n.over.size));
  const room = times(dimSize(productOf(n.domain.map((a) => draft.sizes.ofCalls.dim(a.size)))), longest);
  const keys = keysOf(draft, n, { domain: [...n.domain, n.over], body: n.body, where: n.where }, room);
  const sizes = draft.sizes.given([rows, count]);
  const d = { name: "k", sizes, rows: dimExpr(rows), count: dimExpr(count), k };
  const planned = draft.sizes.plannedFor(count);
  const kernel = selection(d, chooseSelection(d, planned, draft.order.target, lines));
  sorted(draft, n, kernel, { keys }, `selection of ${k} from ${planned}`);
}

/** Blocks of the axis one after the other, of which the best so far are kept. */
function topKInBlocks(draft: PhaseDraft, n: TopK, k: number, most: number, lines: number): void {
  const atOnce = keysAtOnce(k, lines, draft.order.target);
  const rows = dimSize(productOf(n.domain.map((a) => draft.sizes.ofCalls.dim(a.size))));
  const count = Math.ceil(most / atOnce);
  const index = draft.indexName("block");
  const { points, parts } = pointsOfBlock(n);
  const block: Block = {
    parts,
    sizes: sizesOfBlock(index, dimSize(draft.sizes.ofCalls.dim(n.over.size)), atOnce, rows),
    ranges: new Map([
      [blockSizes.points, { low: 1, high: atOnce }],
      [blockSizes.first, { low: 0, high: most }],
    ]),
    planned: { [blockSizes.points]: Math.min(atOnce, draft.sizes.plannedFor(n.over.size)), [blockSizes.first]: 0 },
  };
  const kept = { name: "k", sizes: { [blockSizes.rows]: {} }, rows: ir.name(blockSizes.rows), k };
  const sizes = { ...kept.sizes, [blockSizes.points]: {}, [blockSizes.first]: { multiple: atOnce } };
  const d = { ...kept, sizes, count: ir.name(blockSizes.points), from: ir.name(blockSizes.first) };
  const schedule = chooseKeeping(d, draft.order.target, lines);
  const buffer = (name: string, size: SizeExpr): Binding => {
    return { kind: "arena", buffer: draft.places.buffer(`${n.name}.${name}`, "i32", size) };
  };
  const names = ["kept_key", "kept_of", ...keepSpaces(schedule)];
  const space = Object.fromEntries(names.map((name) => [name, buffer(name, times(rows, k))]));
  const body = draft.round(() => {
    for (const [part, of] of parts) draft.places.put(part, draft.rowsFrom(of, block.sizes.get(blockSizes.first) ?? 0));
    const keys = keysOf(draft, n, points, times(rows, atOnce), block);
    sorted(draft, n, keepBest(d, schedule), { ...space, keys }, `the best ${k} of ${atOnce} more`, block);
  });
  draft.steps.push({ kind: "repeat", count, index, swap: [], body });
  const all: Block = { ...block, sizes: new Map([[blockSizes.rows, rows]]) };
  sorted(draft, n, sortKept({ ...kept, count: ir.constant(k) }, schedule), space, `the best ${k}, in order`, all);
}

export function argsort(draft: PhaseDraft, n: Argsort): void {
  const size = dimSize(draft.sizes.ofCalls.dim(n.over.size));
  const keys = keysOf(draft, n, { domain: [n.over], body: n.body }, size);
  const count = draft.sizes.ofKernels.dim(n.over.size);
  const d = { name: "k", sizes: draft.sizes.given([count]), count: dimExpr(count) };
  const kernel = sortPermutation(d, choosePermutation(draft.order.target));
  sorted(draft, n, kernel, { keys }, "stable sort");
}

function keysOf(
  draft: PhaseDraft,
  n: TopK | Argsort,
  points: Parameters<typeof makeNest>[1],
  size: SizeExpr,
  block: Block | null = null,
): Binding {
  if (isWide(n.body)) throw new UnsupportedError(`%${n.name} orders whole numbers of 64 bits`);
  const nest = draft.nest(n, { ...points, elem: "i32" }, block);
  const keys: Binding = { kind: "arena", buffer: draft.places.buffer(`${n.name}.keys`, "i32", size) };
  const planned = { ...draft.sizes.planned, ...block?.planned };
  const { kernel, says, refused } = draft.scheduled(nest, planned, {
    rule: draft.order.strategy(n.name),
    finish: asKey,
  });
  const buffers = [...draft.operands(nest), keys];
  draft.call(n, kernel, buffers, nest.loops, { says: `scores: ${says}`, refused }, block);
  return keys;
}

/** `given`: buffers of the kernel that are there; it writes the node's own, `index`, and has the others as work space. */
function sorted(
  draft: PhaseDraft,
  n: TopK | Argsort,
  kernel: Kernel,
  given: Readonly<Record<string, Binding>>,
  says: string,
  block: Block | null = null,
): void {
  const buffers = kernel.buffers.map((b): Binding => {
    if (b.name === "index") return draft.room(n);
    const known = given[b.name];
    if (known !== undefined) return known;
    return {
      kind: "arena",
      buffer: draft.places.buffer(`${n.name}.${b.name}`, b.elem, extent(draft, kernel, b.name)),
    };
  });
  draft.call(n, kernel, buffers, new Map(), { says, refused: [] }, block);
}

/** Elements of a kernel's buffer, over the sizes of a call. */
function extent(draft: PhaseDraft, k: Kernel, buffer: string): SizeExpr {
  const found = k.buffers.find((b) => b.name === buffer);
  if (found === undefined) throw new InternalError(`no buffer ${buffer}`);
  return draft.sizes.inCall(sizeOf(found.extent));
}

const asKey = (value: Expr, mask: Expr | null): Expr =>
  mask === null ? sortKey(value) : keyWhere(mask, sortKey(value));
