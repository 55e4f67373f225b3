/** Nodes that models have everywhere: sums, products with weights, parts put together, norms, turned pairs. */
import { addDim, dim, mulDim } from "../../../compiler/graph/dim.ts";
import type { Node } from "../../../compiler/graph/node.ts";
import { add, call, dimValue, mul, name, num, read, reduce } from "../../../compiler/graph/scalar.ts";
import type { Monoid } from "../../../compiler/ops/scalar-functions.ts";
import { bodyOver, guardOver, smooth } from "./expressions.ts";
import { idx, type Maker, type Scope, sameDims, sub } from "./maker.ts";

export function elementwise(make: Maker, scope: Scope, like: Node): Node {
  const domain = make.over(like);
  return make.b.map(make.label("e"), domain, add(read(like, idx(domain)), bodyOver(make, scope, domain)));
}

export function reduction(make: Maker, scope: Scope): Node {
  const n = make.any(scope);
  const axes = make.over(n);
  const over = axes.filter(() => make.r.below(2) === 0);
  if (over.length === 0) over.push(...axes.slice(-1));
  const domain = axes.filter((a) => !over.includes(a));
  const monoid = make.r.pick<Monoid>(["sum", "sum", "sum", "max", "min", "product", "any", "all"]);
  const element = read(n, idx(axes));
  const first = over[0];
  const guard = first === undefined ? null : guardOver(make, first, domain[0] ?? null);
  const body =
    monoid === "any" || monoid === "all"
      ? call("le", name(over[0]?.name ?? "?"), num(make.r.below(3))) // truth of an index: rounding cannot change it
      : make.r.below(2) === 0
        ? element
        : smooth(make, element);
  const result = reduce(monoid, over, body, guard);
  // the greatest of nothing is -inf: brought back among the numbers
  const tame = monoid === "max" || monoid === "min" ? call("tanh", result) : result;
  return make.b.map(make.label("r"), domain, tame);
}

/** y[t, …, l] = Σ_d x[t, …, d] · w[l, d], with a weight stacked by layer inside of a repeat, and chains of these. */
export function contraction(make: Maker, scope: Scope): Node {
  const n = make.any(scope);
  const axes = make.over(n);
  const d = axes.at(-1) ?? make.axis("d", 1);
  const l = make.axis("l", make.config());
  const { layer } = scope;
  const w =
    layer === null
      ? read(make.weight([l.size, d.size]), [name(l.name), name(d.name)])
      : read(make.weight([layer.count, l.size, d.size]), [layer.index, name(l.name), name(d.name)]);
  const product = make.r.below(2) === 0 ? mul(read(n, idx(axes)), w) : mul(w, read(n, idx(axes)));
  const scaled = make.r.below(3) === 0 ? mul(product, num(0.5)) : product;
  const summed = reduce("sum", [d], scaled, make.r.below(4) === 0 ? guardOver(make, d, axes[0] ?? null) : null);
  const out = make.r.below(4) === 0 ? mul(num(0.7), summed) : summed;
  return make.b.map(make.label("c"), [...axes.slice(0, -1), l], out);
}

/** [a | b] along the last axis, a contraction over it, and a part cut out of it again. */
export function concatenation(make: Maker, scope: Scope): readonly Node[] {
  const a = make.any(scope);
  const before = a.type.dims.slice(0, -1);
  const b = make.find(scope, (n) => sameDims(n.type.dims.slice(0, -1), before) && n.type.dims.length > 0) ?? a;
  const [m, n] = [a.type.dims.at(-1) ?? dim(1), b.type.dims.at(-1) ?? dim(1)];
  const outer = before.map((d) => make.axis("t", d));
  const c = make.axis("c", addDim(m, n));
  const left = read(a, [...idx(outer), name(c.name)]);
  const right = read(b, [...idx(outer), sub(name(c.name), dimValue(m))]);
  const joined = make.b.map(
    make.label("cat"),
    [...outer, c],
    call("select", call("lt", name(c.name), dimValue(m)), left, right),
  );
  if (make.r.below(2) === 0) {
    const part = [...outer.map((o) => make.axis("t", o.size)), make.axis("c", n)];
    const at = idx(part);
    const last = at.at(-1) ?? num(0);
    return [joined, make.b.map(make.label("part"), part, read(joined, [...at.slice(0, -1), add(last, dimValue(m))]))];
  }
  const domain = outer.map((o) => make.axis("t", o.size));
  const k = make.axis("k", c.size);
  const w = read(make.weight([c.size]), [name(k.name)]);
  const body = reduce("sum", [k], mul(read(joined, [...idx(domain), name(k.name)]), w));
  return [joined, make.b.map(make.label("dot"), domain, body)];
}

/** x · rsqrt(mean x²) · w in one node: a reduction that does not depend on the last axis. */
export function norm(make: Maker, scope: Scope): Node {
  const n = make.any(scope);
  const axes = make.over(n);
  const d = axes.at(-1) ?? make.axis("d", 1);
  const other = make.axis("d", d.size);
  const element = read(n, [...idx(axes.slice(0, -1)), name(other.name)]);
  const mean = call("div", reduce("sum", [other], mul(element, element)), dimValue(d.size));
  const w = read(make.weight([d.size]), [name(d.name)]);
  return make.b.map(make.label("n"), axes, mul(mul(read(n, idx(axes)), call("rsqrt", add(mean, num(1e-3)))), w));
}

/** Σ_k w[k] · x[t - k] where k <= t: a causal convolution. */
export function shifted(make: Maker, scope: Scope): Node {
  const n = make.any(scope);
  const axes = make.over(n);
  const [t, ...rest] = axes;
  if (t === undefined) return n;
  const k = make.axis("k", 3);
  const w = read(make.weight([3]), [name(k.name)]);
  const body = mul(read(n, [sub(name(t.name), name(k.name)), ...idx(rest)]), w);
  return make.b.map(make.label("conv"), axes, reduce("sum", [k], body, call("le", name(k.name), name(t.name))));
}

/** Pairs 2i, 2i + 1 turned by an angle. */
export function rotary(make: Maker, scope: Scope): readonly Node[] {
  const n = make.any(scope);
  const axes = make.over(n);
  const d = axes.at(-1) ?? make.axis("d", 1);
  const outer = axes.slice(0, -1);
  const [c, i, u] = [make.axis("c", mulDim(2, d.size)), make.axis("i", d.size), make.axis("u", 2)];
  const w = read(make.weight([c.size, d.size]), [name(c.name), name(d.name)]);
  const q = make.b.map(make.label("q"), [...outer, c], reduce("sum", [d], mul(read(n, idx(axes)), w)));
  const two = mul(num(2), name(i.name));
  const angle = mul(name(i.name), num(0.7));
  const self = read(q, [...idx(outer), add(two, name(u.name))]);
  const partner = read(q, [...idx(outer), sub(add(two, num(1)), name(u.name))]);
  const sign = sub(mul(num(2), name(u.name)), num(1));
  const turned = add(mul(self, call("cos", angle)), mul(mul(sign, partner), call("sin", angle)));
  return [q, make.b.map(make.label("rope"), [...outer, i, u], turned)];
}
