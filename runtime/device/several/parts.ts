/**
 * What may be put into memories apart from each other: stretches of weights that no step reads together with their neighbours (the
 * layers of a stack), and the rows of states that no step needs together.
 */
import { elemBytes } from "../../artifact/elems.ts";
import type { Program } from "../../artifact/program.ts";
import { cutWeights } from "../../calls/cut-weights.ts";
import type { StepUses, WeightUse } from "../../calls/step-uses.ts";
import { type StateLayout, spaced } from "../layout.ts";

export interface WeightStretch {
  readonly kind: "weight";
  readonly weight: number;
  /** Elements. */
  readonly from: number;
  readonly elements: number;
  readonly bytes: number;
}
/** Copies of states, which are in one memory only since they are written. */
export interface StateGroup {
  readonly kind: "state";
  readonly copies: readonly { readonly state: number; readonly copy: number }[];
  readonly bytes: number;
}
export type Item = WeightStretch | StateGroup;

export interface Parts {
  readonly items: readonly Item[];
  /** Ordinals of the items that a step touches. */
  readonly of: (step: StepUses) => readonly number[];
}

export function cutIntoParts(program: Program, states: StateLayout, steps: readonly StepUses[]): Parts {
  const items: Item[] = [];
  const stretches = cutWeights(program, steps).map((cut, weight) =>
    cut.map(({ from, to }) => {
      const bytes = spaced((to - from) * elemBytes[program.weights[weight]?.elem ?? "f32"]);
      return { from, item: items.push({ kind: "weight", weight, from, elements: to - from, bytes }) - 1 };
    }),
  );
  const groups = groupStates(program, states, steps);
  const itemOfCopy = program.states.map(({ copies }) => new Array<number>(copies).fill(0));
  for (const group of groups) {
    const item = items.push(group) - 1;
    for (const { state, copy } of group.copies) itemOfCopy[state]?.splice(copy, 1, item);
  }
  const weightItem = ({ weight, from }: WeightUse): number =>
    stretches[weight]?.findLast((stretch) => stretch.from <= from)?.item ?? 0;
  return {
    items,
    of: ({ weights, states: rows }) => [
      ...new Set([
        ...weights.map(weightItem),
        // What the linker will refuse has no item.
        ...rows.map(({ state, copy }) => itemOfCopy[state]?.[copy ?? 0] ?? -1).filter((item) => item >= 0),
      ]),
    ],
  };
}

function groupStates(program: Program, states: StateLayout, steps: readonly StepUses[]): readonly StateGroup[] {
  const firsts: number[] = [];
  const copies = program.states.flatMap((decl, state) => {
    firsts.push(firsts.length === 0 ? 0 : (firsts.at(-1) ?? 0) + (program.states[state - 1]?.copies ?? 0));
    return Array.from({ length: decl.copies }, (_, copy) => ({ state, copy }));
  });
  const parent = copies.map((_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at] ?? at] ?? at;
      at = parent[at] ?? at;
    }
    return at;
  };
  for (const step of steps) {
    const touched = step.states.flatMap(({ state, copy }) => {
      const [first, count] = [firsts[state] ?? 0, program.states[state]?.copies ?? 0];
      if (copy === null) return Array.from({ length: count }, (_, i) => first + i);
      return copy >= 0 && copy < count ? [first + copy] : [];
    });
    for (const other of touched.slice(1)) parent[root(other)] = root(touched[0] ?? other);
  }
  const groups = new Map<number, { readonly state: number; readonly copy: number }[]>();
  for (const [i, one] of copies.entries()) {
    const group = groups.get(root(i));
    if (group === undefined) groups.set(root(i), [one]);
    else group.push(one);
  }
  return [...groups.values()].map((members) => ({
    kind: "state",
    copies: members,
    bytes: members.reduce((n, { state }) => n + (states.copyBytes[state] ?? 0), 0),
  }));
}
