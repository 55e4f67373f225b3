/** How many guesses were made, and how many were right. */
export interface DraftStatistics {
  /** Calls of the model that checked guesses, or chose a token without any. */
  readonly steps: number;
  readonly drafted: number;
  readonly accepted: number;
  /** By place behind the last token: guesses that come after a wrong one are counted as drafted. */
  readonly positions: readonly { readonly drafted: number; readonly accepted: number }[];
}

export class DraftCounts {
  #steps = 0;
  readonly #drafted: number[] = [];
  readonly #accepted: number[] = [];

  /** Of one call that checks. */
  add(drafted: number, accepted: number): void {
    this.#steps += 1;
    for (let place = 0; place < drafted; place += 1) {
      this.#drafted[place] = (this.#drafted[place] ?? 0) + 1;
      this.#accepted[place] = (this.#accepted[place] ?? 0) + (place < accepted ? 1 : 0);
    }
  }

  statistics(): DraftStatistics {
    const sum = (numbers: readonly number[]): number => numbers.reduce((n, x) => n + x, 0);
    return {
      steps: this.#steps,
      drafted: sum(this.#drafted),
      accepted: sum(this.#accepted),
      positions: this.#drafted.map((drafted, place) => ({ drafted, accepted: this.#accepted[place] ?? 0 })),
    };
  }
}
