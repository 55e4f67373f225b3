/** A few lines of text around a block of the library, run once with tensors and inputs that are given. */
import { bindWeights } from "../../backends/reference/bind-weights.ts";
import { elaborate } from "../../compiler/elaborate/elaborate.ts";
import { evalDim } from "../../compiler/graph/dim.ts";
import { interpretSlowly } from "../../compiler/graph/interpret/slowly.ts";
import { StateStore } from "../../compiler/graph/interpret/state-store.ts";
import { realsOf, tensor } from "../../compiler/graph/interpret/tensor.ts";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { tensorNames } from "../../dsl/checker/weights.ts";
import { readProject } from "./bind-text.ts";

/** Numbers in lists of lists, row-major. */
export type Nested = number | readonly Nested[];

export const flat = (value: Nested): readonly number[] => (typeof value === "number" ? [value] : value.flatMap(flat));

export interface Fragment {
  readonly text: string;
  /** config.json; without it an object without members. */
  readonly config?: string;
  /** Other texts for files of the library. */
  readonly library?: ReadonlyMap<string, string>;
  /** By name in the checkpoint, in the shape that the text declares. */
  readonly tensors?: Readonly<Record<string, Nested>>;
  readonly inputs?: Readonly<Record<string, Nested>>;
  /** Tokens of the call; nothing is remembered before. */
  readonly tokens?: number;
  /** Definitions that are wanted beside the results, by path. */
  readonly keep?: readonly string[];
}

/** Results of the entry `example`, and what was kept, by name. */
export async function runFragment(fragment: Fragment): Promise<ReadonlyMap<string, readonly number[]>> {
  const { text, config = "{}", library = new Map(), tensors = {}, inputs = {}, tokens = 1, keep = [] } = fragment;
  const checked = checkProject({
    entry: "example.ds",
    read: (path) => (path === "example.ds" ? text : (library.get(path) ?? readProject(path))),
    config: { path: "config.json", text: config },
  });
  const errors = checked.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0 || checked.bound === null)
    throw new Error(
      errors.map(({ code, title, primary }) => `${code} ${title}: ${primary.text}`).join("\n") || "no model",
    );
  const elaborated = elaborate({
    model: checked.bound,
    declared: checked.declared,
    entry: "example",
    keep: (label) => keep.includes(label),
  });
  const sizes = {
    ...Object.fromEntries([...elaborated.graph.sizes].map(([name, { low }]) => [name, low])),
    T: tokens,
    S0: 0,
  };
  const values = new Map(Object.entries(tensors).map(([name, value]) => [name, flat(value)]));
  const shapes = new Map(
    checked.bound.weights.flatMap(({ weight, indices }) =>
      weight.tensors.flatMap((pattern) =>
        [...tensorNames(pattern, indices)].map((name) => [name, weight.sizes ?? []] as const),
      ),
    ),
  );
  const weights = await bindWeights({
    elaborated,
    sizes,
    format: () => null,
    reader: {
      find: (name) => (values.has(name) ? { dtype: "F64", shape: shapes.get(name) ?? [] } : null),
      read: async (name) => Float64Array.from(values.get(name) ?? []),
      readIntegers: async (name) => BigInt64Array.from((values.get(name) ?? []).map(BigInt)),
    },
  });
  const found = new Map<string, readonly number[]>();
  const results = interpretSlowly(elaborated.graph, {
    sizes,
    state: new StateStore(),
    param: (node) => {
      const given = inputs[node.name];
      if (node.kind === "input" && given !== undefined) {
        return tensor(
          node.type.dims.map((d) => evalDim(d, sizes)),
          flat(given),
        );
      }
      const weight = weights.get(node.name);
      if (weight === undefined) throw new Error(`%${node.name} is not given`);
      return weight;
    },
    observe: (node, _, value) => {
      if (keep.includes(node.name)) found.set(node.name, [...realsOf(value)]);
    },
  });
  results.forEach((value, i) => {
    found.set(elaborated.results[i] ?? "", [...realsOf(value)]);
  });
  return found;
}
