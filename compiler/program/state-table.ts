/** States of a program, shared by its phases. */
import type { BufferElem, StateDecl } from "../../runtime/artifact/program.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { State } from "../graph/node.ts";

export class StateTable {
  readonly #decls: StateDecl[] = [];
  get decls(): readonly StateDecl[] {
    return this.#decls;
  }
  /** The number of the state of this name. */
  add(n: State, copies: number, row: number, elem: BufferElem): number {
    const known = this.#decls.findIndex((d) => d.name === n.name);
    if (known < 0) {
      this.#decls.push({ name: n.name, elem, row, copies });
      return this.#decls.length - 1;
    }
    const d = this.#decls[known];
    if (d?.row !== row || d.copies !== copies) throw new InternalError(`two phases see %${n.name} in different shapes`);
    return known;
  }
}
