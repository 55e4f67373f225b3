/**
 * Random well-formed graphs, a function of their seed alone: what elaboration and passes produce, at sizes small enough to
 * run. Values stay small and smooth (no rounding, no comparison of computed reals), so that a rewrite that changes only the
 * order of additions changes results by little.
 */
import { Builder } from "../../compiler/graph/builder.ts";
import { addDim, type Dim, dim, mulDim, nameOf, type Sizes } from "../../compiler/graph/dim.ts";
import { StateStore } from "../../compiler/graph/interpret/state-store.ts";
import type { Tensor } from "../../compiler/graph/interpret/tensor.ts";
import type { Append, Axis, Fold, Graph, Node, Param, Scalar, SizeRange, State } from "../../compiler/graph/node.ts";
import { add, axis, call, dimValue, mul, name, num, read, reduce } from "../../compiler/graph/scalar.ts";
import type { Monoid, ScalarFn } from "../../compiler/ops/scalar-functions.ts";
import { type Random, seeded } from "../fuzz/random.ts";
import { paramTensor, stateTensor } from "./random-values.ts";

export interface RandomGraphOptions {
  /** Operations that build the graph; 10 if not given. */
  readonly steps?: number;
  /** Whether folds occur; true if not given. */
  readonly folds?: boolean;
  /** Sizes that vectors and tiles fit into, or nearly so, and calls of many tokens; false if not given. */
  readonly large?: boolean;
}
export interface RandomInputs {
  readonly param: (node: Param) => Tensor;
  /** A store of its own at each call, with the rows that `sizes` says. */
  readonly state: () => StateStore;
}
export interface RandomGraph {
  readonly graph: Graph;
  readonly builder: Builder;
  /** One row of size 1 and S0 = 0 are among them. */
  readonly sizes: readonly Sizes[];
  /** By name, so that they are the same for every graph made from this one. */
  readonly params: (sizes: Sizes) => RandomInputs;
}

export function randomGraph(seed: number, options: RandomGraphOptions = {}): RandomGraph {
  return new Generator(seed, options).generate();
}

/** Rows before a call, and its tokens. */
const smallCalls: readonly (readonly [number, number])[] = [
  [0, 1],
  [5, 1],
  [2, 3],
  [0, 5],
];
const largeCalls: readonly (readonly [number, number])[] = [
  [0, 1],
  [15, 1],
  [3, 9],
  [0, 32],
  [7, 33],
];

const S0 = dim("S0");
const T = dim("T");
const S = addDim(S0, T);
const sub = (a: Scalar, b: Scalar): Scalar => call("sub", a, b);
const idx = (axes: readonly Axis[]): readonly Scalar[] => axes.map((a) => name(a.name));
const sameDims = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((d, i) => d.key === b[i]?.key);
const isReal = (n: Node): boolean => n.type.dtype === "f32";

/** Where new nodes may be read from: what is outside, and inside of a repeat its body too. */
interface Scope {
  readonly pool: Node[];
  readonly effects: Append[];
  /** The index of the repeat around, and how often it runs. */
  readonly layer: { readonly index: Scalar; readonly count: number } | null;
}

class Generator {
  readonly #r: Random;
  readonly #seed: number;
  readonly #b = new Builder();
  readonly #steps: number;
  readonly #folds: boolean;
  readonly #large: boolean;
  /** Upper bounds of the values of integer inputs. */
  readonly #limits = new Map<string, Dim>();
  readonly #sizes = new Map<string, SizeRange>();
  readonly #states: { readonly state: State; readonly leading: number }[] = [];
  #names = 0;
  #axes = 0;

  constructor(seed: number, { steps = 10, folds = true, large = false }: RandomGraphOptions) {
    this.#seed = seed;
    this.#r = seeded(seed);
    this.#steps = steps;
    this.#folds = folds;
    this.#large = large;
    this.#sizes.set("S0", { low: 0, high: large ? 50 : 12 });
    this.#sizes.set("T", { low: 1, high: large ? 40 : 8 });
    for (const [n, most, some] of [
      ["D", 5, [4, 7, 8, 12, 16, 20, 33]],
      ["E", 4, [2, 4, 8, 9]],
      ["H", 3, [1, 2, 4]],
    ] as const) {
      const value = large ? this.#r.pick<number>(some) : 1 + this.#r.below(most);
      this.#sizes.set(n, { low: value, high: value });
    }
  }

