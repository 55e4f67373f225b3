/**
 * Which calls of a list are launched together, where a launch has a price: calls that do not touch what others write stand side by side,
 * and small ones that follow from each other are the stages of one group of lanes (kernel/joined.ts).
 */
import type { Binding, SizeExpr, TokenChoice } from "../../runtime/artifact/program.ts";
import { evalSize } from "../../runtime/artifact/size-expr.ts";
import { elems } from "../kernel/elem.ts";
import { evaluateExtent } from "../kernel/interpret.ts";
import { type Joined, joined } from "../kernel/joined.ts";
import type { Expr, Kernel } from "../kernel/kernel.ts";
import { printExpr } from "../kernel/print.ts";
import { sharedBytes } from "../kernel/target-fit.ts";
import { someExpr } from "../kernel/walk.ts";
import type { KernelTarget } from "../target/kernel-target.ts";

/** A call before kernels have numbers. */
export interface PlannedCall {
  readonly kernel: Kernel;
  readonly buffers: readonly Binding[];
  readonly sizes: readonly SizeExpr[];
}
export interface Member<Call extends PlannedCall> {
  readonly call: Call;
  readonly stage: number;
}
export type Launch<Call extends PlannedCall> = readonly Member<Call>[];

/** What is launched where. */
export interface Launching {
  readonly target: KernelTarget;
  /** The most that a size of a call may be; undefined where that is not known. */
  readonly most: (name: string) => number | undefined;
  /** Calls that are for one choice of a token alone: each is launched with others of these. None without it. */
  readonly choices?: ReadonlyMap<PlannedCall, TokenChoice>;
}

/** In an order in which each finds what it reads; of each launch the members in the order of the calls. */
export function launchesOf<Call extends PlannedCall>(
  calls: readonly Call[],
  launching: Launching,
): readonly Launch<Call>[] {
  const launches: Member<Call>[][] = [];
  for (const call of calls) {
    const last = launches.findLastIndex((of) => of.some((m) => meet(m.call, call)));
    const before = launches[last];
    if (before !== undefined && isSmall(call, launching) && before.every((m) => isSmall(m.call, launching))) {
      const stage = 1 + Math.max(...before.filter((m) => meet(m.call, call)).map((m) => m.stage));
      if (fits([...before, { call, stage }], launching)) {
        before.push({ call, stage });
        continue;
      }
    }
    // Groups that go through stages have no room for what is large.
    const takes = (of: Launch<Call>): boolean =>
      of.every((m) => m.stage === 0) || [...of.map((m) => m.call), call].every((c) => isSmall(c, launching));
    const beside = launches.find((of, i) => i > last && takes(of) && fits([...of, { call, stage: 0 }], launching));
    if (beside === undefined) launches.push([{ call, stage: 0 }]);
    else beside.push({ call, stage: 0 });
  }
  return launches;
}

/** The kernel of a launch, and what it is given. */
export function joinedCall(of: Launch<PlannedCall>, target: KernelTarget): PlannedCall {
  const bindings = new Map<string, Binding>();
  const sizes = new Map<string, SizeExpr>();
  const parts = of.map(({ call, stage }) => ({
    kernel: call.kernel,
    stage,
    buffers: call.buffers.map((b, i) => {
      const k = keyOf(call, i);
      bindings.set(k, b);
      return k;
    }),
    sizes: call.sizes.map((s) => {
      const k = JSON.stringify(s);
      sizes.set(k, s);
      return k;
    }),
  }));
  const made: Joined = joined(parts, lanesOf(of, target) ?? target.lanes);
  return {
    kernel: made.kernel,
    buffers: made.buffers.flatMap((k) => bindings.get(k) ?? []),
    sizes: made.sizes.map((k) => sizes.get(k) ?? 0),
  };
}

