/** Which tensor of a checkpoint goes where; every disagreement between the two is found before anything is read. */
import { elemBytes } from "../artifact/elems.ts";
import { type WeightProblem, WeightsMismatchError } from "../artifact/errors.ts";
import type { BufferElem, Program, WeightDecl } from "../artifact/program.ts";
import { matchesPattern, tensorNames } from "../artifact/tensor-names.ts";
import type { TensorInfo, Weights } from "../weights/weights.ts";
import { type Copy, copiesIn } from "./check-copies.ts";
import { type Conversion, conversionOf } from "./convert-weights.ts";
import type { Features } from "./features.ts";
import { isOwnFormat } from "./stored/stored-dtypes.ts";
import type { StoredTensor } from "./stored/stored-format.ts";
import type { TableSource } from "./tables/row-table.ts";

/** A tensor and its place, in bytes from the start of the weight. */
export interface Placement {
  readonly tensor: TensorInfo;
  /** Ordinal of the declaration. */
  readonly weight: number;
  readonly offset: number;
  readonly elements: number;
  readonly elem: BufferElem;
  readonly below: number | null;
  readonly conversion: Conversion;
  /** What decodes it, before it is converted from f32; null where numbers stand in the file. */
  readonly stored: StoredTensor | null;
}

export interface MatchOptions {
  /** Whether numbers may lose precision on their way into a narrower element. */
  readonly narrow: boolean;
  /** What the program wants beside plain numbers. */
  readonly features: Features;
  /** `false` leaves optional weights where they are. */
  readonly optional?: boolean;
}

/** Whether a tensor is under none of its names. */
export const lacksTensors = ({ weights: declared }: Program, { tensors }: Weights): boolean =>
  declared.some((decl) => tensorNames(decl).some((spellings) => !spellings.some((name) => tensors.has(name))));

const mostProblems = 20;
const isReal = ({ elem }: WeightDecl): boolean => elem === "f32" || elem === "bf16" || elem === "f16";

export interface Matched {
  /** What is to be equal to something that is loaded. */
  readonly copies: readonly Copy[];
  /** What is loaded. */
  readonly placements: readonly Placement[];
  /** What is looked up, by number. */
  readonly tables: readonly TableSource[];
}

/** Throws WeightsMismatchError with all that is wrong. */
export function matchWeights(program: Program, weights: Weights, options: MatchOptions): Matched {
  const { features } = options;
  const { formats } = features;
  const problems: WeightProblem[] = [];
  const placements: Placement[] = [];
  const copies: Copy[] = [];
  const used = new Set<string>();
  for (const [weight, decl] of program.weights.entries()) {
    const elements = decl.shape.reduce((n, extent) => n * extent, 1);
    const wanted = decl.optional === undefined || options.optional !== false;
    for (const [ordinal, spellings] of tensorNames(decl).entries()) {
      const present = spellings.filter((name) => weights.tensors.has(name));
      for (const name of present) used.add(name);
      const tensor = weights.tensors.get(present[0] ?? "");
      if (tensor === undefined || present.length > 1) {
        if (wanted) problems.push(spellingProblem(decl, spellings, present));
        continue;
      }
      copies.push(...copiesIn(decl, ordinal, tensor, weights));
      const own = isOwnFormat(decl.format, tensor.dtype);
      const stored = isReal(decl) && !own ? (formats?.find(program, weights, tensor, decl.shape) ?? null) : null;
      const decodes = stored !== null && typeof stored !== "string";
      if (decodes) for (const part of stored.parts) used.add(part.tensor.name);
      if (!wanted) continue;
      const dtype = decodes ? "F32" : tensor.dtype;
      const problem =
        typeof stored === "string"
          ? { kind: "shape" as const, tensor: tensor.name, ...about(decl), message: `${stored}: ${decl.name}` }
          : ((decodes ? null : shapeProblem(decl, tensor)) ?? dtypeProblem(decl, { ...tensor, dtype }, options));
      if (problem !== null) problems.push(problem);
      const conversion = conversionOf(dtype, decl.elem, own);
      if (problem !== null || conversion === null) continue;
      const offset = ordinal * elements * elemBytes[decl.elem];
      const place = { tensor, weight, offset, elements, elem: decl.elem, below: decl.below };
      placements.push({ ...place, conversion, stored: decodes ? stored : null });
    }
  }
  for (const { copy } of copies) used.add(copy.name);
  for (const { tensors } of program.tables ?? []) for (const name of tensors) used.add(name);
  const tables: TableSource[] = [];
  for (const table of features.tables?.match(program, weights) ?? []) {
    if ("kind" in table) problems.push(table);
    else tables.push(table);
  }
  for (const { stored } of tables) for (const { tensor } of stored?.parts ?? []) used.add(tensor.name);
  for (const name of weights.tensors.keys())
    if (!used.has(name) && !(program.ignored ?? []).some((pattern) => matchesPattern(pattern, name)))
      problems.push(extra(name));
  if (problems.length > 0) throw new WeightsMismatchError(problems.slice(0, mostProblems), problems.length);
  return { placements, tables, copies };
}

const shown = (name: string): string => JSON.stringify(name.length > 160 ? `${name.slice(0, 160)}…` : name);
const shapeText = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

const about = ({ name, at }: WeightDecl): Pick<WeightProblem, "weight" | "at"> => ({ weight: name, at });

function spellingProblem(decl: WeightDecl, spellings: readonly string[], present: readonly string[]): WeightProblem {
  const tensor = present[0] ?? spellings[0] ?? "";
  if (present.length > 1) {
    const names = present.map(shown).join(" and ");
    return { kind: "two-spellings", tensor, ...about(decl), message: `${names} are both there for ${decl.name}` };
  }
  const others = spellings.length > 1 ? `, nor ${spellings.slice(1, 4).map(shown).join(", ")}` : "";
  const message = `${shown(tensor)} is missing${others}: ${decl.name} ${shapeText(decl.shape)}`;
  return { kind: "missing", tensor, ...about(decl), message };
}

function shapeProblem(decl: WeightDecl, { name, shape }: TensorInfo): WeightProblem | null {
  const equal = shape.length === decl.shape.length && shape.every((extent, axis) => extent === decl.shape[axis]);
  if (equal) return null;
  const message = `${shown(name)} is ${shapeText(shape)}, ${decl.name} is ${shapeText(decl.shape)}`;
  return { kind: "shape", tensor: name, ...about(decl), message };
}

function dtypeProblem(decl: WeightDecl, { name, dtype }: TensorInfo, options: MatchOptions): WeightProblem | null {
  const conversion = conversionOf(dtype, decl.elem, isOwnFormat(decl.format, dtype));
  if (conversion === null) {
    const scaled = dtype.startsWith("F8") || dtype.startsWith("F4") || dtype.startsWith("F6");
    const kind = scaled ? "unsupported-dtype" : "dtype";
    const why = scaled ? ": the text has no `storage` for it" : "";
    return {
      kind,
      tensor: name,
      ...about(decl),
      message: `${shown(name)} holds ${dtype}, ${decl.name} takes ${decl.elem}${why}`,
    };
  }
  if (!conversion.loses || options.narrow) return null;
  const message = `${shown(name)} holds ${dtype}, which loses precision as ${decl.elem}: load with { narrow: true } if that is meant`;
  return { kind: "narrowing", tensor: name, ...about(decl), message };
}

function extra(name: string): WeightProblem {
  const message = `${shown(name)} is in the checkpoint, but not in the model`;
  return { kind: "extra", tensor: name, weight: null, at: null, message };
}
