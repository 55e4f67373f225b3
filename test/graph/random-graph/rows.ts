/** Nodes that read at computed places: experts, sorted rows, tables. */
import { type Dim, dim, mulDim } from "../../../compiler/graph/dim.ts";
import type { Axis, Node, Scalar } from "../../../compiler/graph/node.ts";
import { add, call, dimValue, mul, name, num, read, reduce } from "../../../compiler/graph/scalar.ts";
import { idx, type Maker, type Scope, T } from "./maker.ts";

/** Every expert of every row is defined, the sum asks for picked ones: as it is written, or with rows sorted by expert. */
export function experts(make: Maker, scope: Scope): readonly Node[] {
  const x = make.rows(scope, T) ?? make.b.input("x", [T, "D"]);
  const width = x.type.dims[1] ?? dim("D");
  const [E, F, K] = [dim("E"), dim(2), dim(1 + make.r.below(2))];
  const on = (...sizes: readonly Dim[]): readonly Axis[] => sizes.map((size) => make.axis("e", size));
  const at = (n: Node, ...axes: readonly (Axis | undefined)[]): Scalar =>
    read(
      n,
      axes.map((a) => name(a?.name ?? "?")),
    );
  const [t, e] = on(T, E);
  const d = make.axis("d", width);
  if (t === undefined || e === undefined) return [];
  const router = make.weight([E, width]);
  const score = make.b.map(
    make.label("score"),
    [t, e],
    call("tanh", reduce("sum", [d], mul(at(x, t, d), at(router, e, d)))),
  );
  const [t1, e1] = on(T, E);
  if (t1 === undefined || e1 === undefined) return [];
  const pick = make.b.topK(make.label("pick"), [t1], e1, K, at(score, t1, e1));
  const [up, down] = [make.weight([E, F, width]), make.weight([E, width, F])];
  const j = make.axis("j", K);
  const picked = (u: Axis): Scalar => read(pick, [name(u.name), name(j.name)]);
  const inside = call("lt", name(j.name), dimValue(E));

  if (make.r.below(2) === 0) {
    const [t2, e2, f2, d2] = on(T, E, F, width);
    const g = make.b.map(
      make.label("g"),
      [t2, e2, f2].flatMap((a) => a ?? []),
      call("tanh", reduce("sum", [d2 ?? d], mul(at(x, t2, d2), at(up, e2, f2, d2)))),
    );
    const [t3, e3, d3, f3] = on(T, E, width, F);
    const y = make.b.map(
      make.label("ye"),
      [t3, e3, d3].flatMap((a) => a ?? []),
      reduce("sum", [f3 ?? d], mul(at(g, t3, e3, f3), at(down, e3, d3, f3))),
    );
    const [t4, d4] = on(T, width);
    if (t4 === undefined || d4 === undefined) return [];
    const gate = read(score, [name(t4.name), picked(t4)]);
    const value = read(y, [name(t4.name), picked(t4), name(d4.name)]);
    return [make.b.map(make.label("moe"), [t4, d4], reduce("sum", [j], mul(gate, value), inside))];
  }

  const rows = mulDim(K, T);
  const slot = (p: Scalar): readonly Scalar[] => [call("floordiv", p, dimValue(K)), call("mod", p, dimValue(K))];
  const [p0, p1, p2, p3, p4] = on(rows, rows, rows, rows, rows);
  if (p0 === undefined || p1 === undefined || p2 === undefined || p3 === undefined || p4 === undefined) return [];
  const perm = make.b.argsort(make.label("perm"), p0, read(pick, slot(name(p0.name))));
  const inverse = make.b.argsort(make.label("inverse"), p1, at(perm, p1));
  const token = make.b.map(make.label("token"), [p2], slot(at(perm, p2))[0] ?? num(0), "i32");
  const expert = make.b.map(make.label("expert"), [p3], read(pick, slot(at(perm, p3))), "i32");
  const [f5, d5] = on(F, width);
  if (f5 === undefined || d5 === undefined) return [];
  const product = mul(
    read(x, [at(token, p4), name(d5.name)]),
    read(up, [at(expert, p4), name(f5.name), name(d5.name)]),
  );
  const g = make.b.map(make.label("g"), [p4, f5], call("tanh", reduce("sum", [d5], product)));
  const [t6, d6, f6] = on(T, width, F);
  if (t6 === undefined || d6 === undefined || f6 === undefined) return [];
  const place = read(inverse, [add(mul(dimValue(K), name(t6.name)), name(j.name))]);
  const term = mul(read(g, [place, name(f6.name)]), read(down, [picked(t6), name(d6.name), name(f6.name)]));
  return [make.b.map(make.label("moe"), [t6, d6], reduce("sum", [j, f6], term, inside))];
}

/** Rows in the order of a key, and back. */
export function sorted(make: Maker, scope: Scope): readonly Node[] {
  const n = make.any(scope, 2);
  const [size, width] = [n.type.dims[0] ?? T, n.type.dims[1] ?? dim(1)];
  const rest = n.type.dims.slice(2);
  const [p, q, d] = [make.axis("p", size), make.axis("p", size), make.axis("d", width)];
  const more = rest.map((r) => make.axis("r", r));
  const zeros = rest.map(() => num(0));
  const perm = make.b.argsort(make.label("perm"), p, read(n, [name(p.name), num(0), ...zeros]));
  const at = read(perm, [name(q.name)]);
  const moved = make.b.map(make.label("moved"), [q, d, ...more], read(n, [at, name(d.name), ...idx(more)]));
  if (make.r.below(2) === 0) return [moved];
  const [i, j, e] = [make.axis("p", size), make.axis("p", size), make.axis("d", width)];
  const inverse = make.b.argsort(make.label("inverse"), i, read(perm, [name(i.name)]));
  const back = read(moved, [read(inverse, [name(j.name)]), name(e.name), ...zeros]);
  return [moved, make.b.map(make.label("back"), [j, e], mul(num(1.5), back))];
}

/** Rows of a table at places hashed from whole numbers, in 64 bit. */
export function hash(make: Maker): Node {
  const tokens = make.b.input(make.leaf("tokens"), [T], make.r.pick(["i32", "i64"]));
  make.limits.set(tokens.name, dim(1000));
  const [t, u, d] = [make.axis("t", T), make.axis("t", T), make.axis("d", dim("E"))];
  const mixed = call("xor", mul(read(tokens, [name(t.name)]), num(6364136223846793)), num(make.r.below(2 ** 31)));
  const hash = make.b.map(make.label("hash"), [t], mul(mixed, num(1442695040888963)), "i64");
  const table = make.weight([7, dim("E")]);
  const at = call("mod", read(hash, [name(u.name)]), num(7));
  return make.b.map(make.label("row"), [u, d], read(table, [at, name(d.name)]));
}
