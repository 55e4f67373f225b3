/** The steps of one phase: kernels of its graph in order, where their buffers are, and how long each lives. */
import type { Binding, Input, Output, Phase } from "../../runtime/artifact/program.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { Append, MapNode, Node, Repeat } from "../graph/node.ts";
import { isComputed } from "../graph/walk.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { buffersOf } from "../schedule/nest/given.ts";
import { choicesOf } from "./choices.ts";
import { sizeOf } from "./kernel-pool.ts";
import { PhaseDraft, whole } from "./phase-draft.ts";
import type { KernelReport, PhaseOrder } from "./phase-order.ts";
import { livesIn, settledSteps } from "./planned-steps.ts";
import { argsort, topK } from "./sorts.ts";
import { UnsupportedError } from "./unsupported.ts";

export interface BuiltPhase {
  readonly phase: Phase;
  readonly reports: readonly KernelReport[];
}

/** As many are checked at once. */
const fewTokens = 8;

export function buildPhase(order: PhaseOrder): BuiltPhase {
  const draft = new PhaseDraft(order);
  const inputs = inputsOf(draft);
  const { graph, name: phaseName, entry, results, from, to, target, tokens } = order;
  const wide = target.i64 ? undefined : draft.nodes.find((n) => n.type.dtype === "i64");
  if (wide !== undefined)
    throw new UnsupportedError(`%${wide.name} holds whole numbers of 64 bits, which ${target.name} does not have`);
  for (const n of draft.nodes) given(draft, n, inputs);
  fill(draft, null);
  const at = graph.results.map((out) => (isComputed(out) ? draft.places.of(out) : copied(draft, out, "result")));
  for (const place of at)
    if (place.kind === "arena") draft.places.touch(place.buffer, Math.max(0, draft.places.ordinal - 1));
  const outputs = graph.results.map((out, i): Output => {
    const place = at[i];
    if (place === undefined) throw new InternalError("a result is nowhere");
    return { name: results[i] ?? out.name, at: place, elem: order.elemOf(out), dims: draft.extents(out) };
  });
  const lookups = (order.lookups ?? []).flatMap(({ input, ...of }) => {
    const at = inputs.findIndex((i) => i.name === input);
    return at < 0 ? [] : [{ input: at, ...of }];
  });
  // Where calls are short, each launch counts; where they are long, what is kept for longer does.
  const joins =
    target.mostBuffers === null || to > fewTokens
      ? null
      : { target, most: (name: string) => (name === tokens ? to : undefined) };
  const { steps, calls } = settledSteps(draft.steps, order.pool, joins, choicesOf(draft.steps, outputs));
  const phase: Phase = {
    name: phaseName,
    entry,
    from,
    to,
    inputs,
    ...(lookups.length === 0 ? {} : { lookups }),
    buffers: joins === null ? draft.places.buffers : livesIn(steps, draft.places.buffers, at),
    steps,
    outputs,
  };
  const reports = draft.reports.map(({ call, ...report }): KernelReport => {
    const settled = calls.get(call);
    if (settled === undefined) throw new InternalError(`${call.label} is in no launch`);
    return { ...report, ...settled };
  });
  return { phase, reports };
}

/** What is there before the first step. */
function given(draft: PhaseDraft, n: Node, inputs: readonly Input[]): void {
  if (n.kind === "weight") draft.places.put(n, draft.order.given(n));
  if (n.kind === "state") draft.places.put(n, { kind: "state", state: draft.state(n), copy: 0, row: 0 });
  if (n.kind !== "input") return;
  const input = inputs.findIndex(({ name: of }) => of === n.name);
  draft.places.put(n, input < 0 ? draft.order.given(n) : { kind: "input", input });
}

/** The ids of the tokens, read or not, and what else is read. */
function inputsOf(draft: PhaseDraft): readonly Input[] {
  const { inputs, tokens, elemOf } = draft.order;
  const read = new Map(draft.nodes.map((n) => [n.name, n] as const));
  return inputs.flatMap((of, i): readonly Input[] => {
    const n = read.get(of);
    if (n?.kind !== "input" && n?.kind !== "weight") return i === 0 ? [{ name: of, elem: "i32", dims: [tokens] }] : [];
    return [{ name: of, elem: elemOf(n) === "i32" ? "i32" : "f32", dims: draft.extents(n) }];
  });
}

