/** A model's parameters and memory, block by block: what `dsc params` prints. */
import type { CheckedProject } from "../checker/check-project.ts";
import type { BlockInstance, ModelInstance } from "../checker/result.ts";
import {
  type Activation,
  findActivation,
  modelParameters,
  noParameters,
  type Parameters,
} from "./activated-parameters.ts";
import { copiesOf } from "./count-parameters.ts";
import { familyCondition } from "./group-variants.ts";
import { tokenBytes, tokenBytesIn } from "./token-bytes.ts";
import type { WeightReading } from "./weight-reads.ts";

export interface ParameterRow {
  readonly name: string;
  /** The block a part is of; null for a weight of the model itself. */
  readonly block: string | null;
  /** `l in 3..60` for members of a family that differ. */
  readonly members: string | null;
  readonly copies: number;
  /** At most how many copies one call uses, where not all. */
  readonly used: number | null;
  readonly reading: WeightReading;
  /** Of all copies, in all copies of what it is part of. */
  readonly parameters: Parameters;
  /** Bytes; null when they are not known, or when its rows are counted elsewhere. */
  readonly tokenBytes: number | null;
  readonly parts: readonly ParameterRow[];
}

export interface ParameterGroup {
  readonly rows: readonly ParameterRow[];
  readonly total: Parameters;
  /** A token's in all states of the group; null when a size is not known. */
  readonly tokenBytes: number | null;
}

export interface ParameterTable extends ParameterGroup {
  readonly model: string;
  /** Format of states whose type says none: `bf16`. */
  readonly format: string;
  /** Parts that a checkpoint may lack, such as a draft module; not in the total. */
  readonly optional: ParameterGroup | null;
}

/** Every size must be known: `countParameters(model).total` is not null. */
export function parameterTable(
  model: ModelInstance,
  project: Pick<CheckedProject, "files" | "bound">,
  format: string,
): ParameterTable {
  const activation = findActivation(project);
  const totals = modelParameters(model, activation);
  const row = (block: BlockInstance): ParameterRow => topRow(model, block, activation, format);
  const fixed = model.blocks.filter(({ optional }) => !optional);
  const apart = model.blocks.filter(({ optional }) => optional);
  return {
    model: model.name,
    format,
    rows: [...weightRows(model, activation), ...fixed.map(row)],
    total: totals.model,
    tokenBytes: tokenBytes(model, fixed, format),
    optional:
      apart.length === 0
        ? null
        : { rows: apart.map(row), total: totals.optional, tokenBytes: tokenBytes(model, apart, format) },
  };
}

function weightRows(model: ModelInstance, activation: Activation): readonly ParameterRow[] {
  const readingOf = activation.readingIn(null);
  return model.weights.map((weight) => {
    const reading = readingOf(weight.name);
    const parameters = activation.weight(weight, reading);
    return { ...plainRow, name: weight.name, reading, parameters };
  });
}

const plainRow: Omit<ParameterRow, "name"> = {
  block: null,
  members: null,
  copies: 1,
  used: null,
  reading: "computed",
  parameters: noParameters,
  tokenBytes: null,
  parts: [],
};

function topRow(model: ModelInstance, block: BlockInstance, activation: Activation, format: string): ParameterRow {
  const copies = copiesOf(block) ?? 0;
  return {
    ...partRow(block, null, 1, activation),
    tokenBytes: tokenBytes(model, [block], format),
    parts: block.parts.map((part) => ({
      ...partRow(part, block, copies, activation),
      tokenBytes: tokenBytesIn(model, block, part, format),
      parts: routedParts(part, copies * (copiesOf(part) ?? 0), activation),
    })),
  };
}

/** The parts of a block are told apart where a call leaves some of them out. */
function routedParts(block: BlockInstance, outer: number, activation: Activation): readonly ParameterRow[] {
  if (block.parts.every((part) => activation.used(part, block) === null)) return [];
  return block.parts.map((part) => partRow(part, block, outer, activation));
}

function partRow(
  part: BlockInstance,
  parent: BlockInstance | null,
  outer: number,
  activation: Activation,
): ParameterRow {
  const one = activation.all(part, parent);
  return {
    ...plainRow,
    name: part.name,
    block: part.block,
    members: part.members === null ? null : familyCondition(part),
    copies: copiesOf(part) ?? 0,
    used: activation.used(part, parent),
    parameters: {
      all: outer * one.all,
      activated: outer * one.activated,
      embedding: outer * one.embedding,
    },
  };
}
