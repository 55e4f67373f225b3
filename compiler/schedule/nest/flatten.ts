/**
 * Reads of tensors as reads of flat memory. An index that is not proved to be in range is clamped. Kernels compute values
 * under a `where` and in both branches of a `select` whether they are used or not, so conditions prove nothing here, and
 * where a value is not used it does not matter which element was read instead.
 */
import { type Facts, noFacts, withBounds } from "../../../dsl/types/facts.ts";
import { constant, symbolKey } from "../../../dsl/types/poly.ts";
import { constantOf, type Dim, oneDim, productOf, subDim } from "../../graph/dim.ts";
import { type Place, reachOf, within, yes } from "../../graph/index-range.ts";
import type { Axis, DType, Graph, Node, Read, Scalar } from "../../graph/node.ts";
import { add, call, dimValue, fresh, key, mapChildren, mul, name, num, read, some } from "../../graph/scalar.ts";
import { type Elem, elems } from "../../kernel/elem.ts";
import type { Operand } from "./nest.ts";
import { isBranchedFloor } from "./not-negative.ts";
import type { Specialiser } from "./specialise.ts";

export interface FlattenOptions {
  readonly special: Specialiser;
  /** Bounds of the sizes that are left; kernels are for all that are as large as the least. */
  readonly ranges: Graph["sizes"];
  readonly counts: ReadonlyMap<Node, Dim>;
  /** How the elements of a node are stored. */
  readonly elemOf: (n: Node) => Elem;
  /** Names that mean something in the expressions. */
  readonly taken: ReadonlySet<string>;
  /** A tensor of as many elements or more is read in pieces, and a weight of more bytes; null: whatever it has. */
  readonly mostElements: number;
  readonly windowBytes: number | null;
}

const factsMemo = new WeakMap<Graph["sizes"], Facts>();
/** What a kernel knows of its sizes: no more, or its proof would miss what was concluded here from a largest value. */
function factsOf(ranges: Graph["sizes"]): Facts {
  const known = factsMemo.get(ranges);
  if (known !== undefined) return known; // with all that was proved by them
  let facts = noFacts;
  for (const [n, { low }] of ranges) facts = withBounds(facts, symbolKey(n), { lower: constant(low), upper: null });
  factsMemo.set(ranges, facts);
  return facts;
}

