/** Nodes over the rows of earlier calls: attention whole and folded, picked rows, and the rows that a call leaves. */
import { dim } from "../../../compiler/graph/dim.ts";
import type { Axis, Fold, Node, Scalar } from "../../../compiler/graph/node.ts";
import { add, call, dimValue, mul, name, num, read, reduce } from "../../../compiler/graph/scalar.ts";
import { guardOver } from "./expressions.ts";
import { idx, type Maker, S, S0, type Scope, sub, T } from "./maker.ts";

/** Scores of rows against remembered rows, their greatest, the sum of exponentials, weights, the weighted sum. */
export function softmax(make: Maker, scope: Scope): readonly Node[] {
  const q = make.rows(scope, T) ?? make.b.input("x", [T, "D"]);
  const width = q.type.dims[1] ?? dim("D");
  const k =
    make.find(
      scope,
      (n) => n.type.dims.length === 2 && n.type.dims[0]?.key === S.key && n.type.dims[1]?.key === width.key,
    ) ?? make.b.input(make.leaf("k"), [S, width]);
  const v = make.rows(scope, S) ?? k;
  const scale = num(make.r.pick([0.3, 1, 3]));
  const fresh = (): readonly [Axis, Axis] => [make.axis("t", T), make.axis("s", S)];
  const [t0, s0] = fresh();
  const c = make.axis("c", width);
  const dot = reduce("sum", [c], mul(read(q, [name(t0.name), name(c.name)]), read(k, [name(s0.name), name(c.name)])));
  const a = make.b.map(make.label("a"), [t0, s0], mul(scale, dot));
  const kind = make.r.below(3);
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
  const m = make.b.map(make.label("m"), [t1], reduce("max", [s1], at(a, t1, s1), guard(t1, s1)));
  const shifted = (t: Axis, s: Axis): Scalar => call("exp", sub(at(a, t, s), read(m, [name(t.name)])));
  const [t2, s2] = fresh();
  const l = make.b.map(make.label("l"), [t2], reduce("sum", [s2], shifted(t2, s2), guard(t2, s2)));
  const [t3, s3] = fresh();
  const p = make.b.map(make.label("p"), [t3, s3], call("div", shifted(t3, s3), read(l, [name(t3.name)])));
  const [t4, s4] = fresh();
  const e = make.axis("e", v.type.dims[1] ?? dim("D"));
  const weighted = mul(at(p, t4, s4), read(v, [name(s4.name), name(e.name)]));
  // p is not for all points among the numbers where a guard holds: nothing else reads it
  return [make.b.map(make.label("o"), [t4, e], reduce("sum", [s4], weighted, guard(t4, s4)))];
}

/** The same in one pass: fold { let a; max m; sum l; sum acc }. */
export function fold(make: Maker, scope: Scope): Node {
  const n = make.any(scope);
  const axes = make.over(n);
  const s = axes.at(-1) ?? make.axis("s", 1);
  const outer = axes.slice(0, -1);
  const [a, m, l, acc, ss] = ["a", "m", "l", "acc", "ss"].map((x) => make.axis(x, 1).name);
  if (a === undefined || m === undefined || l === undefined || acc === undefined || ss === undefined) return n;
  const where = guardOver(make, s, outer[0] ?? null);
  const loud = make.r.pick([1, 1, 300]);
  const e = make.axis("e", make.config());
  const element = read(n, idx(axes));
  const v = read(make.weight([s.size, e.size]), [name(s.name), name(e.name)]);
  const weight = call("exp", sub(name(a), name(m)));
  const softmax: Fold = {
    kind: "fold",
    axis: s,
    where,
    steps: [
      { how: "let", name: a, body: mul(call("tanh", element), num(loud)) },
      { how: "max", name: m, body: name(a) },
      { how: "sum", name: l, body: weight },
      { how: "sum", name: acc, body: make.r.below(2) === 0 ? mul(v, weight) : mul(weight, v) },
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
  return make.b.map(make.label("f"), [...outer, e], make.r.below(3) === 0 ? norm : softmax);
}

/** top_k of scores, and a guarded gather of what was picked; the rows of a table, or those of a defined tensor. */
export function selection(make: Maker, scope: Scope): readonly Node[] {
  const rows = make.rows(scope, S) ?? make.b.input("y", [S, "D"]);
  const [t, s, k] = [make.axis("t", T), make.axis("s", S), dim(1 + make.r.below(3))];
  const width = rows.type.dims[1] ?? dim("D");
  const causal = (u: Axis, v: Scalar): Scalar => call("le", v, add(name(u.name), dimValue(S0)));
  const key = add(
    read(rows, [name(s.name), num(0)]),
    mul(num(0.37), read(make.b.input("x", [T, "D"]), [name(t.name), num(0)])),
  );
  const guarded = make.r.below(2) === 0;
  const pick = make.b.topK(make.label("pick"), [t], s, k, key, guarded ? causal(t, name(s.name)) : null);
  const [u, j, d] = [make.axis("t", T), make.axis("j", k), make.axis("d", width)];
  const gathered = read(rows, [read(pick, [name(u.name), name(j.name)]), name(d.name)]);
  const slot = guarded ? causal(u, name(j.name)) : call("lt", name(j.name), dimValue(S));
  const gate = make.r.below(2) === 0 ? gathered : mul(gathered, call("tanh", gathered));
  return [pick, make.b.map(make.label("g"), [u, d], reduce("sum", [j], gate, slot))];
}

/** Rows of this call behind those of earlier ones. */
export function append(make: Maker, scope: Scope): Node {
  const rows = make.rows(scope, T) ?? make.b.input("x", [T, "D"]);
  const width = rows.type.dims[1] ?? dim("D");
  const { layer } = scope;
  const leading = layer === null ? [] : [dim(layer.count)];
  const state = make.b.state(make.leaf("state"), [...leading, S0, width]);
  make.states.push({ state, leading: leading.length });
  const node = make.b.append(make.label("k"), state, layer === null ? [] : [layer.index], rows, S);
  scope.effects.push(node);
  return node;
}
