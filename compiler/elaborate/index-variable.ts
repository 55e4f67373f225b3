/**
 * Indices of an equation while it is elaborated. What an index ranges over is found when the expressions it stands in
 * are looked at; where it stands is bound, dynamically, while an expression of the graph is made of them.
 *
 * A definition becomes a node of the graph once, with every index around it at a *formal* place: a name of its own over
 * the whole axis. Whoever reads the definition puts the places of the moment for the formal ones.
 */
import type { Static } from "../../dsl/checker/context.ts";
import type { Axis as GraphAxis, Scalar } from "../graph/node.ts";
import { name } from "../graph/scalar.ts";
import { type Axis, axisLoops, flatten, type Layout, type Loops, layoutLoops, leaves, type Position } from "./axis.ts";

export class IndexVariable {
  readonly name: string;
  /** Known when elaborating: the step of a recurrence, the member of a family. */
  readonly known: Static | undefined;
  axis: Axis | null = null;
  position: Position | null = null;
  #formal: Loops | null = null;

  constructor(label: string, known?: Static) {
    this.name = label;
    this.known = known;
  }

  /** Notes an axis it stands on; one that exists in part says more than a whole one. */
  standsOn(axis: Axis): void {
    if (this.axis === null || (this.axis.members === null && axis.members !== null)) this.axis = axis;
  }

  get layout(): Layout {
    if (this.axis === null) throw new Error(`index ${this.name} has no range`);
    return this.axis.layout;
  }

  get here(): Position {
    if (this.position === null) throw new Error(`index ${this.name} is bound nowhere`);
    return this.position;
  }

  /** The place as one number. */
  at(): Scalar {
    return flatten(this.here, this.layout);
  }

  formal(names: Names): Loops {
    this.#formal ??= names.formals(this, layoutLoops(this.layout, this.name, names.fresh));
    return this.#formal;
  }

  loops(names: Names): Loops {
    if (this.axis === null) throw new Error(`index ${this.name} has no range`);
    return axisLoops(this.axis, [], this.name, names.fresh);
  }
}

/** Makes `f` with indices at the given places. */
export function withPositions<X>(
  variables: readonly IndexVariable[],
  positions: readonly (Position | null)[],
  f: () => X,
): X {
  const saved = variables.map((v) => v.position);
  variables.forEach((v, i) => {
    v.position = positions[i] ?? null;
  });
  try {
    return f();
  } finally {
    variables.forEach((v, i) => {
      v.position = saved[i] ?? null;
    });
  }
}

/** Names that nothing else in one elaboration has: a base, and a number behind `#`. */
export class Names {
  #count = 0;
  readonly #formals = new Map<string, { axis: GraphAxis; order: number; here: () => Scalar }>();

  readonly fresh = (base: string): string => {
    this.#count += 1;
    return `${base}#${this.#count}`;
  };

  formals(variable: IndexVariable, loops: Loops): Loops {
    loops.axes.forEach((axis, i) => {
      this.#formals.set(axis.name, {
        axis,
        order: this.#formals.size,
        here: () => leaves(variable.here, variable.layout)[i] ?? name(axis.name),
      });
    });
    return loops;
  }

  /** The formal axes among free names, in the order in which they were made: those of outer indices first. */
  formalsAmong(free: Iterable<string>): readonly { readonly axis: GraphAxis; readonly here: () => Scalar }[] {
    return [...free].flatMap((n) => this.#formals.get(n) ?? []).sort((a, b) => a.order - b.order);
  }
}

/** A name without its number. */
export const baseName = (n: string): string => n.replace(/#\d+$/, "");