/** Gathers operands while it flattens the expressions of one node. */
export class Flattener {
  readonly #o: FlattenOptions;
  readonly #operands = new Map<string, Operand>();
  readonly #loops = new Map<string, Node>();
  readonly #facts: Facts;
  constructor(o: FlattenOptions) {
    this.#o = o;
    this.#facts = factsOf(o.ranges);
  }
  get operands(): readonly Operand[] {
    return [...this.#operands.values()];
  }
  get loops(): ReadonlyMap<string, Node> {
    return this.#loops;
  }

  /** `axes`: what the names of the expression run over. */
  flatten(e: Scalar, axes: readonly Axis[]): Scalar {
    const place: Place = { facts: this.#facts, names: new Map(), counts: this.#o.counts, reachable: true };
    return this.#visit(e, within(place, axes));
  }

  #visit(e: Scalar, place: Place): Scalar {
    const go = (x: Scalar): Scalar => this.#visit(x, place);
    switch (e.kind) {
      case "reduce": {
        const inner = within(place, e.axes);
        const where = e.where === null ? null : this.#visit(e.where, inner);
        return { ...e, where, body: this.#visit(e.body, inner) };
      }
      case "fold": {
        const inner = within(place, [e.axis]);
        const where = e.where === null ? null : this.#visit(e.where, inner);
        return {
          ...e,
          where,
          steps: e.steps.map((s) => ({ ...s, body: this.#visit(s.body, inner) })),
          result: go(e.result),
        };
      }
      case "read":
        return e.value.kind === "loop_index" ? this.#loop(e.value) : this.#read(e, place);
      case "const":
      case "dim":
      case "name":
      case "call":
        return mapChildren(e, go);
      default:
        return e satisfies never;
    }
  }

  #loop(n: Node): Scalar {
    const known = [...this.#loops].find(([, x]) => x === n)?.[0];
    const id = known ?? fresh("round", new Set([...this.#o.taken, ...this.#loops.keys()]));
    this.#loops.set(id, n);
    return name(id);
  }

  #read(e: Read, place: Place): Scalar {
    const { special } = this.#o;
    const dims = e.value.type.dims.map(special.dim);
    const skipped = leadingLoops(e.at);
    const leading = e.at.slice(0, skipped);
    const rest = dims.slice(skipped);
    const inRange = e.at.slice(skipped).map((at, i) => this.#inRange(at, rest[i] ?? oneDim, place));
    const inFront = axesOfPieces(rest, this.#mostOf(e.value));
    const index = rowMajor(inRange.slice(inFront), rest.slice(inFront));
    const { flat } = this.#operand(e.value, leading, rest);
    return read(flat, inFront === 0 ? [index] : [rowMajor(inRange.slice(0, inFront), rest.slice(0, inFront)), index]);
  }

  #inRange(at: Scalar, size: Dim, place: Place): Scalar {
    const r = some(at, (x) => x.kind === "read" && x.value.type.dims.length > 0) ? null : reachOf(at, place);
    const index = this.#visit(at, place);
    const proved = r !== null && yes(r.low, place) && yes(subDim(subDim(size, 1), r.high), place);
    if (proved && !some(index, isBranchedFloor)) return index;
    return call("minimum", call("maximum", index, num(0)), dimValue(subDim(size, 1)));
  }

  /** Of as many elements it is in pieces. */
  #mostOf(n: Node): number {
    const { windowBytes, mostElements } = this.#o;
    if (windowBytes === null || n.kind !== "weight") return mostElements;
    return Math.min(mostElements, Math.floor(windowBytes / elems[this.#o.elemOf(n)].bytes) + 1);
  }

  #operand(n: Node, leading: readonly Scalar[], dims: readonly Dim[]): Operand {
    const id = `${n.id}|${leading.map((x) => key(x)).join()}`;
    const known = this.#operands.get(id);
    if (known !== undefined) return known;
    const elem = this.#o.elemOf(n);
    const inFront = axesOfPieces(dims, this.#mostOf(n));
    const elements = productOf(dims.slice(inFront));
    const flat: Node = {
      kind: "input",
      id: firstFlat + this.#operands.size,
      name: n.name,
      type: {
        dtype: kindOf(n.type.dtype),
        dims: inFront === 0 ? [elements] : [productOf(dims.slice(0, inFront)), elements],
      },
    };
    const made: Operand = { flat, node: n, leading, dims, elem };
    this.#operands.set(id, made);
    return made;
  }
}

/**
 * Axes in front that say which piece an element is in: none where an index counts all elements, else as few as leave pieces
 * that it counts. What a call decides is taken to be counted: it is held against its memory.
 */
function axesOfPieces(dims: readonly Dim[], mostElements: number): number {
  const counted = dims.findIndex((_, i) => (constantOf(productOf(dims.slice(i))) ?? 0) < mostElements);
  return counted < 0 ? dims.length : counted;
}

const rowMajor = (at: readonly Scalar[], dims: readonly Dim[]): Scalar =>
  at.reduce<Scalar>((sum, x, i) => add(sum, mul(x, dimValue(productOf(dims.slice(i + 1))))), num(0));

/** Above the ids of any graph, so that keys of expressions tell flat operands from nodes. */
const firstFlat = 1e9;
const integers: ReadonlySet<DType> = new Set<DType>(["i32", "i8", "u8"]);
/** What a read gives: a whole number, a truth value, or a real. */
const kindOf = (t: DType): DType => (integers.has(t) ? "i32" : t === "bool" || t === "i64" ? t : "f32");

/** How many indices in front are sums over indices of repeats alone. */
function leadingLoops(at: readonly Scalar[]): number {
  const isLoop = (x: Scalar): boolean =>
    (x.kind === "read" && x.value.kind === "loop_index") ||
    x.kind === "const" ||
    (x.kind === "call" && (x.fn === "add" || x.fn === "mul" || x.fn === "sub") && x.args.every(isLoop));
  const mentions = (x: Scalar): boolean => some(x, (y) => y.kind === "read" && y.value.kind === "loop_index");
  const first = at.findIndex((x) => !isLoop(x));
  const most = first < 0 ? at.length : first;
  for (let n = most; n > 0; n -= 1) {
    const last = at[n - 1];
    if (last !== undefined && mentions(last)) return n;
  }
  return 0;
}
