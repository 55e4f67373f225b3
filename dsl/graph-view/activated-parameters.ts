/**
 * How many of a model's parameters one token activates, found in the structure of its text: all but the members of
 * families that a call leaves out, and but tables of which a token fetches rows.
 */
import type { Block, File } from "../ast/nodes.ts";
import type { CheckedProject } from "../checker/check-project.ts";
import type { BlockInstance, ModelInstance, WeightInstance } from "../checker/result.ts";
import { copiesOf, countWeight } from "./count-parameters.ts";
import { mostMembersUsed } from "./routed-families.ts";
import { flatItems } from "./walk-equations.ts";
import { type ReadingOf, readingOfBlock, readingOfModel, type WeightReading } from "./weight-reads.ts";

export interface Parameters {
  readonly all: number;
  /** Used for one token; an input embedding counts in full. */
  readonly activated: number;
  /** The share of `activated` that stands in input embeddings, of which a token fetches one row. */
  readonly embedding: number;
}

export interface Activation {
  readonly weight: (weight: WeightInstance, reading: WeightReading) => Parameters;
  /** Of one member. */
  readonly one: (block: BlockInstance) => Parameters;
  /** Of all members that `part` of `parent` stands for; `parent` is null for a part of the model. */
  readonly all: (part: BlockInstance, parent: BlockInstance | null) => Parameters;
  /** At most how many members one call uses; null when it may be all. */
  readonly used: (part: BlockInstance, parent: BlockInstance | null) => number | null;
  readonly readingIn: (block: BlockInstance | null) => ReadingOf;
}

export const noParameters: Parameters = { all: 0, activated: 0, embedding: 0 };

export const addParameters = (a: Parameters, b: Parameters): Parameters => ({
  all: a.all + b.all,
  activated: a.activated + b.activated,
  embedding: a.embedding + b.embedding,
});

const times = (copies: number, activated: number, one: Parameters): Parameters => ({
  all: copies * one.all,
  activated: activated * one.activated,
  embedding: activated * one.embedding,
});

/** Sizes that are not known count as none: ask `countParameters` first whether all are. */
export function findActivation({ files, bound }: Pick<CheckedProject, "files" | "bound">): Activation {
  const ofModel = readingOfModel(bound?.path.items.map(({ item }) => item) ?? []);
  const blocks = blocksByName(files.values());
  const declOf = (instance: BlockInstance): Block | null =>
    blocks.get(instance.block)?.find((decl) => isTextOf(decl, instance)) ?? null;
  const readingIn = (block: BlockInstance | null): ReadingOf => {
    if (block === null) return ofModel;
    const decl = declOf(block);
    return decl === null ? () => "computed" : readingOfBlock(decl);
  };
  const used = (part: BlockInstance, parent: BlockInstance | null): number | null => {
    const decl = parent === null ? null : declOf(parent);
    return parent === null || decl === null ? null : mostMembersUsed(part, parent, decl);
  };
  const weight = (instance: WeightInstance, reading: WeightReading): Parameters => {
    const all = countWeight(instance) ?? 0;
    return { all, activated: reading === "table" ? 0 : all, embedding: reading === "embedding" ? all : 0 };
  };
  const known = new Map<BlockInstance, Parameters>();
  const one = (block: BlockInstance): Parameters => {
    const before = known.get(block);
    if (before !== undefined) return before;
    const reading = readingIn(block);
    const own = block.weights.map((w) => weight(w, reading(w.name)));
    const sum = [...own, ...block.parts.map((part) => all(part, block))].reduce(addParameters, noParameters);
    known.set(block, sum);
    return sum;
  };
  const all = (part: BlockInstance, parent: BlockInstance | null): Parameters => {
    const copies = copiesOf(part) ?? 0;
    return times(copies, used(part, parent) ?? copies, one(part));
  };
  return { weight, one, all, used, readingIn };
}

export interface ModelParameters {
  /** Without optional parts. */
  readonly model: Parameters;
  /** Parts that a checkpoint may lack, such as a draft module. */
  readonly optional: Parameters;
}

export function modelParameters(model: ModelInstance, activation: Activation): ModelParameters {
  const reading = activation.readingIn(null);
  const sum = (parts: readonly BlockInstance[]): Parameters =>
    parts.map((part) => activation.all(part, null)).reduce(addParameters, noParameters);
  const own = model.weights.map((w) => activation.weight(w, reading(w.name))).reduce(addParameters, noParameters);
  return {
    model: addParameters(own, sum(model.blocks.filter(({ optional }) => !optional))),
    optional: sum(model.blocks.filter(({ optional }) => optional)),
  };
}

function blocksByName(files: Iterable<File>): ReadonlyMap<string, readonly Block[]> {
  const found = new Map<string, Block[]>();
  for (const { declarations } of files) {
    for (const decl of declarations) {
      if (decl.kind === "block") found.set(decl.name.text, [...(found.get(decl.name.text) ?? []), decl]);
    }
  }
  return found;
}

/** Two files may have blocks of one name; the parts and weights tell which one an instance is of. */
function isTextOf(decl: Block, { parts, weights }: BlockInstance): boolean {
  const names = new Set(
    flatItems(decl.items).flatMap((item) => (item.kind === "part" || item.kind === "weight" ? [item.name.text] : [])),
  );
  return [...parts, ...weights].every(({ name }) => names.has(name));
}
