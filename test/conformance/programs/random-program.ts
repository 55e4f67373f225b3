/**
 * Random `.ds` programs that are well typed by how they are made: a list of steps, each of which adds a definition to what is
 * there. Any list is a program, so what fails shrinks to few steps.
 */
import fc from "fast-check";

/** What a step is made of: numbers that choose among what there is. */
export interface Step {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly size: number;
}
export const programArbitrary = (most: number): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.record({ kind: fc.nat(kinds.length - 1), a: fc.nat(31), b: fc.nat(31), size: fc.nat(sizes.length - 1) }),
    { minLength: 1, maxLength: most },
  );

const sizes = [4, 8, 12, 7, 16, 1, 3];
/** A definition `name[t]` of `width` reals. */
interface Row {
  readonly name: string;
  readonly width: number;
}

class Program {
  readonly #imports = new Map<string, Set<string>>();
  readonly items: string[] = [];
  readonly body: string[] = [];
  readonly rows: Row[] = [{ name: "x", width: 8 }];
  #names = 0;

  use(from: string, ...names: readonly string[]): void {
    const known = this.#imports.get(from) ?? new Set();
    for (const n of names) known.add(n);
    this.#imports.set(from, known);
  }
  fresh(base: string): string {
    this.#names += 1;
    return `${base}${this.#names}`;
  }
  row(choice: number): Row {
    return this.rows[this.rows.length - 1 - (choice % this.rows.length)] ?? { name: "x", width: 8 };
  }
  /** One of the same width, itself if there is no other. */
  like(r: Row, choice: number): Row {
    const same = this.rows.filter((o) => o.width === r.width);
    return same[choice % same.length] ?? r;
  }
  define(width: number, right: (left: string) => string): void {
    const name = this.fresh("v");
    this.body.push(`${name}${right(name)}`);
    this.rows.push({ name, width });
  }

