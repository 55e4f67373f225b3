/** A case for every block of the library: a model around it, checked and elaborated as any model is. */
import { checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import { elaborate } from "../elaborate/elaborate.ts";
import { evalDim, type Sizes } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import { countOf } from "../graph/interpret/tensor.ts";
import type { Param } from "../graph/node.ts";
import { type BlockText, blockTexts, modelText } from "./block-texts.ts";
import type { CaseCall, CaseGraph, GraphCase } from "./graph-case.ts";
import { remembering } from "./primitives/text-case.ts";
import type { Values } from "./run-graph.ts";
import { reals, wholes } from "./seeded-values.ts";

/** A text of the library by its name; null where there is none. */
export type ReadText = (path: string) => string | null;

const fresh: readonly CaseCall[] = [1, 2, 7, 9].map((T) => ({ T, S0: 0 }));

function callsOf({ once, remembers, many }: BlockText): readonly CaseCall[] {
  if (once === true) return [{ T: 1, S0: 0 }];
  if (remembers === true) return remembering;
  return many === true ? [...fresh, { T: 60, S0: 0 }] : fresh;
}

export function blockCases(full: boolean, read: ReadText): readonly GraphCase[] {
  const cache = newParseCache();
  return blockTexts(full).map((block) => ({
    kind: "block",
    subject: block.subject,
    sizes: Object.entries(block.sizes)
      .map(([n, v]) => `${n}=${v}`)
      .join(" "),
    calls: callsOf(block),
    weights: /^std\/(scalar|rope|softmax|quantization)/.test(block.subject) ? ["f32"] : ["f32", "bf16", "f16"],
    make: () => graphOfText(modelText(block), read, cache, JSON.stringify(block.config ?? {})),
  }));
}

/** The entry `example` of a model without a config, with numbers for what it takes. Throws where the text has errors. */
export function graphOfText(
  text: string,
  read: ReadText,
  cache: ReturnType<typeof newParseCache>,
  config = "{}",
): CaseGraph {
  const checked = checkProject({
    entry: "case.ds",
    read: (path) => (path === "case.ds" ? text : read(path)),
    config: { path: "config.json", text: config },
    cache,
  });
  const [error] = checked.diagnostics.filter((d) => d.severity === "error");
  if (error !== undefined || checked.bound === null)
    throw new InternalError(
      `${error?.code ?? "no model"} ${error?.title ?? ""}: ${error?.primary.text ?? ""}\n${text}`,
    );
  const made = elaborate({ model: checked.bound, declared: checked.declared, entry: "example" });
  const given = (n: Param, sizes: Sizes): Values => {
    const dims = n.type.dims.map((d) => evalDim(d, sizes));
    const count = countOf(dims);
    if (n.kind === "input" && n.name === "pos") return Array.from({ length: count }, (_, t) => (sizes["S0"] ?? 0) + t);
    const source = made.weights.get(n.name);
    if (source?.constant != null)
      return n.type.dtype === "i64" ? source.constant.map(BigInt) : source.constant.map(Number);
    const below = n.kind === "input" ? (made.inputs.get(n.name) ?? null) : (source?.below ?? null);
    if (below !== null) return wholes(n.name, count, evalDim(below, sizes));
    if (n.type.dtype === "i8") return wholes(n.name, count, 255).map((x) => x - 127);
    // Sums stay near 1, whatever their length.
    return reals(n.name, count, n.kind === "weight" ? Math.min(1, 2 / Math.sqrt(dims.at(-1) ?? 1)) : 1);
  };
  return { graph: made.graph, builder: made.builder, given };
}
