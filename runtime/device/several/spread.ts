/** Puts the weights and states of a model that is too large for one memory into several. Loaded where that is so only. */
import { elemBytes } from "../../artifact/elems.ts";
import { OutOfMemoryError } from "../../artifact/errors.ts";
import type { Program } from "../../artifact/program.ts";
import { type StepUses, usesOf } from "../../calls/step-uses.ts";
import type { StateLayout } from "../layout.ts";
import type { Spread, SpreadRequest, StateCopy, WeightPart } from "../spread.ts";
import { type Packed, pack } from "./partition.ts";
import { cutIntoParts, type Item, type Parts } from "./parts.ts";
import { routePhase } from "./route.ts";

/** More would be a mistake: each takes addresses of 4 GiB and more from the process. */
const mostMemories = 64;

/** Sessions at one time that have room in each memory, the first number that is possible: another memory costs next to nothing. */
const wantedSessions = [4, 2, 1];

/** Throws OutOfMemoryError where something is larger than a memory, and CorruptPackageError. */
export function inSeveralMemories(request: SpreadRequest): Spread {
  const { program, layout, states, arena, limit } = request;
  const uses = program.phases.map((phase) => usesOf(program, phase));
  const parts = cutIntoParts(program, states, uses.flat());
  const room = limit - layout.end;
  if (room <= 0) throw new OutOfMemoryError("what calls need beside the weights", layout.end, limit);
  const phases = uses.map((steps) => unitsOf(steps, parts));
  const packedFor = (sessions: number): Packed =>
    pack({
      items: parts.items.map(({ bytes, kind }) =>
        kind === "state" ? { bytes: sessions * bytes, single: true } : { bytes, single: false },
      ),
      ...{ phases, room, mostMemories },
    });
  let packed: Packed = { kind: "too-many" };
  for (const sessions of wantedSessions) {
    packed = packedFor(sessions);
    if (packed.kind === "packed") break;
  }
  if (packed.kind !== "packed") throw refusal(packed, request, parts);
  const { where, memories } = packed;
  const places = placeParts(request, parts.items, where, memories);
  const mayRun = (step: StepUses): readonly number[] =>
    parts.of(step).reduce<readonly number[]>(
      (left, item) => left.filter((memory) => where[item]?.includes(memory)),
      Array.from({ length: memories }, (_, memory) => memory),
    );
  const routes = program.phases.map(({ buffers }, i) => {
    const elements = arena.phases[i]?.buffers ?? [];
    const bytes = buffers.map((b, place) => (elements[place] ?? 0) * elemBytes[b.elem]);
    return routePhase({ memories, steps: uses[i] ?? [], mayRun, bytes });
  });
  return { ...places, routes };
}

/** Items of the steps of each round, in order. */
function unitsOf(steps: readonly StepUses[], parts: Parts): readonly (readonly (readonly number[])[])[] {
  const units: (readonly number[])[][] = [];
  for (const step of steps) {
    const unit = units[step.unit] ?? [];
    units[step.unit] = unit;
    const items = parts.of(step);
    if (items.length > 0) unit.push(items);
  }
  return units;
}

function placeParts(
  { program, layout, states }: SpreadRequest,
  items: readonly Item[],
  where: readonly (readonly number[])[],
  memories: number,
): Omit<Spread, "routes"> {
  const ends = Array.from({ length: memories }, () => layout.end);
  const rows = Array.from({ length: memories }, () => 0);
  const take = (tops: number[], memory: number, bytes: number): number => {
    const at = tops[memory] ?? 0;
    tops[memory] = at + bytes;
    return at;
  };
  const weights = program.weights.map((): WeightPart[] => []);
  const copies = program.states.map((): StateCopy[] => []);
  for (const [i, item] of items.entries())
    for (const memory of where[i] ?? []) {
      if (item.kind === "weight")
        weights[item.weight]?.push({
          from: item.from,
          elements: item.elements,
          memory,
          at: take(ends, memory, item.bytes),
        });
      // Copies of a state follow each other: which of them is meant may be known in a call only.
      else
        for (const { state, copy } of item.copies) {
          const of = copies[state];
          if (of !== undefined) of[copy] = { memory, offset: take(rows, memory, states.copyBytes[state] ?? 0) };
        }
    }
  return {
    memories: ends.map((end, memory) => ({ end, states: rows[memory] ?? 0 })),
    weights,
    states: copies,
  };
}

function refusal(
  packed: Exclude<Packed, { kind: "packed" }>,
  { program, layout, states, limit }: SpreadRequest,
  { items }: Parts,
): OutOfMemoryError {
  if (packed.kind === "too-many") {
    const needed = items.reduce((n, item) => n + item.bytes, 0);
    return new OutOfMemoryError("the model with one session", needed, mostMemories * (limit - layout.end));
  }
  const large = packed.items.map((i) => items[i]).filter((item) => item !== undefined);
  const largest = large.toSorted((a, b) => b.bytes - a.bytes)[0];
  const named = largest === undefined ? "a step" : nameOf(largest, program, states);
  const bytes = large.reduce((n, item) => n + item.bytes, 0);
  return largest !== undefined && largest.bytes > packed.room
    ? new OutOfMemoryError(`${named}, which has to be in one memory,`, largest.bytes, packed.room)
    : new OutOfMemoryError(`what one step reads, ${named} and more,`, bytes, packed.room);
}

function nameOf(item: Item, { weights, states: decls }: Program, { rows }: StateLayout): string {
  if (item.kind === "weight") return `weight ${weights[item.weight]?.name ?? ""}`;
  const names = [...new Set(item.copies.map(({ state }) => decls[state]?.name ?? ""))];
  return `${rows} rows of ${names.join(", ")}`;
}
