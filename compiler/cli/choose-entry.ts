/** Which entry of a model is run on tokens, and what it must be like. */
import type { BoundModel } from "../../dsl/checker/check-project.ts";
import { closest } from "../../dsl/diagnostics/suggest.ts";
import type { Elaborated } from "../elaborate/elaborate.ts";
import { evalDim, nameOf, type Sizes } from "../graph/dim.ts";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";

export interface EntryChoice {
  readonly entry: string;
  readonly result: string;
}

/**
 * The entry that is named; else the one that a loop of the model samples, else the only one. Of its results the first of
 * `results` that it has.
 */
export function chooseEntry(
  model: BoundModel,
  named: string | null,
  results: readonly string[],
): EntryChoice | Failure {
  const { entries, items } = model.path;
  const names = [...entries.keys()];
  const loops = items.flatMap(({ item }) => (item.kind === "loop" && item.verb.text === "sample" ? [item] : []));
  const entry = named ?? loops[0]?.entry.text ?? (names.length === 1 ? names[0] : undefined);
  const listed = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
  if (entry === undefined) {
    return new Failure(exitCodes.errorsFound, `${model.name} says no entry to sample`, `--entry NAME; ${listed}`);
  }
  const decl = entries.get(entry)?.decl;
  if (decl === undefined) {
    const near = closest(entry, names);
    const hint = near === null ? listed : `did you mean \`${near}\`?`;
    return new Failure(exitCodes.usage, `${model.name} has no entry \`${entry}\``, hint);
  }
  const result = results.find((name) => decl.results.some((r) => r.name.text === name));
  if (result === undefined) {
    return new Failure(exitCodes.errorsFound, `the entry ${entry} has no result ${results.join(" or ")}`);
  }
  return { entry, result };
}

/** What a call of an entry on tokens is made of. */
export interface TokenEntry {
  /** Name of the size of a call's tokens, and of the rows remembered before it. */
  readonly token: string;
  readonly before: string;
  /** Numbers of the sizes that the config fixes. */
  readonly sizes: Sizes;
  /** How many ids there are; ids are below it. */
  readonly vocabulary: number;
  /** How many tokens fit. */
  readonly context: number;
  /** Length of a row of the result. */
  readonly width: number;
}

/** Where the entry wants anything but the ids of tokens and their positions, it is a failure. */
export function tokenEntry(
  { graph, inputs, results }: Elaborated,
  { entry, result }: EntryChoice,
): TokenEntry | Failure {
  const [input, ...others] = inputs.keys();
  const below = input === undefined ? null : (inputs.get(input) ?? null);
  if (others.length > 0 || below === null) {
    const all = [...inputs.keys()].join(", ");
    return new Failure(
      exitCodes.errorsFound,
      `the entry ${entry} wants ${all === "" ? "nothing" : all}; it is run on the ids of tokens alone`,
    );
  }
  const sizes: Record<string, number> = {};
  const open: string[] = [];
  for (const [name, { low, high }] of graph.sizes) {
    if (low === high) sizes[name] = low;
    else open.push(name);
  }
  // A size that one call decides has a range; the memory before it begins with 0 rows.
  const before = open.filter((name) => graph.sizes.get(name)?.low === 0);
  const token = open.filter((name) => !before.includes(name));
  const row = graph.results[results.indexOf(result)]?.type.dims.at(-1);
  const [tokens = "T"] = token;
  if (token.length > 1 || before.length > 1 || row === undefined || nameOf(row) === tokens) {
    return new Failure(exitCodes.errorsFound, `the entry ${entry} gives no ${result} for a call of tokens`);
  }
  const [rows = "S0"] = before;
  const most = graph.sizes.get(rows)?.high;
  return {
    token: tokens,
    before: rows,
    sizes,
    vocabulary: evalDim(below, sizes),
    context: most === undefined ? Number.POSITIVE_INFINITY : most + 1,
    width: evalDim(row, sizes),
  };
}
