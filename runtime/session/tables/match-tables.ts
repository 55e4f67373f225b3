/** The tensors that are looked up row by row, in a checkpoint. */
import type { WeightProblem } from "../../artifact/errors.ts";
import type { Program, TableDecl } from "../../artifact/program.ts";
import { findDtype } from "../../formats/dtypes.ts";
import type { Weights } from "../../weights/weights.ts";
import { isOwnFormat } from "../stored/stored-dtypes.ts";
import { storedTensor } from "../stored/stored-format.ts";
import type { TableSource } from "./row-table.ts";

/** By the table's number; of each a source or what is wrong. */
export const matchTables = (program: Program, weights: Weights): readonly (TableSource | WeightProblem)[] =>
  (program.tables ?? []).map((decl) => matchTable(decl, program, weights));

function matchTable(decl: TableDecl, program: Program, weights: Weights): TableSource | WeightProblem {
  const { name, shape, tensors, at } = decl;
  const present = tensors.filter((t) => weights.tensors.has(t));
  const [first = tensors[0] ?? ""] = present;
  const wrong = (kind: WeightProblem["kind"], why: string): WeightProblem => ({
    ...{ kind, tensor: first, weight: name, at },
    message: `${JSON.stringify(first)} ${why}: ${name}`,
  });
  if (present.length > 1) return wrong("two-spellings", `and ${JSON.stringify(present[1])} are both there`);
  const tensor = weights.tensors.get(first);
  if (tensor === undefined) return wrong("missing", `[${shape.join(", ")}] is missing`);
  const [rows = 1, ...tail] = shape;
  const source = { name, rows, width: tail.reduce((n, d) => n * d, 1), tensor };
  const own = isOwnFormat(decl.format, tensor.dtype);
  const stored = own ? null : storedTensor(program, weights, tensor, shape);
  if (typeof stored === "string") return wrong("shape", `cannot be decoded, ${stored}`);
  if (stored !== null) {
    const apart = stored.parts.every((p) => p.band === stored.decoder.rows);
    return apart
      ? { ...source, stored }
      : wrong("unsupported-dtype", `holds ${tensor.dtype} in blocks of several rows`);
  }
  const same = tensor.shape.length === shape.length && tensor.shape.every((n, i) => n === shape[i]);
  if (!same) return wrong("shape", `is [${tensor.shape.join(", ")}], not [${shape.join(", ")}]`);
  const plain =
    (own || ["F16", "BF16", "F32", "F64"].includes(tensor.dtype)) && findDtype(tensor.dtype)?.decode != null;
  return plain ? { ...source, stored: null } : wrong("dtype", `holds ${tensor.dtype}, which is no row of numbers`);
}
