/**
 * Buffers that share a binding, side by side. Weights and constants are written there when they are loaded, once more than to their
 * own place; what is known in a call only is copied before the step that wants it.
 */
import type { PlacedBuffer } from "../calls/link-call.ts";
import type { ValueBuilder, ValueId } from "../calls/values.ts";
import type { BoundRange, BufferTable } from "./buffer-table.ts";
import type { BoundBuffer, Places } from "./places.ts";
import { alignment } from "./plan-weights.ts";

export interface GatheredMember extends BoundBuffer {
  readonly placed: PlacedBuffer;
  readonly extent: ValueId;
  /** Bytes of an element. */
  readonly size: number;
  /** Elements that there are of it at most. */
  readonly most: number;
}

/** A copy of `elements` elements, from element `start` of a range on; both multiples of what a copy may be of. */
export interface Gather {
  readonly range: BoundRange;
  readonly start: ValueId;
  readonly elements: ValueId;
  /** Bytes of an element. */
  readonly size: number;
  /** Where it goes, and the byte there. */
  readonly into: number;
  readonly at: number;
}

/** A constant that stands a second time in a buffer, from its element `from` on. */
export interface ConstantCopy {
  readonly constant: number;
  readonly from: number;
  readonly elements: number;
  readonly buffer: number;
  readonly at: number;
}

interface Side {
  readonly range: BoundRange;
  /** By member. */
  readonly starts: readonly ValueId[];
  readonly gathers: readonly Gather[];
}

export class Gathered {
  readonly constants: ConstantCopy[] = [];
  readonly #table: BufferTable;
  readonly #places: Places;
  readonly #fixed = new Map<string, BoundRange>();
  /** By ordinal of the binding: what is copied there is used by the next step only. */
  readonly #passing: { range: BoundRange; bytes: number }[] = [];
  constructor(table: BufferTable, places: Places) {
    this.#table = table;
    this.#places = places;
  }

  beside(b: ValueBuilder, members: readonly GatheredMember[], binding: number): Side {
    const fixed = members.map((m) => fixedStretch(b, m));
    const known = fixed.filter((f) => f !== null);
    return known.length === members.length ? this.#once(b, members, known) : this.#before(b, members, binding);
  }

  #once(b: ValueBuilder, members: readonly GatheredMember[], stretches: readonly FixedStretch[]): Side {
    let elements = 0;
    const at = stretches.map(({ lead, count }) => {
      const start = elements;
      elements += aligned(lead + count);
      return start;
    });
    const size = members[0]?.size ?? 4;
    const key = stretches.map((s) => `${s.kind} ${s.index} ${s.from} ${s.count}`).join();
    const before = this.#fixed.get(key);
    const range = before ?? this.#table.add("what shares a binding", elements * size);
    if (before === undefined) {
      this.#fixed.set(key, range);
      for (const [i, { kind, index, from, lead, count }] of stretches.entries()) {
        const place = { from, elements: count, buffer: range.buffer, at: ((at[i] ?? 0) + lead) * size };
        if (kind === "weight") this.#places.weights[index]?.push(place);
        else this.constants.push({ constant: index, ...place });
      }
    }
    return { range, starts: stretches.map(({ lead }, i) => b.constant((at[i] ?? 0) + lead)), gathers: [] };
  }

  #before(b: ValueBuilder, members: readonly GatheredMember[], binding: number): Side {
    const size = members[0]?.size ?? 4;
    let elements = 0;
    const at = members.map(({ most }) => {
      const start = elements;
      elements += aligned(alignment + most);
      return start;
    });
    const range = this.#passingOf(binding, elements * size);
    const by = b.constant(alignment);
    const gathers = members.map((m, i): Gather => {
      const lead = b.operation("%", m.start, by);
      const start = b.operation("-", m.start, lead);
      // Whole words, and no more than are there.
      const all = b.operation("+", b.operation("+", lead, m.extent), b.constant(alignment - 1));
      const whole = b.operation("*", b.operation("/", all, by), by);
      const left = b.operation("-", b.constant(m.range.bytes / size), start);
      return {
        range: m.range,
        start,
        elements: b.operation("min", whole, left),
        size,
        into: range.buffer,
        at: (at[i] ?? 0) * size,
      };
    });
    const starts = members.map((m, i) => b.operation("+", b.constant(at[i] ?? 0), b.operation("%", m.start, by)));
    return { range, starts, gathers };
  }

  /** Grows with what it has to hold. */
  #passingOf(binding: number, bytes: number): BoundRange {
    const before = this.#passing[binding];
    if (before !== undefined && before.bytes >= bytes) return before.range;
    const range = this.#table.add("what shares a binding in a call", bytes);
    this.#passing[binding] = { range, bytes };
    return range;
  }
}

interface FixedStretch {
  readonly kind: "weight" | "constant";
  readonly index: number;
  readonly from: number;
  readonly count: number;
  /** Elements before it, so that it starts where its kernel expects it to. */
  readonly lead: number;
}

function fixedStretch(b: ValueBuilder, { placed, extent }: GatheredMember): FixedStretch | null {
  if (placed.kind !== "weight" && placed.kind !== "constant") return null;
  const [from, count] = [b.known(placed.from), b.known(extent)];
  if (from === null || count === null) return null;
  const index = placed.kind === "weight" ? placed.weight : placed.constant;
  return { kind: placed.kind, index, from, count, lead: from % alignment };
}

const aligned = (elements: number): number => Math.ceil(elements / alignment) * alignment;
