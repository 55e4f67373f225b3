/** V3 and V3.2 with their published config, rewritten for sizes of a call; and questions about what came of it. */
import { runPasses } from "../../compiler/driver/pipeline.ts";
import type { Elaborated } from "../../compiler/elaborate/elaborate.ts";
import { addDim, dim, printDim } from "../../compiler/graph/dim.ts";
import type { Graph, Node, Read, Scalar } from "../../compiler/graph/node.ts";
import { readsOf } from "../../compiler/graph/scalar.ts";
import { expressionsOf, isComputed, nodesOf } from "../../compiler/graph/walk.ts";
import type { Report } from "../../compiler/passes/pass.ts";
import { gpu } from "../../compiler/target/example-targets.ts";
import { elaborateModel, publishedConfig, sizesOf } from "./elaborate-model.ts";

const models = {
  "deepseek-v3": elaborateModel({
    entry: "models/deepseek-v3.ds",
    config: publishedConfig("models/deepseek-v3.ds"),
    results: ["logits"],
  }),
  "deepseek-v3.2": elaborateModel({
    entry: "models/deepseek-v3.2.ds",
    config: publishedConfig(),
    settings: { exact: "true" },
    results: ["logits"],
  }),
} as const satisfies Record<string, Elaborated>;
export type ModelName = keyof typeof models;
export const publishedModel = (name: ModelName): Elaborated => models[name];

export interface PlannedFor {
  readonly T: number;
  readonly S0: number;
  /** Most rows in all of the calls that the plan is for. */
  readonly atMost?: number;
}
export interface Planned {
  readonly graph: Graph;
  readonly reports: readonly Report[];
}
const planned = new Map<string, Planned>();

export function plan(name: ModelName, call: PlannedFor): Planned {
  const id = `${name} ${call.T} ${call.S0} ${call.atMost}`;
  const known = planned.get(id);
  if (known !== undefined) return known;
  const { T, S0, atMost } = call;
  const model = models[name];
  const bounds = atMost === undefined ? {} : { bounds: [{ low: addDim("S0", "T"), high: dim(atMost) }] };
  const sizes = sizesOf(model, { T, S0 });
  const made = runPasses({ ...model.graph, ...bounds }, { builder: model.builder, sizes, target: gpu });
  planned.set(id, made);
  return made;
}

/** `["T", "H", "S"]`, as dims of a tensor are printed; S: all rows that are remembered after the call. */
export const dims = (...names: readonly string[]): string =>
  names.map((n) => (n === "S" ? "1*$S0+1*$T" : `1*$${n}`)).join(" ");
const dimsOf = (n: Node): string => n.type.dims.map((d) => d.key).join(" ");
/** Sizes of all tensors that kernels make. */
export const stored = (g: Graph): ReadonlySet<string> => new Set(nodesOf(g).filter(isComputed).map(dimsOf));

/** All reads of the tensors that a name matches. */
export const readsIn = (g: Graph, name: RegExp): readonly Read[] =>
  nodesOf(g).flatMap((n) => expressionsOf(n).flatMap((e) => readsOf(e).filter((r) => name.test(r.value.name))));

/** One line a kernel, in order: what it makes, and what of which tensors it reads. A tensor that is looked into is read `at` an index. */
export function outline(g: Graph, only: RegExp): string {
  const short = (n: Node): string => n.name.replace(/^layer\d+\.(attn\.|mlp\.)?/, "");
  const index = (x: Scalar): readonly string[] =>
    x.kind === "read" && x.value.type.dims.length > 0 ? [` at ${short(x.value)}`] : [];
  const lines = nodesOf(g).filter((n) => isComputed(n) && only.test(n.name));
  const text = lines.map((n) => {
    const made = `${n.type.dtype}[${n.type.dims.map(printDim).join(", ")}]`;
    const outer = expressionsOf(n).flatMap(readsOf);
    const inner = new Set(outer.flatMap((r) => r.at.flatMap(readsOf)));
    const reads = outer
      .filter((r) => !inner.has(r) && r.value.type.dims.length > 0)
      .map((r) => `${short(r.value)}${r.at.flatMap(index).join("")}`);
    return `${n.kind.padEnd(7)} ${short(n).padEnd(24)} ${made.padEnd(28)} from ${[...new Set(reads)].join(", ")}\n`;
  });
  return text.join("");
}
