/** What a checkpoint and its model's text have of one another: element types, optional parts, entries. */
import type { CheckedProject } from "../../../dsl/checker/check-project.ts";
import { tensorNames } from "../../../dsl/checker/weights.ts";
import { equationsOf, expressionsOf, withParts } from "../../../dsl/graph-view/walk-equations.ts";
import type { TensorInfo } from "../../../runtime/weights/weights.ts";

export interface DtypeFacts {
  readonly dtype: string;
  readonly tensors: number;
  readonly elements: number;
  readonly bytes: number;
}

/** Most bytes first. */
export function dtypesOf(tensors: Iterable<TensorInfo>): readonly DtypeFacts[] {
  const found = new Map<string, DtypeFacts>();
  for (const { dtype, shape, bytes } of tensors) {
    const before = found.get(dtype) ?? { dtype, tensors: 0, elements: 0, bytes: 0 };
    const elements = shape.reduce((product, n) => product * n, 1);
    found.set(dtype, {
      dtype,
      tensors: before.tensors + 1,
      elements: before.elements + elements,
      bytes: before.bytes + bytes,
    });
  }
  return [...found.values()].sort((a, b) => b.bytes - a.bytes || (a.dtype < b.dtype ? -1 : 1));
}

export interface OptionalPart {
  readonly name: string;
  /** Whether its tensors are there. */
  readonly present: boolean;
}

export function optionalParts(
  { bound }: CheckedProject,
  hasTensor: (name: string) => boolean,
): readonly OptionalPart[] {
  const parts = new Map<string, boolean>();
  for (const { optional, weight, indices } of bound?.weights ?? []) {
    if (optional === null) continue;
    const present = weight.tensors.some((pattern) => [...tensorNames(pattern, indices)].some(hasTensor));
    parts.set(optional, (parts.get(optional) ?? false) || present);
  }
  return [...parts].map(([name, present]) => ({ name, present }));
}

export interface EntryFacts {
  readonly name: string;
  readonly signature: string;
  /** Optional parts that it uses and the checkpoint lacks: it cannot be run without them. */
  readonly lacks: readonly string[];
  /** Of a loop: the entry that is sampled, or the one that drafts for it. */
  readonly role: "sampled" | "drafts" | null;
}

export function entriesOf({ bound, model }: CheckedProject, parts: readonly OptionalPart[]): readonly EntryFacts[] {
  const loops = (bound?.path.items ?? []).flatMap(({ item }) => (item.kind === "loop" ? [item] : []));
  return (model?.entries ?? []).map(({ name, signature }) => {
    const items = bound?.path.entries.get(name)?.decl.items ?? [];
    const used = new Set(
      equationsOf(items)
        .flatMap(expressionsOf)
        .flatMap(withParts)
        .flatMap((e) => (e.kind === "name" ? [e.text] : [])),
    );
    const sampled = loops.some(({ verb, entry }) => verb.text === "sample" && entry.text === name);
    const drafts = loops.some(({ draft }) => draft?.text === name);
    return {
      name,
      signature,
      lacks: parts.filter((part) => !part.present && used.has(part.name)).map((part) => part.name),
      role: sampled ? "sampled" : drafts ? "drafts" : null,
    };
  });
}
