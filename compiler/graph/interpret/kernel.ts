/** Computed nodes as compiled code: made once, run with whatever sizes and values there are. */
import type { Dim } from "../dim.ts";
import type { Append, Argsort, Axis, Computed, MapNode, Node, Scalar, TopK } from "../node.ts";
import { allNames, freeNames, key } from "../scalar.ts";
import { axesOf, expressionsOf } from "../walk.ts";
import { type Along, alongAxis, type Closure, type Code, type Scope, type WideClosure } from "./code.ts";
import { compileDomain } from "./domain.ts";
import { compileFold } from "./fold.ts";
import { isHeavy, slotsOf } from "./free-slots.ts";
import { copyTo } from "./loops.ts";
import { ascending, type Candidate, descending } from "./order.ts";
import { compileReduce, compileWideReduce, eachPoint, reduceStream } from "./reduction.ts";
import type { Runtime } from "./runtime.ts";
import { compileLeafOrCall, compileWide } from "./scalars.ts";
import { Kept, keptScalar, type Stream } from "./stream.ts";
import { compileStream, pointByPoint } from "./streams.ts";
import { countOf, type TensorData } from "./tensor.ts";
import { isWide } from "./wide.ts";

/** Computes a node's elements, in order. */
export type Kernel = () => TensorData;

export function compileKernel(runtime: Runtime, n: Computed): Kernel {
  const code = new NodeCode(runtime, n);
  const compute = n.kind === "map" ? mapKernel(code, n) : orderKernel(code, n);
  return () => {
    code.runs.count += 1;
    return compute();
  };
}

/** A leading index of an append. */
export const compilePlace = (runtime: Runtime, n: Append, e: Scalar): Closure => {
  const code = new NodeCode(runtime, n);
  const value = code.scalar(e, new Map());
  return () => {
    code.runs.count += 1;
    return value();
  };
};

class NodeCode implements Code {
  readonly runtime: Runtime;
  readonly node: Node;
  readonly env: Float64Array;
  readonly runs = { count: 0 };
  readonly #slots = new Map<string, number>();
  readonly #reductions = new Map<string, Closure>();
  readonly #streams = new Map<string, Stream>();

  constructor(runtime: Runtime, node: Computed | Append) {
    this.runtime = runtime;
    this.node = node;
    const names = new Set(node.kind === "append" ? [] : axesOf(node).map((a) => a.name));
    for (const e of expressionsOf(node)) allNames(e, names);
    for (const n of names) this.#slots.set(n, this.#slots.size);
    this.env = new Float64Array(this.#slots.size);
  }
  slot(name: string): number {
    const slot = this.#slots.get(name);
    if (slot === undefined) throw new Error(`no slot for ${name}`);
    return slot;
  }
  dim(d: Dim): Closure {
    return this.runtime.dim(d);
  }
  /** A reduction is computed again only when something it depends on has changed. */
  scalar(e: Scalar, scope: Scope): Closure {
    if (isWide(e)) {
      const wide = this.wide(e, scope);
      return () => Number(wide());
    }
    if (e.kind !== "reduce" && e.kind !== "fold") return compileLeafOrCall(this, e, scope);
    const known = this.#reductions.get(key(e));
    if (known !== undefined) return known;
    const value = e.kind === "reduce" ? compileReduce(this, e, scope) : compileFold(this, e, scope);
    const kept = keptScalar(value, slotsOf(e, scope), this);
    this.#reductions.set(key(e), kept);
    return kept;
  }
  wide(e: Scalar, scope: Scope): WideClosure {
    const reduced = e.kind === "reduce" ? compileWideReduce(this, e, scope) : null;
    return reduced ?? compileWide(this, e, scope);
  }
  /** One stream for equal expressions: what is used twice is computed once. */
  stream(e: Scalar, along: Along, scope: Scope): Stream {
    const streamed = [...freeNames(e)].flatMap((n) => {
      const bound = scope.get(n);
      return typeof bound === "object" ? [bound.id] : [];
    });
    const id = `${along.name}${along.branch}|${streamed.join()}|${key(e)}`;
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    const made = this.#makeStream(e, along, scope);
    const kept = isHeavy(e) || e.kind === "call" ? new Kept(made, this) : made;
    this.#streams.set(id, kept);
    return kept;
  }
  #makeStream(e: Scalar, along: Along, scope: Scope): Stream {
    if (e.kind !== "reduce" || !freeNames(e).has(along.name)) return compileStream(this, e, along, scope);
    return reduceStream(this, e, along, scope, pointByPoint(this, e, along, scope));
  }
}

