/**
 * A model of whole numbers that is as strict as can be: its logits hang on all tokens before, its row of a token is a hash of the
 * text up to there, and its drafting entry looks at every pair that it is fed. `wrong` lists what it was fed wrongly.
 */
import type { DraftingModel, Told } from "../../runtime/session/drafting-model.ts";

export interface CountedOptions {
  readonly vocabulary: number;
  readonly seed: number;
  readonly context?: number;
  readonly chunk?: number;
  readonly checks?: number;
  /** Logits of the drafting entry for what comes behind `text`, which ends with the token of the last pair. */
  readonly guess: (text: readonly number[], model: CountedModel) => readonly number[];
}

/** Of a text: a whole number below 2^32. */
function hash(text: readonly number[], seed: number): number {
  let h = Math.imul(seed + 1, 0x9e3779b1);
  for (const id of text) h = Math.imul((h ^ (h >>> 15)) + id + 1, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

interface Pair {
  readonly row: number;
  readonly id: number;
}

export class CountedModel implements DraftingModel {
  readonly context: number;
  readonly chunk: number;
  readonly checks: number;
  readonly wrong: string[] = [];
  readonly calls = { advance: 0, again: 0, draft: 0 };
  readonly #options: CountedOptions;
  #ids: number[] = [];
  #pairs: Pair[] = [];

  constructor(options: CountedOptions) {
    this.#options = options;
    this.context = options.context ?? 1000;
    this.chunk = options.chunk ?? 8;
    this.checks = options.checks ?? 8;
  }

  /** [vocabulary], of what comes behind the text. */
  logits(text: readonly number[]): readonly number[] {
    const { vocabulary, seed } = this.#options;
    return Array.from({ length: vocabulary }, (_, v) => (hash([...text, v], seed) / 2 ** 32) * 4);
  }
  row(text: readonly number[]): number {
    return hash(text, this.#options.seed + 1);
  }

  get length(): number {
    return this.#ids.length;
  }
  get drafted(): number {
    return this.#pairs.length;
  }
  /** Rows of pairs, and ids. */
  get pairs(): readonly Pair[] {
    return this.#pairs;
  }
  tokens(): readonly number[] {
    return [...this.#ids];
  }

  async advance(ids: readonly number[], logits: "next" | "logits"): Promise<Told> {
    this.calls.advance += 1;
    if (ids.length === 0 || this.#ids.length + ids.length > this.context) throw new RangeError("it has no room");
    if (ids.length > (logits === "next" ? this.chunk : this.checks)) throw new RangeError("too many tokens of a call");
    const texts = ids.map((_, i) => [...this.#ids, ...ids.slice(0, i + 1)]);
    this.#ids.push(...ids);
    const wanted = logits === "next" ? texts.slice(-1) : texts;
    return {
      logits: Float64Array.from(wanted.flatMap((text) => this.logits(text))),
      rows: [Float64Array.from(texts.flatMap((text) => [this.row(text), -this.row(text)]))],
    };
  }

  async again(count: number): Promise<readonly Float64Array[]> {
    this.calls.again += 1;
    if (count > this.checks) throw new RangeError("too many tokens of a call");
    const first = this.#ids.length - count;
    const texts = Array.from({ length: count }, (_, i) => this.#ids.slice(0, first + i + 1));
    return [Float64Array.from(texts.flatMap((text) => [this.row(text), -this.row(text)]))];
  }

  rollback(count: number): void {
    if (count < 0 || count > this.#ids.length) throw new RangeError("these are not there");
    this.#ids.length -= count;
  }

  async draft(ids: readonly number[], [rows]: readonly ArrayLike<number>[]): Promise<Told> {
    this.calls.draft += 1;
    if (rows === undefined || rows.length !== 2 * ids.length) throw new RangeError("a row for each id");
    if (this.#pairs.length + ids.length > this.context) throw new RangeError("it has no room for pairs");
    for (const [i, id] of ids.entries()) {
      const row = rows[2 * i] ?? 0;
      if (rows[2 * i + 1] !== -row) this.wrong.push("a row is of two tokens");
      this.#pairs.push({ row, id });
    }
    const text = this.#textOf(ids.at(-1) ?? 0);
    return {
      logits: Float64Array.from(this.#options.guess(text, this)),
      // What comes of its own words is told from what the model says: no row of a text is below 0.
      rows: [Float64Array.from(ids.flatMap((id) => [-id - 1, id + 1]))],
    };
  }

  /** The text that the pairs are of: rows of the model name their tokens, its own its guesses. */
  #textOf(last: number): readonly number[] {
    const rows = new Map(this.#ids.map((_, i) => [this.row(this.#ids.slice(0, i + 1)), i] as const));
    let expected: number | null = null;
    const guesses: number[] = [];
    for (const [i, { row, id }] of this.#pairs.entries()) {
      if (row < 0) {
        guesses.push(id);
        if (-row - 1 !== this.#pairs[i - 1]?.id) this.wrong.push("a guess goes on from another");
        continue;
      }
      if (guesses.length > 0) this.wrong.push("a guess was kept");
      const token = rows.get(row);
      if (token === undefined) this.wrong.push("a row is of another text");
      else if (expected !== null && token !== expected) this.wrong.push("tokens were left out, or came twice");
      else if (token + 1 < this.#ids.length && this.#ids[token + 1] !== id)
        this.wrong.push("the id is not the one behind the token");
      expected = (token ?? 0) + 1;
    }
    if (guesses.length === 0) {
      if (expected !== this.#ids.length) this.wrong.push("it was asked before it had all pairs");
      return [...this.#ids, last];
    }
    const first = this.#pairs[this.#pairs.length - guesses.length - 1];
    return [...this.#ids, first?.id ?? 0, ...guesses];
  }

  undraft(count: number): void {
    if (count < 0 || count > this.#pairs.length) throw new RangeError("these pairs are not there");
    this.#pairs.length -= count;
  }
}
