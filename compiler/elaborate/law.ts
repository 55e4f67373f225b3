/** Laws of the library as graphs: both sides over the law's parameters, so that they can be run and compared. */
import type { Block, Fn, Law } from "../../dsl/ast/nodes.ts";
import type { DeclInfo, HeaderParam } from "../../dsl/checker/context.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import { atomsOf } from "../../dsl/types/poly.ts";
import { type Dim, dim } from "../graph/dim.ts";
import type { DType, Graph, SizeRange } from "../graph/node.ts";
import { read } from "../graph/scalar.ts";
import { type Axis, allLeaves, layoutDims, plain, whole } from "./axis.ts";
import { ElaborationError } from "./context.ts";
import { enter } from "./enter.ts";
import { outside } from "./labels.ts";
import { layoutWith } from "./layout-from.ts";
import { nodeOf } from "./materialize.ts";
import { newUnit } from "./unit.ts";
import { asTensor, sizeValue, type Tensor, type Value } from "./value.ts";

export interface ElaboratedLaw {
  /** Results: left side, right side. Inputs: the parameters, by name. */
  readonly graph: Graph;
  readonly relation: "~" | "==";
  /** The element type of each parameter as written. */
  readonly inputs: ReadonlyMap<string, { readonly dims: readonly Dim[]; readonly dtype: DType }>;
}

export interface LawOptions {
  readonly law: Law;
  readonly declared: (decl: Fn | Block | Law) => DeclInfo;
  /** Numbers for the sizes of its parameters. */
  readonly sizes: Readonly<Record<string, number>>;
}

const isSize = ({ type }: HeaderParam): boolean => type.element.kind === "integer" && type.element.word === "dim";

/** Names of the sizes that stand in a law's parameters. */
export function sizesOfLaw(info: DeclInfo): readonly string[] {
  const names = new Set<string>();
  for (const param of info.header?.params ?? []) {
    const visit = (axis: (typeof param.type.axes)[number]): void => {
      if (axis.kind === "plain")
        for (const atom of atomsOf(axis.size).values()) if (atom.kind === "symbol") names.add(atom.name);
      if (axis.kind === "merged" || axis.kind === "joined") axis.parts.forEach(visit);
    };
    param.type.axes.forEach(visit);
    if (param.type.element.kind === "index") visit(param.type.element.of);
    if (isSize(param)) names.add(param.name);
  }
  return [...names];
}

export function elaborateLaw({ law, declared, sizes }: LawOptions): ElaboratedLaw {
  const body = ungroup(law.body);
  if (body.kind !== "binary" || (body.op !== "~" && body.op !== "=="))
    throw new ElaborationError("a law compares two sides", law.body.span);
  const info = declared(law);
  const unit = newUnit({ declared, numbers: sizes });
  const axes = new Map<string, Axis>(Object.keys(sizes).map((name) => [name, whole(plain(dim(name)))]));
  const inputs = new Map<string, { dims: readonly Dim[]; dtype: DType }>();
  const values = new Map<string, Value>();
  for (const param of info.header?.params ?? []) {
    if (isSize(param)) {
      values.set(param.name, sizeValue(dim(param.name)));
      continue;
    }
    const own = param.type.axes.map((axis) => whole(layoutWith(axis, (n) => axes.get(n)) ?? plain(dim(1))));
    const dtype: DType = param.type.element.kind === "float" ? "f64" : "i32";
    const dims = own.flatMap((axis) => layoutDims(axis.layout));
    const node = unit.builder.input(param.name, dims, dtype);
    inputs.set(param.name, { dims, dtype });
    const tensor: Tensor = {
      kind: "tensor",
      axes: own,
      dtype,
      at: (positions) => read(node, allLeaves(positions, own)),
    };
    values.set(param.name, tensor);
  }
  const frame = enter(
    info,
    { values, settings: new Map(), home: null },
    { unit, label: "", prefix: "", stacks: [], around: [], span: law.span },
  );
  const side = (expr: typeof body.left, label: string) =>
    nodeOf(unit, label, asTensor(unit.rules.evaluate(expr, outside(frame, label))));
  const results = [side(body.left, "left"), side(body.right, "right")];
  const ranges = new Map<string, SizeRange>(Object.entries(sizes).map(([n, v]) => [n, { low: v, high: v }] as const));
  return { graph: { name: law.name.text, sizes: ranges, results, effects: [] }, relation: body.op, inputs };
}
