/**
 * Ways through a kernel: a condition holds or does not, a loop whose length is not written has several turns. Which of them a run has
 * gone depends on its sizes, as tiles have a way for what is whole and one for what is left.
 */
import type { Branch, Expr, Kernel, Stmt } from "../kernel/kernel.ts";
import { someExpr, walkStmts } from "../kernel/walk.ts";

const numbered = ["not", "once", "several"] as const;
type Turns = (typeof numbered)[number];

export class Ways {
  readonly #wanted: ReadonlyMap<Branch, readonly Turns[]>;
  readonly #gone = new Map<Branch, Set<Turns>>();
  constructor(k: Kernel) {
    this.#wanted = wantedIn(k);
  }
  readonly passed = (s: Branch, turns: number): void => {
    const known = this.#gone.get(s);
    const way = numbered[Math.min(turns, 2)] ?? "several";
    if (known === undefined) this.#gone.set(s, new Set([way]));
    else known.add(way);
  };

  /** How many were gone of those that there are. */
  get count(): number {
    let n = 0;
    for (const [s, ways] of this.#wanted) n += ways.filter((way) => this.#gone.get(s)?.has(way)).length;
    return n;
  }
  /** Whether other sizes might go one that was not gone. */
  mayBeMore(k: Kernel): boolean {
    const hanging = hangingOnSizes(k);
    return [...this.#wanted].some(([s, ways]) => hanging.has(s) && ways.some((way) => !this.#gone.get(s)?.has(way)));
  }
}

const bodiesOf = (k: Kernel): readonly Kernel[] => k.parts?.map((p) => p.kernel) ?? [k];

function wantedIn(k: Kernel): ReadonlyMap<Branch, readonly Turns[]> {
  const wanted = new Map<Branch, readonly Turns[]>();
  for (const { body } of bodiesOf(k))
    walkStmts(body, (s) => {
      if (s.kind === "if") wanted.set(s, ["not", "once"]);
      else if (s.kind === "loop" && (s.from.kind !== "const" || s.to.kind !== "const")) wanted.set(s, ["several"]);
    });
  return wanted;
}

/** Conditions and loops whose value follows from sizes, through names and registers. */
function hangingOnSizes(k: Kernel): ReadonlySet<Stmt> {
  const found = new Set<Stmt>();
  for (const { sizes, grid, body } of bodiesOf(k)) {
    const names = new Set(sizes.map((s) => s.name));
    const hangs = (e: Expr): boolean =>
      someExpr(e, (x) => (x.kind === "name" && names.has(x.name)) || (x.kind === "load" && names.has(x.from)));
    for (const g of grid) if (hangs(g.extent)) names.add(g.name);
    for (let before = -1; before !== names.size; ) {
      before = names.size;
      walkStmts(body, (s) => {
        if ((s.kind === "let" || s.kind === "reduce") && hangs(s.value)) names.add(s.name);
        if (s.kind === "store" && hangs(s.value)) names.add(s.to);
        if (s.kind === "loop" && (hangs(s.from) || hangs(s.to))) names.add(s.name);
        if ((s.kind === "if" && hangs(s.cond)) || (s.kind === "loop" && names.has(s.name))) found.add(s);
      });
    }
  }
  return found;
}