const scopeOf = (code: Code, axes: readonly Axis[]): Scope => new Map(axes.map((a) => [a.name, code.slot(a.name)]));
const loopsOf = (code: Code, axes: readonly Axis[]) =>
  axes.map((a) => ({ slot: code.slot(a.name), size: code.dim(a.size) }));
const sizesOf = (loops: readonly { readonly size: Closure }[]): readonly number[] => loops.map((l) => l.size());

/** Rows shorter than this are not worth a loop of their own. */
const shortest = 4;

function mapKernel(code: Code, n: MapNode): Kernel {
  const scope = scopeOf(code, n.domain);
  const loops = loopsOf(code, n.domain);
  if (n.type.dtype === "i64") {
    const body = code.wide(n.body, scope);
    return () => {
      const out = new BigInt64Array(countOf(sizesOf(loops)));
      let i = 0;
      eachPoint(code.env, loops, () => {
        out[i] = body();
        i += 1;
      });
      return out;
    };
  }
  let point: Closure | null = null;
  let row: Stream | null = null;
  const last = n.domain.at(-1);
  return () => {
    const sizes = sizesOf(loops);
    const out = new Float64Array(countOf(sizes));
    const length = sizes.at(-1) ?? 1;
    let at = 0;
    if (last === undefined || length < shortest) {
      point ??= code.scalar(n.body, scope);
      const body = point;
      eachPoint(code.env, loops, () => {
        out[at] = body();
        at += 1;
      });
      return out;
    }
    row ??= code.stream(n.body, alongAxis(code, last.name), scope);
    const body = row;
    eachPoint(code.env, loops.slice(0, -1), () => {
      body.load(0, length);
      copyTo(length, out, at, body);
      at += length;
    });
    return out;
  };
}

function orderKernel(code: Code, n: TopK | Argsort): Kernel {
  const domain = n.kind === "top_k" ? n.domain : [];
  const scope = scopeOf(code, axesOf(n));
  const loops = loopsOf(code, domain);
  const points = compileDomain(code, n.over, n.kind === "top_k" ? n.where : null, scope);
  const along = alongAxis(code, n.over.name);
  const candidates = isWide(n.body)
    ? wideCandidates(code, n.body, along, scope)
    : realCandidates(code, n.body, along, scope);
  const size = code.dim(n.kind === "top_k" ? n.k : n.over.size);
  const sort = n.kind === "top_k" ? descending : ascending;
  return () => {
    const k = size();
    const out = new Float64Array(countOf(sizesOf(loops)) * k);
    let row = 0;
    eachPoint(code.env, loops, () => {
      const found: Candidate[] = [];
      points.runs(0, points.size(), (from, count) => candidates(found, from, count));
      sort(found)
        .slice(0, k)
        .forEach((index, j) => {
          out[row * k + j] = index;
        });
      row += 1;
    });
    return out;
  };
}

type Collect = (into: Candidate[], from: number, n: number) => void;
function realCandidates(code: Code, body: Scalar, along: Along, scope: Scope): Collect {
  const keys = code.stream(body, along, scope);
  return (into, from, n) => {
    keys.load(from, n);
    for (let i = 0; i < n; i += 1)
      into.push({ index: from + i, key: keys.data[keys.offset + i * keys.step] as number });
  };
}
function wideCandidates(code: Code, body: Scalar, along: Along, scope: Scope): Collect {
  const value = code.wide(body, scope);
  return (into, from, n) => {
    for (let i = from; i < from + n; i += 1) {
      code.env[along.slot] = i;
      into.push({ index: i, key: value() });
    }
  };
}
