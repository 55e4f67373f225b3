/** Steps of a phase before kernels have numbers, and what becomes of them: what is launched together is one call. */
import type { ArenaBuffer, Binding, Call, Repeat, Step, TokenChoice } from "../../runtime/artifact/program.ts";
import type { KernelPool } from "./kernel-pool.ts";
import { joinedCall, type Launch, type Launching, launchesOf, type PlannedCall } from "./launches.ts";

export interface LabelledCall extends PlannedCall {
  readonly kind: "planned";
  readonly label: string;
  /** Where the text defines it. */
  readonly where: string | null;
}
export interface PlannedRepeat extends Omit<Repeat, "body"> {
  readonly body: readonly PlannedStep[];
}
export type PlannedStep = LabelledCall | PlannedRepeat;

/** What became of a call: its kernel's name, and which launch of the phase it is part of. */
export interface Settled {
  readonly kernel: string;
  readonly launch: number;
  readonly choice: TokenChoice | null;
}
export interface SettledSteps {
  readonly steps: readonly Step[];
  readonly calls: ReadonlyMap<LabelledCall, Settled>;
}

/** `launching`: calls are launched together; null: one by one. `choices`: those that are for one choice of a token alone. */
export function settledSteps(
  all: readonly PlannedStep[],
  pool: KernelPool,
  launching: Launching | null,
  choices: ReadonlyMap<LabelledCall, TokenChoice>,
): SettledSteps {
  const calls = new Map<LabelledCall, Settled>();
  let launches = 0;
  const launch = (of: Launch<LabelledCall>): readonly Step[] => {
    const [first] = of;
    if (first === undefined) return [];
    const { call } = first;
    const alone = of.length === 1 || launching === null;
    const { kernel, buffers, sizes } = alone ? call : joinedCall(of, launching.target);
    const label = alone ? call.label : `${call.label} and ${of.length - 1} more`;
    const number = pool.add(kernel, label, call.where);
    const choice = choices.get(first.call) ?? null;
    for (const m of of) calls.set(m.call, { kernel: pool.kernels[number]?.name ?? "", launch: launches, choice });
    launches += 1;
    const made: Call = {
      kind: "call",
      kernel: number,
      buffers,
      sizes,
      label: of.map((m) => m.call.label).join(", "),
      ...(choice === null ? {} : { choice }),
    };
    return [made];
  };
  const settle = (steps: readonly PlannedStep[]): readonly Step[] => {
    const done: Step[] = [];
    let open: LabelledCall[] = [];
    const close = (): void => {
      const groups =
        launching === null ? open.map((call) => [{ call, stage: 0 }]) : launchesOf(open, { ...launching, choices });
      for (const of of groups) done.push(...launch(of));
      open = [];
    };
    for (const s of steps) {
      if (s.kind === "planned") open.push(s);
      else {
        close();
        done.push({ ...s, body: settle(s.body) });
      }
    }
    close();
    return done;
  };
  return { steps: settle(all), calls };
}

/** Lives of buffers whose steps stand in another order than they were made in; `kept`: until after the last step. */
export function livesIn(
  steps: readonly Step[],
  buffers: readonly ArenaBuffer[],
  kept: readonly Binding[],
): readonly ArenaBuffer[] {
  const touched = buffers.map((): number[] => []);
  const repeats: { readonly from: number; readonly to: number; readonly swapped: ReadonlySet<number> }[] = [];
  let ordinal = 0;
  const visit = (all: readonly Step[]): void => {
    for (const s of all) {
      if (s.kind === "call") {
        for (const b of s.buffers) if (b.kind === "arena") touched[b.buffer]?.push(ordinal);
        ordinal += 1;
        continue;
      }
      const from = ordinal;
      visit(s.body);
      repeats.push({ from, to: Math.max(from, ordinal - 1), swapped: new Set(s.swap.flat()) });
    }
  };
  visit(steps);
  for (const b of kept) if (b.kind === "arena") touched[b.buffer]?.push(Math.max(0, ordinal - 1));
  return buffers.map((b, i) => {
    const at = touched[i] ?? [];
    // Inner repeats come first: what lives through one is there in those around it.
    for (const { from, to, swapped } of repeats) {
      const inside = at.some((x) => x >= from && x <= to);
      if (inside && (swapped.has(i) || at.some((x) => x < from || x > to))) at.push(from, to);
    }
    return at.length === 0 ? b : { ...b, live: [Math.min(...at), Math.max(...at)] };
  });
}
