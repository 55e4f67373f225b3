/**
 * Puts items into as few memories as hold them, in the order in which steps need them, so that what is read one after the other
 * is together: rounds (layers) as a whole, and where a round is larger than a memory, what steps read together. Every step finds
 * all of its items in one memory; where it reads what is elsewhere already (a tied embedding, a norm of all layers), it gets a
 * copy if it cannot run there. Then the same with less room, so that the memories are equally full.
 */

export interface PackItem {
  readonly bytes: number;
  /** Whether it must not be in two memories. */
  readonly single: boolean;
}

type Unit = readonly (readonly number[])[];

export interface PackRequest {
  readonly items: readonly PackItem[];
  /** Of each phase, of each round: the items of its steps. */
  readonly phases: readonly (readonly Unit[])[];
  /** Bytes that a memory has for items. */
  readonly room: number;
  readonly mostMemories: number;
}

export type Packed =
  | {
      readonly kind: "packed";
      /** Of each item: its memories, ascending. */
      readonly where: readonly (readonly number[])[];
      readonly memories: number;
    }
  /** `items` of one step have no place in one memory, which has room for `room`. */
  | { readonly kind: "too-large"; readonly items: readonly number[]; readonly room: number }
  | { readonly kind: "too-many" };

/** Differences between memories that are not worth another try. */
const evenEnough = (room: number): number => Math.max(4096, room / 256);

export function pack(request: PackRequest): Packed {
  const { items, room, mostMemories } = request;
  const total = items.reduce((n, i) => n + i.bytes, 0);
  if (total > room * mostMemories) return { kind: "too-many" };
  const clusters = clustersOf(request);
  let best = new Packer(request, clusters, room, mostMemories).run();
  if (best.kind !== "packed") return best;
  let [low, high] = [Math.floor(total / best.memories), room];
  while (high - low > evenEnough(room)) {
    const cap = Math.floor((low + high) / 2);
    const tried = new Packer(request, clusters, cap, best.memories).run();
    if (tried.kind === "packed") [best, high] = [tried, cap];
    else low = cap;
  }
  return best;
}

/** Of each item: those that steps read with it, over several steps; what more than one round reads joins nothing. */
function clustersOf({ items, phases }: PackRequest): readonly (readonly number[])[] {
  const shared = new Set<number>();
  for (const units of phases) {
    const seen = new Set<number>();
    for (const unit of units)
      for (const item of new Set(unit.flat())) {
        if (seen.has(item)) shared.add(item);
        seen.add(item);
      }
  }
  const clusters = items.map((_, item) => [item]);
  for (const step of phases.flat(2)) {
    const [first, ...others] = step.filter((item) => !shared.has(item));
    for (const other of others) {
      const [a, b] = [clusters[first ?? other] ?? [], clusters[other] ?? []];
      if (a === b) continue;
      a.push(...b);
      for (const item of b) clusters[item] = a;
    }
  }
  return clusters;
}

class Packer {
  readonly #request: PackRequest;
  readonly #clusters: readonly (readonly number[])[];
  readonly #room: number;
  readonly #most: number;
  readonly #where: number[][];
  readonly #used: number[] = [0];
  /** The memory that is being filled. */
  #current = 0;
  constructor(request: PackRequest, clusters: readonly (readonly number[])[], room: number, most: number) {
    this.#request = request;
    this.#clusters = clusters;
    this.#room = room;
    this.#most = most;
    this.#where = request.items.map(() => []);
  }

  run(): Packed {
    for (const unit of this.#request.phases.flat()) {
      this.#placeTogether(unit.flat());
      for (const step of unit) {
        for (const item of step) this.#placeTogether(this.#clusters[item] ?? []);
        const refused = this.#settle(step);
        if (refused !== null) return refused;
      }
    }
    // What no step reads is part of the model all the same.
    for (const [item, memories] of this.#where.entries()) {
      const refused = memories.length > 0 ? null : this.#settle([item]);
      if (refused !== null) return refused;
    }
    const where = this.#where.map((memories) => memories.toSorted((a, b) => a - b));
    return { kind: "packed", where, memories: this.#used.length };
  }

  #bytes(items: Iterable<number>): number {
    let bytes = 0;
    for (const item of items) bytes += this.#request.items[item]?.bytes ?? 0;
    return bytes;
  }

  #fits(bytes: number, memory: number): boolean {
    return (this.#used[memory] ?? 0) + bytes <= this.#room;
  }

  #put(items: Iterable<number>, memory: number): void {
    for (const item of items) {
      this.#where[item]?.push(memory);
      this.#used[memory] = (this.#used[memory] ?? 0) + this.#bytes([item]);
    }
  }

  /** What is nowhere yet, if a memory holds all of it. */
  #placeTogether(items: readonly number[]): void {
    const fresh = [...new Set(items)].filter((item) => !this.#isPlaced(item));
    const bytes = this.#bytes(fresh);
    if (!this.#fits(bytes, this.#current)) {
      if (bytes > this.#room || !this.#open()) return;
    }
    this.#put(fresh, this.#current);
  }

  #open(): boolean {
    if (this.#used.length >= this.#most) return false;
    this.#current = this.#used.push(0) - 1;
    return true;
  }

  /** All items of a step into one memory, the one that takes fewest copies of what is elsewhere. */
  #settle(step: readonly number[]): Exclude<Packed, { kind: "packed" }> | null {
    const memories = this.#used.map((_, memory) => memory).filter((memory) => this.#maySettle(step, memory));
    const copied = (memory: number): number =>
      this.#bytes(this.#missing(step, memory).filter((i) => this.#isPlaced(i)));
    const near = (memory: number): number => (memory === this.#current ? 0 : 1);
    const best = memories.sort((a, b) => copied(a) - copied(b) || near(a) - near(b) || a - b)[0];
    if (best !== undefined) {
      this.#put(this.#missing(step, best), best);
      return null;
    }
    const pinned = step.find((item) => this.#isPinned(item));
    if (pinned !== undefined) return { kind: "too-large", items: step, room: this.#roomBeside(step, pinned) };
    if (this.#bytes(step) > this.#room) return { kind: "too-large", items: step, room: this.#room };
    if (!this.#open()) return { kind: "too-many" };
    this.#put(step, this.#current);
    return null;
  }

  #maySettle(step: readonly number[], memory: number): boolean {
    const missing = this.#missing(step, memory);
    return this.#fits(this.#bytes(missing), memory) && !missing.some((item) => this.#isPinned(item));
  }

  /** For all of a step in the memory where the item is. */
  #roomBeside(step: readonly number[], item: number): number {
    const memory = this.#where[item]?.[0] ?? 0;
    const missing = this.#bytes(this.#missing(step, memory));
    return this.#room - (this.#used[memory] ?? 0) + this.#bytes(step) - missing;
  }

  #missing(step: readonly number[], memory: number): readonly number[] {
    return step.filter((item) => this.#where[item]?.includes(memory) !== true);
  }

  #isPlaced(item: number): boolean {
    return (this.#where[item]?.length ?? 0) > 0;
  }

  #isPinned(item: number): boolean {
    return this.#request.items[item]?.single === true && this.#isPlaced(item);
  }
}