  generate(): RandomGraph {
    const scope: Scope = { pool: [], effects: [], layer: null };
    scope.pool.push(this.#b.input("x", [T, "D"]), this.#b.input("y", [S, "D"]));
    for (let i = 0; i < this.#steps; i += 1) this.#step(scope);
    const computed = scope.pool.filter((n) => n.kind !== "input" && n.kind !== "weight" && n.kind !== "state");
    const last = computed.at(-1) ?? this.#elementwise(scope, scope.pool[0] ?? this.#b.input("x", [T, "D"]));
    const results = [last, ...Array.from({ length: this.#r.below(3) }, () => this.#r.pick([last, ...computed]))];
    const graph: Graph = { name: `random${this.#seed}`, sizes: this.#sizes, results, effects: scope.effects };
    const config: Record<string, number> = {};
    for (const [n, range] of this.#sizes) if (range.low === range.high) config[n] = range.low;
    const calls = this.#large ? largeCalls : smallCalls;
    const sizes = calls.map(([old, now]): Sizes => ({ ...config, S0: old, T: now }));
    return { graph, builder: this.#b, sizes, params: (at) => this.#inputs(at) };
  }

  #inputs(sizes: Sizes): RandomInputs {
    const known = new Map<string, Tensor>();
    const param = (node: Param): Tensor => {
      const at = `${node.kind}:${node.name}`;
      const value = known.get(at) ?? paramTensor(node, sizes, this.#seed, this.#limits.get(node.name) ?? null);
      known.set(at, value);
      return value;
    };
    const state = (): StateStore => {
      const store = new StateStore();
      for (const s of this.#states) store.put(s.state, s.leading, stateTensor(s.state, sizes, this.#seed));
      return store;
    };
    return { param, state };
  }

  // Names and sizes
  #label(base: string): string {
    this.#names += 1;
    return this.#r.below(4) === 0 ? `blk.${base}` : `${base}${this.#names}`;
  }
  /** Inputs and weights: told apart by their names. */
  #leaf(base: string): string {
    this.#names += 1;
    return `${base}${this.#names}`;
  }
  #axis(base: string, size: Dim | number): Axis {
    this.#axes += 1;
    return axis(this.#r.below(2) === 0 ? `${base}${this.#axes}` : `${base}_${this.#axes}`, size);
  }
  #config(): Dim {
    return this.#r.pick([dim("D"), dim("E"), dim("H"), dim(1), dim(2), dim(3), dim(4), mulDim(2, "H")]);
  }
  #over(n: Node): readonly Axis[] {
    return n.type.dims.map((d) => this.#axis(this.#r.pick(["t", "d", "i"]), d));
  }

  // What to read
  #find(scope: Scope, test: (n: Node) => boolean): Node | null {
    const found = scope.pool.filter((n) => isReal(n) && test(n));
    return found.length === 0 ? null : this.#r.pick(found.slice(-8));
  }
  #any(scope: Scope, least = 1): Node {
    return (
      this.#find(scope, (n) => n.type.dims.length >= least && n.type.dims.length <= 3) ?? this.#b.input("x", [T, "D"])
    );
  }
  #weight(dims: readonly (Dim | number)[]): Node {
    return this.#b.weight(this.#leaf("w"), dims);
  }
  /** Reads `n` at a point of `domain`: by an axis of the same size where there is one, else at 0 or folded into range. */
  #readAt(n: Node, domain: readonly Axis[]): Scalar {
    const at = n.type.dims.map((size): Scalar => {
      const same = domain.filter((a) => a.size.key === size.key);
      if (same.length > 0) {
        const i = name(this.#r.pick(same).name);
        return this.#r.below(6) === 0 ? sub(sub(dimValue(size), num(1)), i) : i;
      }
      if (domain.length === 0 || this.#r.below(2) === 0) return num(0);
      return call("mod", name(this.#r.pick(domain).name), dimValue(size));
    });
    return read(n, at);
  }

  // Expressions
  #smooth(e: Scalar): Scalar {
    const safe = add(mul(e, e), num(1));
    switch (this.#r.below(10)) {
      case 0:
        return call("exp", call("tanh", e));
      case 1:
        return call("rsqrt", safe);
      case 2:
        return call("sin", e);
      case 3:
        return call("div", e, safe);
      case 4:
        return call("sqrt", safe);
      case 5:
        return call("log1p", call("abs", e));
      case 6:
        return call("erf", e);
      case 7:
        return call("div", e, add(num(1), call("exp", call("neg", call("tanh", e)))));
      case 8:
        return mul(e, num(this.#r.pick([0.5, -0.25, 1.5, 1e-3])));
      default:
        return call("tanh", e);
    }
  }
  #body(scope: Scope, domain: readonly Axis[], depth = 2): Scalar {
    if (depth === 0 || this.#r.below(4) === 0) return this.#readAt(this.#any(scope, 0), domain);
    const a = (): Scalar => this.#body(scope, domain, depth - 1);
    switch (this.#r.below(6)) {
      case 0:
        return this.#smooth(a());
      case 1:
        return call(this.#r.pick<ScalarFn>(["maximum", "minimum"]), a(), a());
      case 2:
        return mul(call("tanh", a()), a());
      case 3: {
        const on = this.#r.pick([...domain, null]);
        if (on === null) return add(a(), num(1));
        return call("select", call("lt", name(on.name), num(this.#r.below(4))), a(), a());
      }
      case 4: {
        const e = a(); // the same object twice, as silu doubles its gate
        return mul(e, call("tanh", e));
      }
      default:
        return this.#r.below(2) === 0 ? add(a(), a()) : sub(a(), a());
    }
  }
  /** A guard over `a`, which at index 0 holds for every row `t`. */
  #guard(a: Axis, t: Axis | null): Scalar | null {
    if (a.size.key === S.key && t?.size.key === T.key) {
      const causal = call("le", name(a.name), add(name(t.name), dimValue(S0)));
      return this.#r.pick([
        causal,
        causal,
        call("and", causal, call("le", sub(add(name(t.name), dimValue(S0)), name(a.name)), num(3))),
      ]);
    }
    const even = call("eq", call("mod", name(a.name), num(2)), num(0));
    return this.#r.pick([
      null,
      null,
      call("le", name(a.name), num(1)),
      call("lt", mul(num(2), name(a.name)), add(dimValue(a.size), num(1))),
      even,
    ]);
  }

  // Operations
  #step(scope: Scope): void {
    const push = (...nodes: readonly Node[]): void => void scope.pool.push(...nodes);
    switch (this.#r.below(scope.layer === null ? 18 : 13)) {
      case 0:
        return push(this.#elementwise(scope, this.#any(scope)));
      case 1:
        return push(this.#reduction(scope));
      case 2:
      case 3:
        return push(this.#contraction(scope));
      case 4:
        return push(...this.#concatenation(scope));
      case 5:
      case 6:
        return push(...this.#softmax(scope));
      case 7:
        return push(...this.#selection(scope));
      case 8:
        return push(this.#norm(scope));
      case 9:
        return push(this.#shifted(scope));
      case 10:
        return push(this.#folds ? this.#fold(scope) : this.#norm(scope));
      case 11:
        return push(this.#append(scope));
      case 12:
        return push(...this.#experts(scope));
      case 13:
        return push(...this.#sorted(scope));
      case 14:
        return push(this.#hash());
      case 15:
        return push(...this.#rotary(scope));
      default:
        return push(this.#repeat(scope));
    }
  }

  #elementwise(scope: Scope, like: Node): Node {
    const domain = this.#over(like);
    return this.#b.map(this.#label("e"), domain, add(read(like, idx(domain)), this.#body(scope, domain)));
  }

  #reduction(scope: Scope): Node {
    const n = this.#any(scope);
    const axes = this.#over(n);
    const over = axes.filter(() => this.#r.below(2) === 0);
    if (over.length === 0) over.push(...axes.slice(-1));
    const domain = axes.filter((a) => !over.includes(a));
    const monoid = this.#r.pick<Monoid>(["sum", "sum", "sum", "max", "min", "product", "any", "all"]);
    const element = read(n, idx(axes));
    const first = over[0];
    const guard = first === undefined ? null : this.#guard(first, domain[0] ?? null);
    const body =
      monoid === "any" || monoid === "all"
        ? call("le", name(over[0]?.name ?? "?"), num(this.#r.below(3))) // truth of an index: rounding cannot change it
        : this.#r.below(2) === 0
          ? element
          : this.#smooth(element);
    const result = reduce(monoid, over, body, guard);
    // the greatest of nothing is -inf: brought back among the numbers
    const tame = monoid === "max" || monoid === "min" ? call("tanh", result) : result;
    return this.#b.map(this.#label("r"), domain, tame);
  }

  /** y[t, …, l] = Σ_d x[t, …, d] · w[l, d], with a weight stacked by layer inside of a repeat, and chains of these. */
  #contraction(scope: Scope): Node {
    const n = this.#any(scope);
    const axes = this.#over(n);
    const d = axes.at(-1) ?? this.#axis("d", 1);
    const l = this.#axis("l", this.#config());
    const { layer } = scope;
    const w =
      layer === null
        ? read(this.#weight([l.size, d.size]), [name(l.name), name(d.name)])
        : read(this.#weight([layer.count, l.size, d.size]), [layer.index, name(l.name), name(d.name)]);
    const product = this.#r.below(2) === 0 ? mul(read(n, idx(axes)), w) : mul(w, read(n, idx(axes)));
    const scaled = this.#r.below(3) === 0 ? mul(product, num(0.5)) : product;
    const summed = reduce("sum", [d], scaled, this.#r.below(4) === 0 ? this.#guard(d, axes[0] ?? null) : null);
    const out = this.#r.below(4) === 0 ? mul(num(0.7), summed) : summed;
    return this.#b.map(this.#label("c"), [...axes.slice(0, -1), l], out);
  }

  /** [a | b] along the last axis, a contraction over it, and a part cut out of it again. */
  #concatenation(scope: Scope): readonly Node[] {
    const a = this.#any(scope);
    const before = a.type.dims.slice(0, -1);
    const b = this.#find(scope, (n) => sameDims(n.type.dims.slice(0, -1), before) && n.type.dims.length > 0) ?? a;
    const [m, n] = [a.type.dims.at(-1) ?? dim(1), b.type.dims.at(-1) ?? dim(1)];
    const outer = before.map((d) => this.#axis("t", d));
    const c = this.#axis("c", addDim(m, n));
    const left = read(a, [...idx(outer), name(c.name)]);
    const right = read(b, [...idx(outer), sub(name(c.name), dimValue(m))]);
    const joined = this.#b.map(
      this.#label("cat"),
      [...outer, c],
      call("select", call("lt", name(c.name), dimValue(m)), left, right),
    );
    if (this.#r.below(2) === 0) {
      const part = [...outer.map((o) => this.#axis("t", o.size)), this.#axis("c", n)];
      const at = idx(part);
      const last = at.at(-1) ?? num(0);
      return [
        joined,
        this.#b.map(this.#label("part"), part, read(joined, [...at.slice(0, -1), add(last, dimValue(m))])),
      ];
    }
    const domain = outer.map((o) => this.#axis("t", o.size));
    const k = this.#axis("k", c.size);
    const w = read(this.#weight([c.size]), [name(k.name)]);
    const body = reduce("sum", [k], mul(read(joined, [...idx(domain), name(k.name)]), w));
    return [joined, this.#b.map(this.#label("dot"), domain, body)];
  }

  /** Scores of rows against remembered rows, their greatest, the sum of exponentials, weights, the weighted sum. */
  #softmax(scope: Scope): readonly Node[] {
    const q =
      this.#find(scope, (n) => n.type.dims.length === 2 && n.type.dims[0]?.key === T.key) ??
      this.#b.input("x", [T, "D"]);
    const width = q.type.dims[1] ?? dim("D");
    const k =
      this.#find(
        scope,
        (n) => n.type.dims.length === 2 && n.type.dims[0]?.key === S.key && n.type.dims[1]?.key === width.key,
      ) ?? this.#b.input(this.#leaf("k"), [S, width]);
    const v = this.#find(scope, (n) => n.type.dims.length === 2 && n.type.dims[0]?.key === S.key) ?? k;
    const scale = num(this.#r.pick([0.3, 1, 3]));
    const fresh = (): readonly [Axis, Axis] => [this.#axis("t", T), this.#axis("s", S)];
    const [t0, s0] = fresh();
    const c = this.#axis("c", width);
    const dot = reduce("sum", [c], mul(read(q, [name(t0.name), name(c.name)]), read(k, [name(s0.name), name(c.name)])));
    const a = this.#b.map(this.#label("a"), [t0, s0], mul(scale, dot));
    const kind = this.#r.below(3);
    const guard = (t: Axis, s: Axis): Scalar | null => {
      const row = add(name(t.name), dimValue(S0));
      return kind === 0
        ? null
        : kind === 1
          ? call("le", name(s.name), row)
          : call("and", call("le", name(s.name), row), call("le", sub(row, name(s.name)), num(2)));
    };
    const at = (n: Node, t: Axis, s: Axis): Scalar => read(n, [name(t.name), name(s.name)]);
    const [t1, s1] = fresh();
    const m = this.#b.map(this.#label("m"), [t1], reduce("max", [s1], at(a, t1, s1), guard(t1, s1)));
    const shifted = (t: Axis, s: Axis): Scalar => call("exp", sub(at(a, t, s), read(m, [name(t.name)])));
    const [t2, s2] = fresh();
    const l = this.#b.map(this.#label("l"), [t2], reduce("sum", [s2], shifted(t2, s2), guard(t2, s2)));
    const [t3, s3] = fresh();
    const p = this.#b.map(this.#label("p"), [t3, s3], call("div", shifted(t3, s3), read(l, [name(t3.name)])));
    const [t4, s4] = fresh();
    const e = this.#axis("e", v.type.dims[1] ?? dim("D"));
    const weighted = mul(at(p, t4, s4), read(v, [name(s4.name), name(e.name)]));
    // p is not for all points among the numbers where a guard holds: nothing else reads it
    return [this.#b.map(this.#label("o"), [t4, e], reduce("sum", [s4], weighted, guard(t4, s4)))];
  }

  /** The same in one pass: fold { let a; max m; sum l; sum acc }. */
  #fold(scope: Scope): Node {
    const n = this.#any(scope);
    const axes = this.#over(n);
    const s = axes.at(-1) ?? this.#axis("s", 1);
    const outer = axes.slice(0, -1);
    const [a, m, l, acc, ss] = ["a", "m", "l", "acc", "ss"].map((x) => this.#axis(x, 1).name);
    if (a === undefined || m === undefined || l === undefined || acc === undefined || ss === undefined) return n;
    const where = this.#guard(s, outer[0] ?? null);
    const loud = this.#r.pick([1, 1, 300]);
    const e = this.#axis("e", this.#config());
    const element = read(n, idx(axes));
    const v = read(this.#weight([s.size, e.size]), [name(s.name), name(e.name)]);
    const weight = call("exp", sub(name(a), name(m)));
    const softmax: Fold = {
      kind: "fold",
      axis: s,
      where,
      steps: [
        { how: "let", name: a, body: mul(call("tanh", element), num(loud)) },
        { how: "max", name: m, body: name(a) },
        { how: "sum", name: l, body: weight },
        { how: "sum", name: acc, body: this.#r.below(2) === 0 ? mul(v, weight) : mul(weight, v) },
      ],
      result: call("div", name(acc), add(name(l), num(1e-3))),
    };
    const norm: Fold = {
      kind: "fold",
      axis: s,
      where,
      steps: [
        { how: "sum", name: ss, body: mul(element, element) },
        { how: "sum", name: acc, body: mul(element, v) },
        { how: "min", name: m, body: element },
      ],
      result: add(mul(name(acc), call("rsqrt", add(name(ss), num(1)))), call("tanh", name(m))),
    };
    return this.#b.map(this.#label("f"), [...outer, e], this.#r.below(3) === 0 ? norm : softmax);
  }

  /** top_k of scores, and a guarded gather of what was picked; the rows of a table, or those of a defined tensor. */
  #selection(scope: Scope): readonly Node[] {
    const rows =
      this.#find(scope, (n) => n.type.dims.length === 2 && n.type.dims[0]?.key === S.key) ??
      this.#b.input("y", [S, "D"]);
    const [t, s, k] = [this.#axis("t", T), this.#axis("s", S), dim(1 + this.#r.below(3))];
    const width = rows.type.dims[1] ?? dim("D");
    const causal = (u: Axis, v: Scalar): Scalar => call("le", v, add(name(u.name), dimValue(S0)));
    const key = add(
      read(rows, [name(s.name), num(0)]),
      mul(num(0.37), read(this.#b.input("x", [T, "D"]), [name(t.name), num(0)])),
    );
    const guarded = this.#r.below(2) === 0;
    const pick = this.#b.topK(this.#label("pick"), [t], s, k, key, guarded ? causal(t, name(s.name)) : null);
    const [u, j, d] = [this.#axis("t", T), this.#axis("j", k), this.#axis("d", width)];
    const gathered = read(rows, [read(pick, [name(u.name), name(j.name)]), name(d.name)]);
    const slot = guarded ? causal(u, name(j.name)) : call("lt", name(j.name), dimValue(S));
    const gate = this.#r.below(2) === 0 ? gathered : mul(gathered, call("tanh", gathered));
    return [pick, this.#b.map(this.#label("g"), [u, d], reduce("sum", [j], gate, slot))];
  }

  /** Every expert of every row is defined, the sum asks for picked ones: as it is written, or with rows sorted by expert. */
  #experts(scope: Scope): readonly Node[] {
    const x =
      this.#find(scope, (n) => n.type.dims.length === 2 && n.type.dims[0]?.key === T.key) ??
      this.#b.input("x", [T, "D"]);
    const width = x.type.dims[1] ?? dim("D");
    const [E, F, K] = [dim("E"), dim(2), dim(1 + this.#r.below(2))];
    const on = (...sizes: readonly Dim[]): readonly Axis[] => sizes.map((size) => this.#axis("e", size));
    const at = (n: Node, ...axes: readonly (Axis | undefined)[]): Scalar =>
      read(
        n,
        axes.map((a) => name(a?.name ?? "?")),
      );
    const [t, e] = on(T, E);
    const d = this.#axis("d", width);
    if (t === undefined || e === undefined) return [];
    const router = this.#weight([E, width]);
    const score = this.#b.map(
      this.#label("score"),
      [t, e],
      call("tanh", reduce("sum", [d], mul(at(x, t, d), at(router, e, d)))),
    );
    const [t1, e1] = on(T, E);
    if (t1 === undefined || e1 === undefined) return [];
    const pick = this.#b.topK(this.#label("pick"), [t1], e1, K, at(score, t1, e1));
    const [up, down] = [this.#weight([E, F, width]), this.#weight([E, width, F])];
    const j = this.#axis("j", K);
    const picked = (u: Axis): Scalar => read(pick, [name(u.name), name(j.name)]);
    const inside = call("lt", name(j.name), dimValue(E));

    if (this.#r.below(2) === 0) {
      const [t2, e2, f2, d2] = on(T, E, F, width);
      const g = this.#b.map(
        this.#label("g"),
        [t2, e2, f2].flatMap((a) => a ?? []),
        call("tanh", reduce("sum", [d2 ?? d], mul(at(x, t2, d2), at(up, e2, f2, d2)))),
      );
      const [t3, e3, d3, f3] = on(T, E, width, F);
      const y = this.#b.map(
        this.#label("ye"),
        [t3, e3, d3].flatMap((a) => a ?? []),
        reduce("sum", [f3 ?? d], mul(at(g, t3, e3, f3), at(down, e3, d3, f3))),
      );
      const [t4, d4] = on(T, width);
      if (t4 === undefined || d4 === undefined) return [];
      const gate = read(score, [name(t4.name), picked(t4)]);
      const value = read(y, [name(t4.name), picked(t4), name(d4.name)]);
      return [this.#b.map(this.#label("moe"), [t4, d4], reduce("sum", [j], mul(gate, value), inside))];
    }

    const rows = mulDim(K, T);
    const slot = (p: Scalar): readonly Scalar[] => [call("floordiv", p, dimValue(K)), call("mod", p, dimValue(K))];
    const [p0, p1, p2, p3, p4] = on(rows, rows, rows, rows, rows);
    if (p0 === undefined || p1 === undefined || p2 === undefined || p3 === undefined || p4 === undefined) return [];
    const perm = this.#b.argsort(this.#label("perm"), p0, read(pick, slot(name(p0.name))));
    const inverse = this.#b.argsort(this.#label("inverse"), p1, at(perm, p1));
    const token = this.#b.map(this.#label("token"), [p2], slot(at(perm, p2))[0] ?? num(0), "i32");
    const expert = this.#b.map(this.#label("expert"), [p3], read(pick, slot(at(perm, p3))), "i32");
    const [f5, d5] = on(F, width);
    if (f5 === undefined || d5 === undefined) return [];
    const product = mul(
      read(x, [at(token, p4), name(d5.name)]),
      read(up, [at(expert, p4), name(f5.name), name(d5.name)]),
    );
    const g = this.#b.map(this.#label("g"), [p4, f5], call("tanh", reduce("sum", [d5], product)));
    const [t6, d6, f6] = on(T, width, F);
    if (t6 === undefined || d6 === undefined || f6 === undefined) return [];
    const place = read(inverse, [add(mul(dimValue(K), name(t6.name)), name(j.name))]);
    const term = mul(read(g, [place, name(f6.name)]), read(down, [picked(t6), name(d6.name), name(f6.name)]));
    return [this.#b.map(this.#label("moe"), [t6, d6], reduce("sum", [j, f6], term, inside))];
  }

  /** x · rsqrt(mean x²) · w in one node: a reduction that does not depend on the last axis. */
  #norm(scope: Scope): Node {
    const n = this.#any(scope);
    const axes = this.#over(n);
    const d = axes.at(-1) ?? this.#axis("d", 1);
    const other = this.#axis("d", d.size);
    const element = read(n, [...idx(axes.slice(0, -1)), name(other.name)]);
    const mean = call("div", reduce("sum", [other], mul(element, element)), dimValue(d.size));
    const w = read(this.#weight([d.size]), [name(d.name)]);
    return this.#b.map(this.#label("n"), axes, mul(mul(read(n, idx(axes)), call("rsqrt", add(mean, num(1e-3)))), w));
  }

  /** Σ_k w[k] · x[t - k] where k <= t: a causal convolution. */
  #shifted(scope: Scope): Node {
    const n = this.#any(scope);
    const axes = this.#over(n);
    const [t, ...rest] = axes;
    if (t === undefined) return n;
    const k = this.#axis("k", 3);
    const w = read(this.#weight([3]), [name(k.name)]);
    const body = mul(read(n, [sub(name(t.name), name(k.name)), ...idx(rest)]), w);
    return this.#b.map(this.#label("conv"), axes, reduce("sum", [k], body, call("le", name(k.name), name(t.name))));
  }

  /** Rows of this call behind those of earlier ones. */
  #append(scope: Scope): Node {
    const rows =
      this.#find(scope, (n) => n.type.dims.length === 2 && n.type.dims[0]?.key === T.key) ??
      this.#b.input("x", [T, "D"]);
    const width = rows.type.dims[1] ?? dim("D");
    const { layer } = scope;
    const leading = layer === null ? [] : [dim(layer.count)];
    const state = this.#b.state(this.#leaf("state"), [...leading, S0, width]);
    this.#states.push({ state, leading: leading.length });
    const node = this.#b.append(this.#label("k"), state, layer === null ? [] : [layer.index], rows, S);
    scope.effects.push(node);
    return node;
  }

  /** Rows in the order of a key, and back. */
  #sorted(scope: Scope): readonly Node[] {
    const n = this.#any(scope, 2);
    const [size, width] = [n.type.dims[0] ?? T, n.type.dims[1] ?? dim(1)];
    const rest = n.type.dims.slice(2);
    const [p, q, d] = [this.#axis("p", size), this.#axis("p", size), this.#axis("d", width)];
    const more = rest.map((r) => this.#axis("r", r));
    const zeros = rest.map(() => num(0));
    const perm = this.#b.argsort(this.#label("perm"), p, read(n, [name(p.name), num(0), ...zeros]));
    const at = read(perm, [name(q.name)]);
    const moved = this.#b.map(this.#label("moved"), [q, d, ...more], read(n, [at, name(d.name), ...idx(more)]));
    if (this.#r.below(2) === 0) return [moved];
    const [i, j, e] = [this.#axis("p", size), this.#axis("p", size), this.#axis("d", width)];
    const inverse = this.#b.argsort(this.#label("inverse"), i, read(perm, [name(i.name)]));
    const back = read(moved, [read(inverse, [name(j.name)]), name(e.name), ...zeros]);
    return [moved, this.#b.map(this.#label("back"), [j, e], mul(num(1.5), back))];
  }

  /** Rows of a table at places hashed from whole numbers, in 64 bit. */
  #hash(): Node {
    const tokens = this.#b.input(this.#leaf("tokens"), [T], this.#r.pick(["i32", "i64"]));
    this.#limits.set(tokens.name, dim(1000));
    const [t, u, d] = [this.#axis("t", T), this.#axis("t", T), this.#axis("d", dim("E"))];
    const mixed = call("xor", mul(read(tokens, [name(t.name)]), num(6364136223846793)), num(this.#r.below(2 ** 31)));
    const hash = this.#b.map(this.#label("hash"), [t], mul(mixed, num(1442695040888963)), "i64");
    const table = this.#weight([7, dim("E")]);
    const at = call("mod", read(hash, [name(u.name)]), num(7));
    return this.#b.map(this.#label("row"), [u, d], read(table, [at, name(d.name)]));
  }

  /** Pairs 2i, 2i + 1 turned by an angle. */
  #rotary(scope: Scope): readonly Node[] {
    const n = this.#any(scope);
    const axes = this.#over(n);
    const d = axes.at(-1) ?? this.#axis("d", 1);
    const outer = axes.slice(0, -1);
    const [c, i, u] = [this.#axis("c", mulDim(2, d.size)), this.#axis("i", d.size), this.#axis("u", 2)];
    const w = read(this.#weight([c.size, d.size]), [name(c.name), name(d.name)]);
    const q = this.#b.map(this.#label("q"), [...outer, c], reduce("sum", [d], mul(read(n, idx(axes)), w)));
    const two = mul(num(2), name(i.name));
    const angle = mul(name(i.name), num(0.7));
    const self = read(q, [...idx(outer), add(two, name(u.name))]);
    const partner = read(q, [...idx(outer), sub(add(two, num(1)), name(u.name))]);
    const sign = sub(mul(num(2), name(u.name)), num(1));
    const turned = add(mul(self, call("cos", angle)), mul(mul(sign, partner), call("sin", angle)));
    return [q, this.#b.map(this.#label("rope"), [...outer, i, u], turned)];
  }

  #repeat(scope: Scope): Node {
    const init =
      this.#find(scope, (n) => n.type.dims.length === 2 && nameOf(n.type.dims[0] ?? dim(1)) === "T") ??
      this.#b.input("x", [T, "D"]);
    const count = 1 + this.#r.below(3);
    const { carry, index } = this.#b.loop("h", init.type);
    const layer = read(index, []);
    const inner: Scope = { pool: [...scope.pool, carry, carry, carry], effects: [], layer: { index: layer, count } };
    const steps = 1 + this.#r.below(4);
    for (let i = 0; i < steps; i += 1) this.#step(inner);
    const domain = this.#over(carry);
    const gain = read(this.#weight([count]), [layer]);
    const update = call("tanh", this.#body(inner, domain));
    const body = this.#b.map("h", domain, add(mul(num(0.5), read(carry, idx(domain))), mul(gain, update)));
    return this.#b.repeat(this.#label("out"), { count, init, carry, index, body, effects: inner.effects });
  }
}
