/** A one-file model, elaborated and run once: for tests that say in numbers what a construct means. */
import { interpretSlowly } from "../../compiler/graph/interpret/slowly.ts";
import { StateStore } from "../../compiler/graph/interpret/state-store.ts";
import { realsOf, type Tensor } from "../../compiler/graph/interpret/tensor.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { elaborateModel, readProject, sizesOf } from "./elaborate-model.ts";

export interface RunText {
  /** The items of the model behind its config; `T` and `S` are declared. */
  readonly text: string;
  readonly config?: Readonly<Record<string, unknown>>;
  /** Fields of the config block, one a line. */
  readonly fields?: string;
  /** Declarations and imports in front of the model. */
  readonly before?: string;
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
  readonly weights?: Readonly<Record<string, readonly number[]>>;
  /** Tokens of each call; the inputs of one call hold all, cut in this way. */
  readonly calls?: readonly number[];
}

/** The first result of each call, as plain numbers. */
export function runText(options: RunText): readonly (readonly number[])[] {
  const source = `${options.before ?? ""}
model sample {
  config { ${options.fields ?? ""} }
  runtime T : dim in 1..16
  runtime S : memory in 1..64
${options.text}
}
`;
  const elaborated = elaborateModel({
    entry: "m.ds",
    config: options.config ?? {},
    read: (path) => (path === "m.ds" ? source : readProject(path)),
  });
  const problems = verify(elaborated.graph);
  if (problems.length > 0) throw new Error(problems.map((p) => p.text).join("\n"));
  const calls = options.calls ?? [Object.values(options.inputs ?? {})[0]?.length ?? 1];
  const state = new StateStore();
  let before = 0;
  return calls.map((tokens) => {
    const sizes = sizesOf(elaborated, { T: tokens, S0: before });
    const total = calls.reduce((a, b) => a + b, 0);
    const [result] = interpretSlowly(elaborated.graph, {
      sizes,
      state,
      param: (node): Tensor => {
        const given = (node.kind === "input" ? options.inputs : options.weights)?.[node.name];
        const constant = elaborated.weights.get(node.name)?.constant;
        const source = constant?.map(Number) ?? given;
        if (source === undefined) throw new Error(`no numbers for %${node.name}`);
        const dims = node.type.dims.map((d) => Number(d.key) || (sizes[d.key.replace("1*$", "")] ?? Number.NaN));
        const shape = dims.some(Number.isNaN) ? [source.length] : dims;
        const width = source.length / total;
        const own = node.kind === "input" ? source.slice(before * width, (before + tokens) * width) : source;
        if (node.type.dtype === "i64" && constant != null)
          return { dims: shape, data: BigInt64Array.from(constant, BigInt) };
        return { dims: shape, data: Float64Array.from(own) };
      },
    });
    before += tokens;
    return result === undefined ? [] : [...realsOf(result)];
  });
}

/** The first result of one call. */
export const runOnce = (options: RunText): readonly number[] => runText(options)[0] ?? [];