/** Equal for what may be one buffer of a kernel. */
function keyOf({ kernel, buffers }: PlannedCall, i: number): string {
  const b = kernel.buffers[i];
  return JSON.stringify([buffers[i], b?.elem, b?.pieces === undefined ? null : printExpr(b.pieces)]);
}
const placeOf = (b: Binding): string => {
  switch (b.kind) {
    case "arena":
      return `arena ${b.buffer}`;
    case "weight":
      return `weight ${b.weight}`;
    case "constant":
      return `constant ${b.constant}`;
    case "state":
      return `state ${b.state}`;
    case "input":
      return `input ${b.input}`;
    default:
      return b satisfies never;
  }
};

/** Whether one of them writes what the other has. */
function meet(a: PlannedCall, b: PlannedCall): boolean {
  const writes = ({ kernel }: PlannedCall, i: number): boolean => kernel.buffers[i]?.access !== "read";
  return a.buffers.some((x, i) =>
    b.buffers.some((y, j) => placeOf(x) === placeOf(y) && (writes(a, i) || writes(b, j))),
  );
}

/** Those of the members that have lanes, which are to be as many; null: none has. Undefined where they are not. */
function lanesOf(of: Launch<PlannedCall>, target: KernelTarget): number | null | undefined {
  // Alone: it may have to be launched several times.
  if (of.length > 1 && of.some((m) => m.call.kernel.window !== undefined)) return undefined;
  const all = new Set(of.map((m) => m.call.kernel.lanes).filter((n) => n > 1));
  const [lanes = null] = all;
  const isAlone = (k: Kernel): boolean => k.lanes === 1 && k.shared.length > 0;
  if (all.size > 1 || of.some((m) => isAlone(m.call.kernel))) return undefined;
  return lanes ?? target.lanes;
}

function fits(of: Launch<PlannedCall>, { target, choices }: Launching): boolean {
  if (target.mostBuffers === null || lanesOf(of, target) === undefined) return false;
  if (new Set(of.map((m) => choices?.get(m.call))).size > 1) return false;
  const keys = new Set(of.flatMap(({ call }) => call.buffers.map((_, i) => keyOf(call, i))));
  const bytes = of.reduce((sum, m) => sum + sharedBytes(m.call.kernel), 0);
  return keys.size <= target.mostBuffers && bytes <= target.sharedBytes && !isSeenTwice(of);
}
/** What is written is bound in one way. */
function isSeenTwice(of: Launch<PlannedCall>): boolean {
  const ways = new Map<string, Set<string>>();
  const written = new Set<string>();
  for (const { call } of of)
    for (const [i, b] of call.buffers.entries()) {
      const place = placeOf(b);
      ways.set(place, (ways.get(place) ?? new Set()).add(keyOf(call, i)));
      if (call.kernel.buffers[i]?.access !== "read") written.add(place);
    }
  return [...written].some((place) => (ways.get(place)?.size ?? 0) > 1);
}

/** Whether one group of lanes does all of it in less time than a launch takes: of known size at most, and with a share of the machine. */
function isSmall({ kernel, sizes }: PlannedCall, { target: { workers, launchBytes }, most }: Launching): boolean {
  const known: Record<string, number> = {};
  for (const [i, { name }] of kernel.sizes.entries()) {
    const value = mostOf(sizes[i] ?? name, most);
    if (value !== null) known[name] = value;
  }
  const isKnown = (e: Expr): boolean => !someExpr(e, (x) => x.kind === "name" && known[x.name] === undefined);
  let bytes = 0;
  for (const { extent, elem, pieces } of kernel.buffers) {
    if (pieces !== undefined || !isKnown(extent)) return false;
    bytes += evaluateExtent(extent, known) * elems[elem].bytes;
  }
  return bytes * workers <= launchBytes && kernel.grid.every((g) => isKnown(g.extent));
}
/** Null where it is not known. */
function mostOf(e: SizeExpr, most: Launching["most"]): number | null {
  let isKnown = true;
  const value = evalSize(e, (n) => {
    const found = most(n);
    isKnown &&= found !== undefined;
    return found ?? 1;
  });
  return isKnown ? value : null;
}
