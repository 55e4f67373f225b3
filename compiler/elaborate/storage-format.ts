/** Storage formats: a block that computes a weight from the tensors beside its name, as a graph of its own. */
import type { Expr, Storage } from "../../dsl/ast/nodes.ts";
import type { DeclInfo } from "../../dsl/checker/context.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import { dim } from "../graph/dim.ts";
import { ElaborationError } from "./context.ts";
import { type Elaborated, type ElaborateOptions, startModel } from "./elaborate.ts";
import { enter, type Setting } from "./enter.ts";
import { nodeOf } from "./materialize.ts";
import { asTensor } from "./value.ts";

export interface FormatOptions extends Omit<ElaborateOptions, "entry" | "results" | "keep"> {
  /** The element type as the text says it after `storage`: `e4m3`. */
  readonly scalar: string;
  /** Name of the tensor that is stored so. */
  readonly tensor: string;
  /** Its stored shape. */
  readonly shape: readonly number[];
  /** Whether a shape of another number of axes than the format has is no error, but has no format. */
  readonly lenient?: boolean;
}

interface Format {
  readonly item: Storage;
  readonly expr: Expr;
  readonly name: string;
  readonly info: DeclInfo;
  readonly result: NonNullable<DeclInfo["header"]>["results"][number];
}

function formatOf({ model, declared, scalar }: Pick<FormatOptions, "model" | "declared" | "scalar">): Format | null {
  const item = model.path.items.find(({ item: i }) => i.kind === "storage" && i.scalar.text === scalar)?.item;
  if (item?.kind !== "storage") return null;
  const expr = ungroup(item.block);
  const callee = expr.kind === "call" ? ungroup(expr.callee) : expr;
  const name = callee.kind === "name" ? callee.text : "";
  const { scope } = model.path.body;
  const entity = scope.names.get(name) ?? scope.parent?.names.get(name);
  if (entity?.source.kind !== "block") throw new ElaborationError("a storage format is a block", item.block.span);
  const info = declared(entity.source.decl);
  const [result] = info.header?.results ?? [];
  if (result === undefined) throw new ElaborationError("a storage format has a result", item.block.span);
  return { item, expr, name, info, result };
}

/** How many axes a tensor of the format has; null where the model has no such format. */
export const formatAxes = (options: Pick<FormatOptions, "model" | "declared" | "scalar">): number | null =>
  formatOf(options)?.result.type.axes.length ?? null;

/** The graph that computes a tensor of a storage format; null where the model has no such format. */
export function elaborateFormat(options: FormatOptions): Elaborated | null {
  const { unit, root } = startModel(options);
  const format = formatOf(options);
  if (format === null) return null;
  const { item, expr, name, info, result } = format;
  if (result.type.axes.length !== options.shape.length && options.lenient === true) return null;
  if (result.type.axes.length !== options.shape.length)
    throw new ElaborationError(
      `\`${options.tensor}\` has ${options.shape.length} axes, this format has ${result.type.axes.length}`,
      item.block.span,
    );
  const frame = enter(
    info,
    {
      values: new Map(),
      settings: settingsOf(expr, info.header?.settings.map((s) => s.name) ?? []),
      home: root,
      results: options.shape.map((n) => dim(n)),
    },
    {
      unit,
      label: "",
      prefix: "",
      stacks: [],
      around: [],
      span: item.block.span,
      known: new Map([
        ["name", options.tensor],
        ["stem", options.tensor.replace(/\.weight$/, "")],
      ]),
    },
  );
  const value = unit.rules.define(result.name, frame);
  if (value === null) throw new ElaborationError("this format computes nothing", item.block.span);
  const node = nodeOf(unit, result.name, asTensor(value));
  return {
    graph: { name: name || "format", sizes: new Map(), results: [node], effects: [] },
    builder: unit.builder,
    weights: unit.weights,
    results: [result.name],
    runs: unit.runs,
    aliases: unit.aliases,
    places: unit.places,
    inputs: new Map(),
  };
}

function settingsOf(expr: Expr, names: readonly string[]): ReadonlyMap<string, Setting> {
  const settings = new Map<string, Setting>();
  let position = 0;
  for (const arg of expr.kind === "call" ? expr.args : []) {
    if (arg.kind !== "argument") continue;
    const name = arg.name?.text ?? names[position];
    if (arg.name === null) position += 1;
    if (name !== undefined) settings.set(name, { block: null, expr: arg.value });
  }
  return settings;
}
