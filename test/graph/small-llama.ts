/** A Llama of 260 thousand parameters as elaboration gives it: naive nodes, layers repeated, keys and values remembered. */
import { Builder } from "../../compiler/graph/builder.ts";
import { addDim, type Dim } from "../../compiler/graph/dim.ts";
import type { Append, Fold, Graph, Node, Scalar, SizeRange } from "../../compiler/graph/node.ts";
import { add, axis, call, dimValue, mul, name, num, read, reduce } from "../../compiler/graph/scalar.ts";

export const llamaSizes = { L: 5, D: 64, H: 8, G: 4, N: 8, F: 172, V: 512 };

const sub = (a: Scalar, b: Scalar): Scalar => call("sub", a, b);

/** `attention`: a node for scores, maxima, sums and weights each, or one fold. */
export function smallLlama(attention: "nodes" | "fold"): Graph {
  const b = new Builder();
  const S = addDim("S0", "T");
  const sizes = new Map<string, SizeRange>([
    ...Object.entries(llamaSizes).map(([n, x]): [string, SizeRange] => [n, { low: x, high: x }]),
    ["S0", { low: 0, high: 511 }],
    ["T", { low: 1, high: 512 }],
  ]);
  const [t, d, h, n, f, s] = [name("t"), name("d"), name("h"), name("n"), name("f"), name("s")];
  const on = (names: string, dims: readonly (Dim | string | number)[]) =>
    [...names].map((x, i) => axis(x, dims[i] ?? 1));
  const map = (label: string, names: string, dims: readonly (Dim | string | number)[], body: Scalar): Node =>
    b.map(label, on(names, dims), body);

  const tokens = b.input("tokens", ["T"], "i32");
  const table = b.weight("embed", ["V", "D"]);
  const norm = (label: string, x: Node, gain: Scalar): Node => {
    const ms = map(`${label}.ms`, "t", ["T"], reduce("sum", [axis("d", "D")], mul(read(x, [t, d]), read(x, [t, d]))));
    const scale = call("rsqrt", add(call("div", read(ms, [t]), dimValue("D")), num(1e-5)));
    return map(label, "td", ["T", "D"], mul(mul(read(x, [t, d]), scale), gain));
  };
  const angle = mul(add(t, dimValue("S0")), read(b.weight("frequency", [4]), [name("i")]));
  const cos = map("cos", "ti", ["T", 4], call("cos", angle));
  const sin = map("sin", "ti", ["T", 4], call("sin", angle));
  const x = map("x", "td", ["T", "D"], read(table, [read(tokens, [t]), d]));

  const { carry, index } = b.loop("h", x.type);
  const layer = read(index, []);
  const weight = (label: string, ...dims: readonly (Dim | string | number)[]): Node => b.weight(label, ["L", ...dims]);
  const xn = norm("attn.norm", carry, read(weight("attn.gain", "D"), [layer, d]));
  const heads = (label: string, count: string): Node =>
    map(
      label,
      "thn",
      ["T", count, "N"],
      reduce(
        "sum",
        [axis("d", "D")],
        mul(read(weight(`w${label}`, count, "N", "D"), [layer, h, n, d]), read(xn, [t, d])),
      ),
    );
  const rope = (q: Node, count: string): Node => {
    const i = call("floordiv", n, num(2));
    const u = call("mod", n, num(2));
    const partner = sub(add(mul(num(4), i), num(1)), n); // 2i + 1 - u with n = 2i + u
    const sign = sub(mul(num(2), u), num(1));
    const turned = add(
      mul(read(q, [t, h, n]), read(cos, [t, i])),
      mul(mul(sign, read(q, [t, h, partner])), read(sin, [t, i])),
    );
    return map(`${q.name}.rope`, "thn", ["T", count, "N"], turned);
  };
  const q = rope(heads("q", "H"), "H");
  const keep = (label: string, rows: Node): Append =>
    b.append(`${label}.all`, b.state(`${label}.state`, ["L", "S0", "G", "N"]), [layer], rows, S);
  const k = keep("k", rope(heads("k", "G"), "G"));
  const v = keep("v", heads("v", "G"));
  const group = call("floordiv", h, num(2));
  const causal = call("le", s, add(t, dimValue("S0")));
  const c = name("c");
  const score = mul(
    num(1 / Math.sqrt(8)),
    reduce("sum", [axis("c", "N")], mul(read(q, [t, h, c]), read(k, [s, group, c]))),
  );
  const over = [axis("s", S)];
  const nodes = (): Node => {
    const a = map("a", "ths", ["T", "H", S], score);
    const m = map("m", "th", ["T", "H"], reduce("max", over, read(a, [t, h, s]), causal));
    const e = call("exp", sub(read(a, [t, h, s]), read(m, [t, h])));
    const l = map("l", "th", ["T", "H"], reduce("sum", over, e, causal));
    const p = map("p", "ths", ["T", "H", S], call("div", e, read(l, [t, h])));
    return map(
      "o",
      "thn",
      ["T", "H", "N"],
      reduce("sum", over, mul(read(p, [t, h, s]), read(v, [s, group, n])), causal),
    );
  };
  const folded = (): Node => {
    const e = call("exp", sub(name("a"), name("m")));
    const fold: Fold = {
      kind: "fold",
      axis: axis("s", S),
      where: causal,
      steps: [
        { how: "let", name: "a", body: score },
        { how: "max", name: "m", body: name("a") },
        { how: "sum", name: "l", body: e },
        { how: "sum", name: "acc", body: mul(read(v, [s, group, n]), e) },
      ],
      result: call("div", name("acc"), name("l")),
    };
    return map("o", "thn", ["T", "H", "N"], fold);
  };
  const o = attention === "fold" ? folded() : nodes();
  const project = reduce(
    "sum",
    [axis("h", "H"), axis("n", "N")],
    mul(read(weight("wo", "D", "H", "N"), [layer, d, h, n]), read(o, [t, h, n])),
  );
  const x1 = map("x1", "td", ["T", "D"], add(read(carry, [t, d]), project));
  const xf = norm("ff.norm", x1, read(weight("ff.gain", "D"), [layer, d]));
  const up = (label: string): Node =>
    map(
      label,
      "tf",
      ["T", "F"],
      reduce("sum", [axis("d", "D")], mul(read(weight(`w${label}`, "F", "D"), [layer, f, d]), read(xf, [t, d]))),
    );
  const gate = read(up("gate"), [t, f]);
  const silu = call("div", gate, add(num(1), call("exp", call("neg", gate))));
  const act = map("act", "tf", ["T", "F"], mul(silu, read(up("up"), [t, f])));
  const down = reduce("sum", [axis("f", "F")], mul(read(weight("wdown", "D", "F"), [layer, d, f]), read(act, [t, f])));
  const body = map("x2", "td", ["T", "D"], add(read(x1, [t, d]), down));
  const out = b.repeat("layers", { count: "L", init: x, carry, index, body, effects: [k, v] });
  const last = norm("norm", out, read(b.weight("gain", ["D"]), [d]));
  const logits = map(
    "logits",
    "tv",
    ["T", "V"],
    reduce("sum", [axis("d", "D")], mul(read(table, [name("v"), d]), read(last, [t, d]))),
  );
  return { name: "small_llama", sizes, results: [logits], effects: [] };
}