  text(): string {
    const last = this.rows.at(-1) ?? { name: "x", width: 8 };
    // What nobody reads is not computed: others are summed in.
    const others = this.rows.slice(-5, -1).map((r) => `0.25 * sum[i in ${r.width}](${r.name}[t,i])`);
    return [
      ...[...this.#imports].map(([from, names]) => `import ${[...names].join(", ")} from "${from}"`),
      "model random {",
      "  runtime T : dim in 1..64",
      "  runtime S : memory in 1..128",
      ...this.items.map((i) => `  ${i}`),
      `  entry example(x: [T, 8], pos: [T] in S) -> y: [T, ${last.width}] {`,
      ...this.body.map((l) => `    ${l}`),
      `    y[t,d] := ${[`${last.name}[t,d]`, ...others].join(" + ")}`,
      "  }",
      "}",
      "",
    ].join("\n");
  }
}

type Kind = (p: Program, step: Step, size: number) => void;
const scalars = ["silu", "sigmoid", "relu", "gelu", "softplus", "signed_sqrt"];

const kinds: readonly Kind[] = [
  function linear(p, { a, b }, size) {
    const [r, part] = [p.row(a), p.fresh("p")];
    p.use("std/linear", "linear");
    p.items.push(`part ${part} : linear(O: ${size}, bias: ${b % 2 === 0}) at "${part}"`);
    p.define(size, () => `[t] := ${part}(${r.name}[t])`);
  },
  function contraction(p, { a, b }, size) {
    const [r, w] = [p.row(a), p.fresh("w")];
    const shape = b % 2 === 0 ? `[${size}, ${r.width}]` : `[${r.width}, ${size}]`;
    p.items.push(`weight ${w} : ${shape} at "${w}"`);
    p.define(size, () => `[t,n] := ${w}[${b % 2 === 0 ? "n,d" : "d,n"}] * ${r.name}[t,d]`);
  },
  function norm(p, { a, b }) {
    const [r, part] = [p.row(a), p.fresh("p")];
    const block = b % 2 === 0 ? "rms_norm" : "layer_norm";
    p.use("std/norm", block);
    p.items.push(`part ${part} : ${block}(eps: 1e-3) at "${part}"`);
    p.define(r.width, () => `[t] := ${part}(${r.name}[t])`);
  },
  function elementwise(p, { a, b, size }) {
    const r = p.row(a);
    const other = p.like(r, b);
    const f = scalars[(a + b) % scalars.length] ?? "silu";
    p.use("std/scalar", f);
    const forms = [
      `${f}(${r.name}[t,d]) * ${other.name}[t,d]`,
      `${r.name}[t,d] - ${f}(${other.name}[t,d])`,
      `max(${r.name}[t,d], ${other.name}[t,d] * 0.5)`,
      `${r.name}[t,d] < ${other.name}[t,d] ? ${f}(${r.name}[t,d]) : ${other.name}[t,d]`,
    ];
    p.define(r.width, () => `[t,d] := ${forms[size % forms.length] ?? ""}`);
  },
  function residual(p, { a, b }) {
    const r = p.row(a);
    p.define(r.width, () => `[t] := ${r.name}[t] + ${p.like(r, b).name}[t]`);
  },
  function swiglu(p, { a }, size) {
    const [r, part] = [p.row(a), p.fresh("p")];
    p.use("std/linear", "swiglu");
    p.items.push(`part ${part} : swiglu(F: ${size}) at "${part}"`);
    p.define(r.width, () => `[t] := ${part}(${r.name}[t])`);
  },
  function softmax(p, { a }) {
    const r = p.row(a);
    p.use("std/softmax", "softmax");
    p.define(r.width, () => `[t] := softmax(${r.name}[t])`);
  },
  function join(p, { a, b }) {
    const [r, s] = [p.row(a), p.row(b)];
    if (r.width + s.width > 40 || r.name === s.name) return;
    const joined = p.fresh("j");
    p.body.push(`${joined}[t] : [${r.width + s.width}] := (${r.name}[t] | ${s.name}[t])`);
    p.rows.push({ name: joined, width: r.width + s.width });
  },
  function split(p, { a, b }) {
    const r = p.row(a);
    if (r.width < 2) return;
    const left = 1 + (b % (r.width - 1));
    const [u, v, w] = [p.fresh("low"), p.fresh("high"), p.fresh("parts")];
    p.body.push(`${w}[t] : [(${left} | ${r.width - left})] := ${r.name}[t]`, `${u}[t] | ${v}[t] := ${w}[t]`);
    p.rows.push({ name: u, width: left }, { name: v, width: r.width - left });
  },
  function reversed(p, { a }) {
    const r = p.row(a);
    p.define(r.width, () => `[t, d in ${r.width}] := ${r.name}[t, ${r.width - 1} - d]`);
  },
  function heads(p, { a, b }) {
    const r = p.row(a);
    if (r.width % 4 !== 0) return;
    const h = p.fresh("h");
    p.body.push(`${h}[t] : [(4, ${r.width / 4})] := ${r.name}[t]`);
    if (b % 2 === 0) p.define(r.width / 4, () => `[t,c] := sum[m](${h}[t,(m,c)] * ${h}[t,(m,c)])`);
    else p.define(4, () => `[t,m] := max[c](${h}[t,(m,c)])`);
  },
  function remembered(p, { a, b }) {
    const [r, state] = [p.row(a), p.fresh("state")];
    p.body.push(`state ${state} : [S, ${r.width}]`);
    p.body.push(`${state}[pos[t]] <- ${r.name}[t]`);
    const near = b % 3 === 0 ? "s <= pos[t]" : b % 3 === 1 ? "s <= pos[t] and pos[t] - s < 3" : "s < pos[t]";
    p.define(r.width, () => `[t,d] := sum[s in S where ${near}](${state}[s,d] * tanh(${r.name}[t,d]))`);
  },
  function convolution(p, { a }) {
    const [r, state, w] = [p.row(a), p.fresh("tail"), p.fresh("w")];
    p.body.push(`state ${state} : [S, ${r.width}]`);
    p.items.push(`weight ${w} : [3] at "${w}"`);
    p.body.push(`${state}[pos[t]] <- ${r.name}[t]`);
    p.define(r.width, () => `[t,d] := ${w}[i] * (${state}[pos[t] - i, d] else 0)`);
  },
  function attention(p, { a, b }) {
    const [q, k] = [p.row(a), p.row(b)];
    const [state, w, scores, p1] = [p.fresh("keys"), p.fresh("w"), p.fresh("a"), p.fresh("p")];
    p.use("std/softmax", "softmax");
    p.body.push(`state ${state} : [S, ${k.width}]`);
    p.items.push(`weight ${w} : [${k.width}, ${q.width}] at "${w}"`);
    p.body.push(
      `${state}[pos[t]] <- ${k.name}[t]`,
      `${scores}q[t,c] := ${w}[c,d] * ${q.name}[t,d]`,
      `${scores}[t, s in S where s <= pos[t]] := ${scores}q[t,c] * ${state}[s,c]`,
      `${p1}[t] := softmax(${scores}[t])`,
    );
    p.define(k.width, () => `[t,c] := ${p1}[t,s] * ${state}[s,c]`);
  },
  function selection(p, { a, b }) {
    const [r, state, scores, near] = [p.row(a), p.fresh("rows"), p.fresh("a"), p.fresh("near")];
    p.body.push(`state ${state} : [S, ${r.width}]`);
    p.body.push(
      `${state}[pos[t]] <- ${r.name}[t]`,
      `${scores}[t, s in S where s <= pos[t]] := ${r.name}[t,c] * ${state}[s,c]`,
      `${near}[t] := top(${scores}[t], ${1 + (b % 3)})`,
    );
    p.define(r.width, () => `[t,d] := sum[s in ${near}[t]](${state}[s,d])`);
  },
  function hashed(p, { a, b }) {
    const [r, marks, mix, table] = [p.row(a), p.fresh("marks"), p.fresh("mix"), p.fresh("table")];
    p.items.push(`weight ${table} : [11, ${r.width}] at "${table}"`);
    p.body.push(
      `state ${marks} : [S] in 97`,
      `${marks}[pos[t]] <- (pos[t] * 7 + ${b}) mod 97`,
      `${mix}[t] := (pos[t] as i64) * 1125899906842597 xor ((${marks}[pos[t] - 1] else 5) as i64) * 4503599627370449`,
    );
    p.define(r.width, () => `[t,d] := ${table}[(${mix}[t] mod 11) as in 11, d] * ${r.name}[t,d]`);
  },
  function gqa(p, { a, b }) {
    const [r, part] = [p.row(a), p.fresh("attn")];
    p.use("std/attention", "gqa");
    p.use("std/rope", "rope_freq");
    const G = 1 + (b % 2);
    const freq = p.fresh("freq");
    p.items.push(
      `${freq} := rope_freq(4, 10000)`,
      `part ${part} : gqa(H: ${2 * G}, G: ${G}, K: 4, freq: ${freq}) at "${part}"`,
    );
    const y = p.fresh("v");
    p.body.push(`${y} := ${part}(${r.name}, pos)`);
    p.rows.push({ name: y, width: r.width });
  },
  function experts(p, { a, b }) {
    const [r, part] = [p.row(a), p.fresh("moe")];
    const router = b % 2 === 0 ? "greedy_router" : "sqrt_router";
    p.use("std/moe", "moe", router);
    const more = b % 2 === 0 ? "norm_topk_prob: true, " : "";
    const slot = p.fresh("router");
    p.items.push(
      `block ${slot} = ${router}(E: 4, K: ${1 + (b % 3)}, ${more}routed_scaling_factor: 1.5)`,
      `part ${part} : moe(E: 4, F: 5, F_shared: 6, router: ${slot}) at "${part}"`,
    );
    p.define(r.width, () => `[t] := ${part}(${r.name}[t])`);
  },
  function layers(p, { a, b }) {
    const [r, part, h] = [p.row(a), p.fresh("layer"), p.fresh("h")];
    p.use("std/linear", "swiglu");
    const count = 1 + (b % 3);
    p.items.push(`part ${part}[l in ${count}] : swiglu(F: 6) at "${part}.{l}"`);
    p.body.push(`${h}[0,t] := ${r.name}[t]`, `${h}[l + 1,t] := ${part}[l](${h}[l,t]) + ${h}[l,t]`);
    p.define(r.width, () => `[t] := ${h}[${count},t]`);
  },
];

export function programText(steps: readonly Step[]): string {
  const p = new Program();
  for (const step of steps) kinds[step.kind]?.(p, step, sizes[step.size] ?? 4);
  return p.text();
}
