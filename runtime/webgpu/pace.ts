/** How much work one submit may hold, so that a GPU answers in between: screens are drawn, a call can be given up. */

/** Milliseconds that a submit should take at most. */
const most = 150;
/** Elements that steps touch: what is safe on a slow adapter, and what is tried at most. */
const [least, largest] = [2 ** 22, 2 ** 40];

export class Pace {
  readonly #fixed: boolean;
  #work: number;

  /** `work`: of every submit, whatever time it takes. */
  constructor(work?: number) {
    this.#fixed = work !== undefined;
    this.#work = work ?? 2 ** 28;
  }

  /** For one submit. */
  get work(): number {
    return this.#work;
  }

  /** A submit of so much work has taken so many milliseconds. */
  saw(work: number, milliseconds: number): void {
    if (this.#fixed) return;
    const fits = (work / Math.max(milliseconds, 0.01)) * most;
    // Half of the way: a clock in a page is coarse, and other pages use the GPU as well.
    this.#work = Math.min(largest, Math.max(least, (this.#work + fits) / 2));
  }
}
