/** A model's text with a config and tensors in memory, run by the reference backend. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bindWeights } from "../../backends/reference/bind-weights.ts";
import { ReferenceSession } from "../../backends/reference/session.ts";
import type { ForwardOptions } from "../../compiler/driver/backend.ts";
import { type Elaborated, elaborate } from "../../compiler/elaborate/elaborate.ts";
import { realsOf, type Tensor } from "../../compiler/graph/interpret/tensor.ts";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";

/** Numbers of a tensor [rows, …] as rows of all that lies behind the first axis. */
export type Rows = readonly (readonly number[])[];

export interface GivenTensor {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface TextOptions {
  /** Project path; `text` stands for it where it is no file of the repository. */
  readonly entry: string;
  readonly text?: string;
  /** Texts that stand for files, by project path, `std/…` included. */
  readonly texts?: ReadonlyMap<string, string>;
  readonly config: string;
  readonly settings?: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, GivenTensor>;
  readonly results: readonly string[];
  readonly keep?: (path: string) => boolean;
}

export interface Forward {
  readonly results: ReadonlyMap<string, Rows>;
  /** Definitions that were kept: path of the text, member of the family around it. */
  readonly observed: readonly { readonly path: string; readonly member: number; readonly rows: Rows }[];
}

export const root = fileURLToPath(new URL("../../", import.meta.url));

export function readProject(path: string): string | null {
  try {
    return readFileSync(`${root}${path.startsWith("std/") ? `dsl/stdlib/${path.slice(4)}` : path}`, "utf8");
  } catch {
    return null;
  }
}

export function rowsOf(value: Tensor | undefined): Rows {
  if (value === undefined) throw new Error("this result is missing");
  const [count = 1] = value.dims;
  const data = realsOf(value);
  const width = count === 0 ? 0 : data.length / count;
  return Array.from({ length: count }, (_, i) => [...data.subarray(i * width, (i + 1) * width)]);
}

export interface BoundText {
  readonly forward: (ids: readonly number[], options?: Pick<ForwardOptions, "chunk" | "signal">) => Forward;
  readonly elaborated: Elaborated;
  readonly session: ReferenceSession;
  /** A session that remembers nothing yet, of the same weights. */
  readonly another: () => ReferenceSession;
}

const cache = newParseCache();

export async function bindText(options: TextOptions): Promise<BoundText> {
  const { entry, text, texts = new Map(), config, settings = new Map(), tensors, results, keep } = options;
  const checked = checkProject({
    entry,
    read: (path) => (path === entry && text !== undefined ? text : (texts.get(path) ?? readProject(path))),
    config: { path: "config.json", text: config },
    settings,
    cache,
  });
  const errors = checked.diagnostics.filter((d) => d.severity === "error").map((d) => `${d.code} ${d.title}`);
  if (errors.length > 0 || checked.bound === null) throw new Error(errors.join("\n") || "no model");
  const elaborated = elaborate({
    model: checked.bound,
    declared: checked.declared,
    entry: "forward",
    results,
    ...(keep === undefined ? {} : { keep }),
  });
  const sizes = Object.fromEntries(
    [...elaborated.graph.sizes].flatMap(([name, { low, high }]) => (low === high ? [[name, low] as const] : [])),
  );
  const dataOf = (name: string): ArrayLike<number> => tensors.get(name)?.data ?? [];
  const weights = await bindWeights({
    elaborated,
    sizes,
    format: () => null,
    reader: {
      find: (name) => {
        const shape = tensors.get(name)?.shape;
        return shape === undefined ? null : { dtype: "F32", shape };
      },
      read: async (name) => Float64Array.from(dataOf(name)),
      readIntegers: async (name) => BigInt64Array.from(Array.from(dataOf(name), BigInt)),
    },
  });
  const another = (): ReferenceSession => new ReferenceSession({ elaborated, weights });
  const session = another();
  const forward: BoundText["forward"] = (ids, how = {}) => {
    const observed: Forward["observed"][number][] = [];
    const found = session.forward(ids, {
      ...how,
      observe: (node, iterations, value) => {
        const place = placeOf(node.name, iterations, elaborated.runs);
        if (place !== null) observed.push({ ...place, rows: rowsOf(value) });
      },
    });
    return { results: new Map(elaborated.results.map((name, i) => [name, rowsOf(found[i])])), observed };
  };
  return { forward, elaborated, session, another };
}

/** `layer.y` and the number of the layer, for a node called `layer1.y` that stands for layers 1 to 3. */
function placeOf(
  label: string,
  iterations: readonly number[],
  runs: ReadonlyMap<string, { readonly family: string; readonly members: readonly number[] }>,
): { readonly path: string; readonly member: number } | null {
  for (const [own, { family, members }] of runs) {
    if (!label.startsWith(`${own}.`)) continue;
    const member = members[iterations[0] ?? 0];
    return member === undefined ? null : { path: `${family}${label.slice(own.length)}`, member };
  }
  return null;
}
