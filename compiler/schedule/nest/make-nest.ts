/** From a node of the graph to its loop nest. */
import type { Dim } from "../../graph/dim.ts";
import type { Axis, Computed, Fold, Graph, Node, Scalar } from "../../graph/node.ts";
import { allNames, num } from "../../graph/scalar.ts";
import type { Elem } from "../../kernel/elem.ts";
import { Flattener } from "./flatten.ts";
import { isStreamable } from "./is-streamable.ts";
import { mergeAxes } from "./merge-axes.ts";
import type { Nest } from "./nest.ts";
import { apart, refolded, type Specialiser } from "./specialise.ts";
import { unfoldAll } from "./unfold.ts";
import { widen } from "./widen.ts";

export interface NestOptions {
  readonly special: Specialiser;
  /** Of the sizes that are left. */
  readonly ranges: Graph["sizes"];
  readonly counts: ReadonlyMap<Node, Dim>;
  readonly elemOf: (n: Node) => Elem;
  /** Of the target: a tensor of as many elements or more is read in pieces. */
  readonly mostElements: number;
  /** Of the target: a weight of more bytes is, too, and a kernel may be given some of its pieces at a time. */
  readonly windowBytes: number | null;
}
/** What is computed at each point of `domain`. */
export interface Points {
  readonly domain: readonly Axis[];
  readonly body: Scalar;
  /** Which of them count. */
  readonly where?: Scalar | null;
  /** Of what is computed; that of the node without it. */
  readonly elem?: Elem;
}

/** The nest of a map, with the folds that may be streamed, or of what another node computes at points of its own. */
export function makeNest(n: Computed, { domain, body, where = null, elem }: Points, options: NestOptions): Nest {
  const { special, ranges, counts, elemOf, mostElements, windowBytes } = options;
  const named = [body, ...(where === null ? [] : [where])].flatMap((e) => [...allNames(e)]);
  const taken = new Set([...ranges.keys(), ...domain.map((a) => a.name), ...named]);
  const flattener = new Flattener({ special, ranges, taken, counts, elemOf, mostElements, windowBytes });
  const all = domain.map(special.axis);
  const [axes, gone] = apart(all);
  const at = new Map(gone.map((a): [string, Scalar] => [a.name, num(0)]));
  const keep = (f: Fold): boolean => isStreamable({ ...f, axis: special.axis(f.axis) });
  const flat = (e: Scalar): Scalar => flattener.flatten(refolded(special.scalar(unfoldAll(e, keep)), at), axes);
  const own = elem ?? options.elemOf(n);
  const guard = where === null ? null : widen(flat(where), false);
  const merged = mergeAxes(axes, widen(flat(body), own === "i64"), guard);
  return {
    label: n.name,
    axes: merged.axes,
    body: merged.body,
    where: merged.where,
    elem: own,
    operands: flattener.operands,
    windows: windowBytes !== null,
    loops: flattener.loops,
    least: new Map([...ranges].map(([name, { low }]) => [name, low])),
    most: new Map([...ranges].flatMap(([name, { high }]) => (Number.isSafeInteger(high) ? [[name, high]] : []))),
  };
}
