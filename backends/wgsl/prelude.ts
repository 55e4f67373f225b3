/** Functions that a text needs beside its entry point, each once and under a name that the kernel does not have. */
import type { FreshNames } from "../../compiler/kernel/lower/fresh-names.ts";

/** One of a text, with its name; what it needs itself is a function of the text too. */
export interface WgslFunction {
  readonly name: string;
  readonly text: string;
}

export class Prelude {
  readonly #names: FreshNames;
  readonly #made = new Map<string, string>();
  readonly #functions: WgslFunction[] = [];
  constructor(names: FreshNames) {
    this.#names = names;
  }
  /** The name of a function; `write` gives its text where it is not there yet, and may ask for others. */
  fn(what: string, write: (name: string) => string): string {
    const known = this.#made.get(what);
    if (known !== undefined) return known;
    const name = this.#names.take(what);
    this.#made.set(what, name);
    const text = write(name);
    this.#functions.push({ name, text });
    return name;
  }
  /** In the order in which they were needed, what they need themselves before them. */
  get functions(): readonly WgslFunction[] {
    return this.#functions;
  }
}
