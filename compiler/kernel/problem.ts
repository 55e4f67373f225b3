/** What the verifier finds. */
export interface Problem {
  /** Number of the invariant, as verify.ts counts them. */
  readonly rule: number;
  readonly message: string;
}
export class Problems {
  readonly #found = new Map<string, Problem>();
  /** The same is reported once. */
  report(rule: number, message: string): void {
    this.#found.set(`${rule} ${message}`, { rule, message });
  }
  get list(): readonly Problem[] {
    return [...this.#found.values()];
  }
}
