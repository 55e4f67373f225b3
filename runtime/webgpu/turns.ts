/** One after the other, in the order in which they ask. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when all that asked before have ended; `end` is to be called once. */
  async take(): Promise<() => void> {
    const before = this.#last;
    let end: () => void = () => undefined;
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    return end;
  }
}
