/** The text form of kernels; parse.ts reads it back to an equal kernel, but for those of several parts. Types of names stand where they are declared. */
import { printNumber } from "../graph/text-form.ts";
import { typeName } from "./elem.ts";
import type { Expr, Kernel, Stmt } from "./kernel.ts";
import { ops } from "./ops.ts";
import { accessWords } from "./text-form.ts";

const list = (es: readonly Expr[]): string => es.map((e) => printExpr(e)).join(", ");

/** `outer`: the level of the operation around it; a looser one stands in parentheses. */
export function printExpr(e: Expr, outer = 0): string {
  switch (e.kind) {
    case "const": {
      const value = printNumber(e.value);
      if (e.step !== undefined) return `${typeName(e.type)}(${value} step ${printNumber(e.step)})`;
      const plain = e.type.elem === "i32" && e.type.width === 1 && /^[0-9]+$/.test(value);
      return plain ? value : `${typeName(e.type)}(${value})`;
    }
    case "wide":
      return `${typeName(e.type)}(${e.value})`;
    case "name":
      return e.name;
    case "op": {
      const { infix } = ops[e.op];
      const [a, b] = e.args;
      if (infix === null || a === undefined || b === undefined) return `${e.op}(${list(e.args)})`;
      const text = `${printExpr(a, infix.level)} ${infix.sign} ${printExpr(b, infix.level + 1)}`;
      return infix.level < outer ? `(${text})` : text;
    }
    case "convert":
      return `to_${e.type.elem}(${printExpr(e.arg)})`;
    case "bitcast":
      return `as_${e.type.elem}(${printExpr(e.arg)})`;
    case "splat":
      return `splat${e.type.width}(${printExpr(e.arg)})`;
    case "extract":
      return `extract${e.lane}(${printExpr(e.arg)})`;
    case "fold":
      return `fold_${e.monoid}(${printExpr(e.arg)})`;
    case "load":
      return `${e.from}[${inPiece(e.piece)}${printExpr(e.index)}]${e.type.width > 1 ? `:${e.type.width}` : ""}`;
    case "dot":
      return `dot${e.group}${e.b7 ? "_b7" : ""}(${list([e.a, e.b, e.acc])})`;
    default:
      return e satisfies never;
  }
}

/** What stands before an index or extent where a buffer is in pieces. */
const inPiece = (piece: Expr | undefined): string => (piece === undefined ? "" : `${printExpr(piece)}; `);
const place = (memory: string, index: Expr): string => `${memory}[${printExpr(index)}]`;

function lines(s: Stmt): readonly string[] {
  switch (s.kind) {
    case "let":
      return [`let ${s.name} = ${printExpr(s.value)}`];
    case "reg":
      return [`reg ${s.name}: ${typeName(s.type)}[${s.size}]`];
    case "loop": {
      const range = `${printExpr(s.from)} .. ${printExpr(s.to)} step ${s.step}`;
      return [`${s.mode === "serial" ? "loop" : "unroll"} ${s.name} in ${range} {`, ...block(s.body), "}"];
    }
    case "if":
      return [`if ${printExpr(s.cond)} {`, ...block(s.body), "}"];
    case "store":
      return [`${place(s.to, s.index)} = ${printExpr(s.value)}`];
    case "barrier":
      return ["barrier"];
    case "reduce":
      return [`reduce ${s.name} = ${s.monoid}(${printExpr(s.value)}) over ${s.width} ${s.how}`];
    case "frag":
      return [`frag ${s.name}: ${s.role} ${s.elem}[${s.count}, ${s.rows}, ${s.columns}]`];
    case "frag_load":
      return [`frag_load ${place(s.frag, s.at)} = ${place(s.memory, s.index)} stride ${printExpr(s.stride)}`];
    case "frag_store":
      return [`frag_store ${place(s.memory, s.index)} = ${place(s.frag, s.at)} stride ${printExpr(s.stride)}`];
    case "mma":
      return [`mma ${place(s.d, s.dAt)} += ${place(s.a, s.aAt)} * ${place(s.b, s.bAt)}`];
    case "comment":
      return [`// ${s.text}`];
    default:
      return s satisfies never;
  }
}
const block = (body: readonly Stmt[]): readonly string[] => body.flatMap(lines).map((line) => `  ${line}`);

export function printKernel(k: Kernel): string {
  const head = [
    ...k.sizes.map((s) => {
      const multiple = s.multiple === 1 ? "" : ` multiple ${s.multiple}`;
      return `size ${s.name}${multiple}${s.minimum === 0 ? "" : ` min ${s.minimum}`}`;
    }),
    ...k.buffers.map(
      (b) => `${accessWords[b.access]} ${b.name}: ${b.elem}[${inPiece(b.pieces)}${printExpr(b.extent)}] ${b.layout}`,
    ),
    ...(k.window === undefined ? [] : [`window ${k.window.first} ${k.window.pieces} of ${k.window.of}`]),
    ...k.grid.map((g) => `grid ${g.name} in ${printExpr(g.extent)}`),
    `lanes ${k.lanes}`,
    ...k.shared.map((s) => `shared ${s.name}: ${s.elem}[${s.size}]`),
  ];
  const parts = (k.parts ?? []).flatMap((p) => {
    const named = [...p.buffers, ...p.sizes].join(", ");
    return [
      `part ${p.stage} (${named}) {`,
      ...printKernel(p.kernel)
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`),
      "}",
    ];
  });
  const first = `kernel @${k.name} ${JSON.stringify(k.source)}`;
  return `${[first, ...head.map((line) => `  ${line}`), "{", ...block(k.body), ...parts.map((line) => `  ${line}`), "}"].join("\n")}\n`;
}
