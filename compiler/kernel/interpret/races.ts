/** Who touched each element of a memory: between two barriers one lane if it writes, in a whole run one item if it writes. */
import { KernelFault } from "./fault.ts";

/** What lanes and memory share while an item runs. */
export interface Clock {
  /** Counts barriers and items, from 1 on. */
  epoch: number;
  item: number;
}

/** Others are 1 more than what they are, so that memory that is never touched is never written to. */
const nobody = 0;
const several = -1;
/** Who has read after one more did. */
const joined = (before: number | undefined, one: number): number =>
  before === nobody || before === one ? one : several;

/** Who wrote an element and who read it since the last barrier. A reduction is no barrier. */
export class LaneRaces {
  readonly #name: string;
  readonly #epoch: Int32Array;
  readonly #writer: Int32Array;
  readonly #reader: Int32Array;
  readonly #clock: Clock;
  constructor(name: string, length: number, clock: Clock) {
    this.#name = name;
    this.#epoch = new Int32Array(length);
    this.#writer = new Int32Array(length);
    this.#reader = new Int32Array(length);
    this.#clock = clock;
  }
  #touch(i: number): void {
    if (this.#epoch[i] === this.#clock.epoch) return;
    this.#epoch[i] = this.#clock.epoch;
    this.#writer[i] = nobody;
    this.#reader[i] = nobody;
  }
  #alone(i: number, other: number | undefined, lane: number): void {
    if (other === nobody || other === lane + 1) return;
    const who = other === several ? "others" : `lane ${(other ?? 0) - 1}`;
    throw new KernelFault("race", `lane ${lane} and ${who} touch ${this.#name}[${i}] without a barrier between`);
  }
  read(i: number, lane: number): void {
    this.#touch(i);
    this.#alone(i, this.#writer[i], lane);
    this.#reader[i] = joined(this.#reader[i], lane + 1);
  }
  write(i: number, lane: number): void {
    this.#touch(i);
    this.#alone(i, this.#writer[i], lane);
    this.#alone(i, this.#reader[i], lane);
    this.#writer[i] = lane + 1;
  }
}

/** Which items wrote and read an element. They run in any order and at once. */
export class ItemRaces {
  readonly #name: string;
  readonly #writer: Int32Array;
  readonly #reader: Int32Array;
  readonly #clock: Clock;
  constructor(name: string, length: number, clock: Clock) {
    this.#name = name;
    this.#writer = new Int32Array(length);
    this.#reader = new Int32Array(length);
    this.#clock = clock;
  }
  #alone(i: number, other: number | undefined): void {
    const { item } = this.#clock;
    if (other === nobody || other === item + 1) return;
    const who = other === several ? "others" : `item ${(other ?? 0) - 1}`;
    throw new KernelFault("race", `item ${item} and ${who} touch ${this.#name}[${i}], and one of them writes`);
  }
  read(i: number): void {
    this.#alone(i, this.#writer[i]);
    this.#reader[i] = joined(this.#reader[i], this.#clock.item + 1);
  }
  write(i: number): void {
    this.#alone(i, this.#writer[i]);
    this.#alone(i, this.#reader[i]);
    this.#writer[i] = this.#clock.item + 1;
  }
}
