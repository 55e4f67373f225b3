/**
 * A graph while it is being fused: the present body of every node, reading *original* nodes, and who reads whom. Putting a
 * producer into its readers touches those only; the graph itself is built once, at the end.
 */
import type { Builder } from "../../graph/builder.ts";
import type { Append, Computed, Graph, MapNode, Node, Scalar } from "../../graph/node.ts";
import { keepingEffects, rebuilt } from "../../graph/rewrite.ts";
import { mapChildren } from "../../graph/scalar.ts";
import { isComputed, nodesOf, operandsOf } from "../../graph/walk.ts";
import { factsOf } from "../in-range.ts";
import { namesIn, openAt } from "../open.ts";
import { simplified } from "../simplify-indices.ts";

export class WorkGraph {
  /** Operands first. */
  readonly order: readonly Node[];
  readonly #graph: Graph;
  readonly #builder: Builder;
  readonly #present = new Map<Node, Computed>();
  readonly #readers = new Map<Node, Set<Node>>();
  /** What must stay a node: results, what a repeat carries, rows that are remembered, indices of appends. */
  readonly #kept: ReadonlySet<Node>;

  constructor(b: Builder, g: Graph) {
    this.#builder = b;
    this.#graph = g;
    this.order = nodesOf(g);
    const kept = new Set<Node>(g.results);
    for (const n of this.order) {
      if (isComputed(n)) this.#setBody(n, n);
      else for (const o of operandsOf(n)) kept.add(o);
    }
    this.#kept = kept;
  }

  /** A map that some other computed node reads, and nothing else needs. */
  candidate(n: Node): MapNode | null {
    const present = this.#present.get(n);
    return present?.kind === "map" && !this.#kept.has(n) && (this.#readers.get(n)?.size ?? 0) > 0 ? present : null;
  }

  /** Original nodes that read an original node, with their present bodies. */
  readersOf(n: Node): readonly (readonly [Node, Computed])[] {
    return [...(this.#readers.get(n) ?? [])].flatMap((c) => {
      const present = this.#present.get(c);
      return present === undefined ? [] : [[c, present] as const];
    });
  }

  #setBody(original: Node, body: Computed): void {
    const before = this.#present.get(original);
    for (const o of before === undefined ? [] : operandsOf(before)) this.#readers.get(o)?.delete(original);
    this.#present.set(original, body);
    for (const o of operandsOf(body)) {
      const readers = this.#readers.get(o);
      if (readers === undefined) this.#readers.set(o, new Set([original]));
      else readers.add(original);
    }
  }

  /** The producer's body takes the place of every read of it; the producer is gone. */
  inline(producer: Node): void {
    const body = this.#present.get(producer);
    if (body?.kind !== "map") throw new Error(`%${producer.name} is no map`);
    for (const [original, reader] of this.readersOf(producer)) {
      const taken = namesIn(reader);
      const replace = (e: Scalar): Scalar => {
        const x = mapChildren(e, replace);
        if (x.kind !== "read" || x.value !== producer) return x;
        // Copies at equal indices bind equal names, so that they are one expression to whoever looks for common ones.
        return openAt(body, x.at, new Set(taken));
      };
      this.#setBody(original, this.#builder.withBody(reader, replace));
    }
    this.#present.delete(producer);
    for (const o of operandsOf(body)) this.#readers.get(o)?.delete(producer);
  }

  finish(): Graph {
    const done = new Map<Node, Node>();
    const facts = factsOf(this.#graph);
    const now = (n: Node): Node => {
      const known = done.get(n);
      if (known !== undefined) return known;
      const present = this.#present.get(n);
      const settled = present === undefined || present === n ? n : simplified(this.#builder, present, facts);
      const made = rebuilt(this.#builder, settled, now);
      done.set(n, made);
      return made;
    };
    const results = this.#graph.results.map(now);
    const effects = this.#graph.effects.map((e) => now(e) as Append);
    return keepingEffects(this.#graph, { ...this.#graph, results, effects });
  }
}
