/**
 * Text form: one line a node, the type always shown, names stable from run to run. `parse(print(g))` is `g`.
 *
 *     graph @tiny {
 *       size D = 64
 *       size S0 in 0..511
 *       size T in 1..512
 *       given S0 + T <= 512
 *       %x : f32[T, D] = input
 *       %cache : f32[2, S0, D] = state
 *       %ms : f32[T] = map [t] sum[d: D](%x[t, d] * %x[t, d])
 *       %pick : i32[T, 4] = top_k [t] d: D where d <= t by %x[t, d]
 *       %out : f32[T, D] = repeat 2 from %x with %h, %layer {
 *         %rows : f32[T, D] = map [t, d] %h[t, d] * rsqrt(%ms[t] / D + 1e-6)
 *         %k : f32[S0 + T, D] = append %rows to %cache[%layer[]]
 *         effect %k
 *         yield %rows
 *       }
 *       return %out, %pick
 *     }
 *
 * The type on the left carries the sizes of a domain. In an expression `T` is a size and `t` a bound name; any other size
 * stands in braces (`{S0 + T}`), any other bound name in backquotes. Equal labels are told apart by `#1`, `#2`.
 */
import { type Dim, printDim } from "./dim.ts";
import type { Axis, Graph, Node, Repeat, Scalar, SizeRange } from "./node.ts";
import { infixes, isPlainBound, isPlainLabel, isPlainSize, printNumber } from "./text-form.ts";
import { nodesOf, regions } from "./walk.ts";

type LabelOf = (n: Node) => string;
const infixOf = new Map(infixes.map((x) => [x.fn, x]));

const quoted = (label: string): string => (isPlainLabel(label) ? label : JSON.stringify(label));
const bound = (name: string): string =>
  isPlainBound(name) ? name : `\`${name.replace(/[\\`\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}\``;
const printAxis = (a: Axis): string => `${bound(a.name)}: ${printDim(a.size)}`;
const guard = (where: Scalar | null, label: LabelOf): string =>
  where === null ? "" : ` where ${printScalar(where, label)}`;

const inExpression = (d: Dim): string => {
  const text = printDim(d);
  return isPlainSize(text) ? text : `{${text}}`;
};

/** `label` names the nodes that are read, by their own names if it is not given. */
export function printScalar(e: Scalar, label: LabelOf = (n) => `%${quoted(n.name)}`, outer = 0): string {
  const p = (x: Scalar, level = 0): string => printScalar(x, label, level);
  switch (e.kind) {
    case "const":
      return printNumber(e.value);
    case "dim":
      return inExpression(e.dim);
    case "name":
      return bound(e.name);
    case "read":
      return `${label(e.value)}[${e.at.map((x) => p(x)).join(", ")}]`;
    case "call": {
      const infix = infixOf.get(e.fn);
      const [a, b] = e.args;
      if (infix === undefined || a === undefined || b === undefined) {
        return `${e.fn}(${e.args.map((x) => p(x)).join(", ")})`;
      }
      const text = `${p(a, infix.level)} ${infix.symbol} ${p(b, infix.level + 1)}`;
      return infix.level < outer ? `(${text})` : text;
    }
    case "reduce":
      return `${e.monoid}[${e.axes.map(printAxis).join(", ")}${guard(e.where, label)}](${p(e.body)})`;
    case "fold": {
      const steps = e.steps.map((s) => `${s.how} ${bound(s.name)} = ${p(s.body)}; `);
      return `fold[${printAxis(e.axis)}${guard(e.where, label)}]{ ${steps.join("")}yield ${p(e.result)} }`;
    }
    default:
      return e satisfies never;
  }
}

const isLeaf = (n: Node): boolean => n.kind === "input" || n.kind === "weight" || n.kind === "state";

/** A label for each node, in the order in which they are met, starting with `%`. */
function labelsOf(order: readonly Node[]): LabelOf {
  const labels = new Map<Node, string>();
  const taken = new Map<string, number>();
  for (const n of order) {
    const plain = `%${quoted(n.name)}`;
    const count = taken.get(plain) ?? 0;
    taken.set(plain, count + 1);
    labels.set(n, count === 0 ? plain : `${plain}#${count}`);
  }
  return (n) => labels.get(n) ?? `%${quoted(n.name)}`;
}

const typed = (n: Node, label: LabelOf): string =>
  `${label(n)} : ${n.type.dtype}[${n.type.dims.map(printDim).join(", ")}]`;
const printRange = (name: string, { low, high }: SizeRange): string =>
  low === high ? `size ${name} = ${printNumber(low)}` : `size ${name} in ${printNumber(low)}..${printNumber(high)}`;

/** What stands right of the type; a repeat's own lines follow it. */
function definition(n: Node, label: LabelOf): string {
  const s = (e: Scalar): string => printScalar(e, label);
  const names = (axes: readonly Axis[]): string => axes.map((a) => bound(a.name)).join(", ");
  switch (n.kind) {
    case "input":
    case "weight":
    case "state":
      return n.kind;
    case "map":
      return `map [${names(n.domain)}] ${s(n.body)}`;
    case "top_k":
      return `top_k [${names(n.domain)}] ${printAxis(n.over)}${guard(n.where, label)} by ${s(n.body)}`;
    case "argsort":
      return `argsort ${printAxis(n.over)} by ${s(n.body)}`;
    case "append":
      return `append ${label(n.rows)} to ${label(n.state)}[${n.at.map(s).join(", ")}]`;
    case "repeat":
      return `repeat ${printDim(n.count)} from ${label(n.init)} with ${label(n.carry)}, ${label(n.index)} {`;
    case "carry":
    case "loop_index":
      return n.kind;
    default:
      return n satisfies never;
  }
}

export function print(g: Graph): string {
  const sorted = nodesOf(g);
  const order = [...sorted.filter(isLeaf), ...sorted.filter((n) => !isLeaf(n))];
  const label = labelsOf(order);
  const region = regions(order);
  const list = (nodes: readonly Node[]): string => nodes.map(label).join(", ");
  const members = new Map<Repeat | null, Node[]>();
  for (const n of order) {
    if (n.kind === "carry" || n.kind === "loop_index") continue;
    const r = region.get(n) ?? null;
    const known = members.get(r);
    if (known === undefined) members.set(r, [n]);
    else known.push(n);
  }
  const lines: string[] = [];
  const emit = (r: Repeat | null, indent: string): void => {
    for (const n of members.get(r) ?? []) {
      lines.push(`${indent}${typed(n, label)} = ${definition(n, label)}`);
      if (n.kind !== "repeat") continue;
      emit(n, `${indent}  `);
      if (n.effects.length > 0) lines.push(`${indent}  effect ${list(n.effects)}`);
      lines.push(`${indent}  yield ${label(n.body)}`, `${indent}}`);
    }
  };
  for (const [name, range] of g.sizes) lines.push(`  ${printRange(name, range)}`);
  for (const { low, high } of g.bounds ?? []) lines.push(`  given ${printDim(low)} <= ${printDim(high)}`);
  emit(null, "  ");
  if (g.effects.length > 0) lines.push(`  effect ${list(g.effects)}`);
  lines.push(`  return${g.results.length === 0 ? "" : ` ${list(g.results)}`}`);
  return `graph @${quoted(g.name)} {\n${lines.join("\n")}\n}\n`;
}
