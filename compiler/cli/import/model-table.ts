/** `models/models.json`: which file of `models/` describes a checkpoint, and which constants its config leaves to be worked out. */
import { join } from "node:path";
import { closest } from "../../../dsl/diagnostics/suggest.ts";
import { exitCodes } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { readText, sizeLimits } from "../read-file.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Members of a config that must be there. */
interface Condition {
  readonly has?: readonly string[];
}

interface ModelLine extends Condition {
  readonly file: string;
  readonly model_type?: readonly string[];
}

/**
 * Where a config has what the constants of hashed n-grams follow from (`compiler/constants/hashed-ngrams.ts`), and where the text
 * reads them: paths of members, and the name of the tensor of a layer.
 */
export interface NgramPlaces extends Condition {
  readonly layer_ids: string;
  readonly longest: string;
  readonly heads: string;
  readonly rows: string;
  readonly seed: string;
  readonly pad_id: string;
  readonly layers: string;
  readonly vocabulary: string;
  readonly multipliers: string;
  readonly primes: string;
  readonly compressed: string;
  readonly token_map: string;
}

export interface ModelTable {
  readonly folder: string;
  /** The file whose weights lie beside it: what is run where no model is named. */
  readonly default: string;
  readonly models: readonly ModelLine[];
  readonly hashed_ngrams: readonly NgramPlaces[];
}

/** The table is part of dsc: what is wrong in it is a bug. */
export function readModelTable(home: string): ModelTable {
  const folder = join(home, "models");
  const file = join(folder, "models.json");
  const text = readText(file, file, sizeLimits.json);
  if (text instanceof Failure) throw new Error(text.message);
  const table: Omit<ModelTable, "folder"> = JSON.parse(text);
  return { ...table, folder };
}

/** The value at `a.b.c`; undefined where there is none. */
export function memberAt(config: Json, path: string): Json | undefined {
  let value: Json | undefined = config;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return;
    value = (value as { readonly [name: string]: Json })[name];
  }
  return value;
}

export const meets = ({ has = [] }: Condition, config: Json): boolean =>
  has.every((path) => memberAt(config, path) !== undefined);

/** The file that describes a checkpoint with this config: the first whose conditions all hold. */
export function modelFileFor(config: Json, table: ModelTable): string | Failure {
  const type = memberAt(config, "model_type");
  const found = table.models.find(
    (line) =>
      meets(line, config) &&
      (line.model_type === undefined || (typeof type === "string" && line.model_type.includes(type))),
  );
  if (found !== undefined) return join(table.folder, found.file);
  const known = [...new Set(table.models.flatMap((line) => line.model_type ?? []))];
  const near = typeof type === "string" ? closest(type, known) : null;
  const hint = near === null ? `there is ${known.join(", ")}` : `near it is ${near}`;
  return new Failure(
    exitCodes.errorsFound,
    type === undefined ? "config.json has no model_type" : `no model file describes model_type ${JSON.stringify(type)}`,
    `${hint}; --model FILE.ds names the file that describes it`,
  );
}
