/** States of a program, shared by the phases of an entry. */
import type { BufferElem, StateDecl } from "../../runtime/artifact/program.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { State } from "../graph/node.ts";
import { UnsupportedError } from "./unsupported.ts";

export interface StateUse {
  readonly entry: string;
  readonly copies: number;
  readonly row: number;
  readonly elem: BufferElem;
}

export class StateTable {
  readonly #decls: StateDecl[] = [];
  readonly #owners = new Map<string, string>();
  get decls(): readonly StateDecl[] {
    return this.#decls;
  }
  /** The number of the state of this name. Throws UnsupportedError for one that two entries count rows of. */
  add(n: State, { entry, copies, row, elem }: StateUse): number {
    const owner = this.#owners.get(n.name) ?? entry;
    if (owner !== entry) throw new UnsupportedError(`%${n.name} remembers tokens of both ${owner} and ${entry}`);
    const known = this.#decls.findIndex((d) => d.name === n.name);
    if (known < 0) {
      this.#owners.set(n.name, entry);
      this.#decls.push({ name: n.name, elem, row, copies });
      return this.#decls.length - 1;
    }
    const d = this.#decls[known];
    if (d?.row !== row || d.copies !== copies) throw new InternalError(`two phases see %${n.name} in different shapes`);
    return known;
  }
}