function fill(draft: PhaseDraft, region: Repeat | null): void {
  for (const n of draft.nodes) {
    if ((draft.region.get(n) ?? null) !== region) continue;
    if (n.kind === "map") map(draft, n);
    else if (n.kind === "top_k") topK(draft, n);
    else if (n.kind === "argsort") argsort(draft, n);
    else if (n.kind === "append") append(draft, n);
    else if (n.kind === "repeat") repeat(draft, n);
  }
}

function map(draft: PhaseDraft, n: MapNode): void {
  const nest = draft.nest(n, n);
  const room = draft.room(n);
  const rule = draft.order.strategy(n.name);
  const { kernel, ahead, says, refused } = draft.scheduled(nest, draft.sizes.planned, { rule });
  const operands = draft.operands(nest);
  if (ahead === null) return draft.call(n, kernel, [...operands, room], nest.loops, { says, refused });
  const left = draft.places.buffer(`${n.name}.${ahead.name}`, "f32", draft.sizes.inCall(sizeOf(ahead.extent)));
  const named = buffersOf(nest).map((b, i): readonly [string, Binding | undefined] => [b.name, operands[i]]);
  const at = new Map([...named, ["made", room], [ahead.name, { kind: "arena" as const, buffer: left }]]);
  const bound = (k: Kernel): readonly Binding[] =>
    k.buffers.map((b) => {
      const place = at.get(b.name);
      if (place === undefined) throw new InternalError(`%${n.name} has no ${b.name}`);
      return place;
    });
  draft.call(n, ahead.kernel, bound(ahead.kernel), nest.loops, { says, refused });
  draft.call(n, kernel, bound(kernel), nest.loops, { says: "what items have found, merged", refused: [] });
}

function append(draft: PhaseDraft, a: Append): void {
  draft.places.put(a, draft.rowsOf(a, 0));
  const rows = draft.rowsOf(a, draft.order.before);
  const at = draft.places.of(a.rows);
  if (!sameBinding(at, rows)) draft.copy(a.rows, at, rows, a.name, draft.order.elemOf(a.state));
}

function copied(draft: PhaseDraft, n: Node, label: string): Binding {
  const from = draft.places.of(n);
  if (from.kind === "arena") return from;
  const elem = draft.order.elemOf(n);
  const at: Binding = { kind: "arena", buffer: draft.places.buffer(label, elem, draft.elements(n)) };
  draft.copy(n, from, at, label, elem);
  return at;
}

function repeat(draft: PhaseDraft, r: Repeat): void {
  const count = whole(draft.sizes.ofCalls.dim(r.count), r);
  const elem = draft.order.elemOf(r);
  const room = (part: string): number => draft.places.buffer(`${r.name}.${part}`, elem, draft.elements(r));
  const own = ownInit(draft, r);
  const start = own ?? room("carry");
  const carry: Binding = { kind: "arena", buffer: start };
  if (own === null) draft.copy(r.init, draft.places.of(r.init), carry, `${r.name}.init`, elem);
  const next = room("next");
  const index = draft.indexName(r.index.name);
  draft.loops.set(r.index, index);
  const before = draft.times;
  draft.times *= count;
  draft.places.put(r.carry, carry);
  const made: Binding = { kind: "arena", buffer: next };
  const { body: value } = r;
  const isOwn = isComputed(value) && draft.region.get(value) === r && draft.inState(value) === null;
  const direct = isOwn && draft.order.elemOf(value) === elem;
  if (direct) draft.places.put(r.body, made);
  const body = draft.round(() => {
    draft.places.touch(start);
    draft.places.touch(next);
    fill(draft, r);
    if (!direct) draft.copy(r.body, draft.places.of(r.body), made, `${r.name}.next`, elem);
  });
  draft.times = before;
  draft.loops.delete(r.index);
  if (body.length > 0 && count > 0) draft.steps.push({ kind: "repeat", count, index, swap: [[start, next]], body });
  // Both change places after each round but the last; the names then mean what they meant before it.
  draft.places.put(r, count % 2 === 1 ? made : carry);
}

/** The buffer of the first value, where nobody else wants it afterwards. */
function ownInit(draft: PhaseDraft, r: Repeat): number | null {
  const { init } = r;
  if (draft.order.elemOf(init) !== draft.order.elemOf(r)) return null;
  if (!isComputed(init) || draft.uses.get(init) !== 1 || draft.region.get(init) !== draft.region.get(r)) return null;
  const at = draft.places.of(init);
  return at.kind === "arena" ? at.buffer : null;
}

const sameBinding = (a: Binding, b: Binding): boolean => JSON.stringify(a) === JSON.stringify(b);
