/** Declarations of weights, as a file has them. */
import { elemNames } from "./elems.ts";
import type { TableDecl, TensorNames, WeightDecl } from "./program.ts";
import { type At, corrupt, count, list, member, orNull, text, word } from "./read-value.ts";

/** Of a weight, and of all. */
export const mostTensors = 2 ** 20;

export function readWeight(at: At): WeightDecl {
  const stacks = list(member(at, "stacks"), 8, (a) => count(a, mostTensors, 1));
  const shape = list(member(at, "shape"), 8, (a) => count(a, 2 ** 31 - 1));
  const tensors = stacks.reduce((n, s) => n * s, 1);
  if (tensors > mostTensors) throw corrupt(`${at.path}.stacks`, `${tensors} tensors`);
  if (!Number.isSafeInteger(shape.reduce((n, s) => n * s, tensors * 8)))
    throw corrupt(`${at.path}.shape`, "too many elements");
  const optional = orNull(member(at, "optional"), (a) => text(a));
  const format = orNull(member(at, "format"), (a) => text(a, 16));
  const copies = orNull(member(at, "copies"), (a) =>
    list(a, mostTensors, (one) => list(one, 64, (name) => text(name))),
  );
  if (copies !== null && copies.length !== tensors)
    throw corrupt(`${at.path}.copies`, `copies of ${copies.length} tensors, there are ${tensors}`);
  return {
    name: text(member(at, "name")),
    ...(copies === null ? {} : { copies }),
    ...(optional === null ? {} : { optional }),
    elem: word(member(at, "elem"), elemNames),
    stacks,
    shape,
    ...(format === null ? {} : { format }),
    tensors: readNames(member(at, "tensors"), stacks.length, tensors),
    below: orNull(member(at, "below"), (a) => count(a, Number.MAX_SAFE_INTEGER)),
    at: orNull(member(at, "at"), (a) => text(a)),
  };
}

export function readTable(at: At): TableDecl {
  const shape = list(member(at, "shape"), 8, (a) => count(a, Number.MAX_SAFE_INTEGER, 1));
  if (shape.length < 2) throw corrupt(`${at.path}.shape`, "no rows");
  const format = orNull(member(at, "format"), (a) => text(a, 16));
  return {
    name: text(member(at, "name")),
    shape,
    ...(format === null ? {} : { format }),
    tensors: list(member(at, "tensors"), 64, (a) => text(a)),
    at: orNull(member(at, "at"), (a) => text(a)),
  };
}

function readNames(at: At, stacks: number, tensors: number): TensorNames {
  const spellings = (a: At): readonly string[] => {
    const read = list(a, 64, (one) => text(one));
    if (read.length === 0) throw corrupt(a.path, "a tensor without a name");
    return read;
  };
  const listed = member(at, "list");
  if (listed.value !== undefined) {
    const read = list(listed, mostTensors, spellings);
    if (read.length !== tensors) throw corrupt(listed.path, `${read.length} names for ${tensors} tensors`);
    return { list: read };
  }
  const from = list(member(at, "from"), 8, (a) => count(a, 2 ** 31));
  if (from.length !== stacks) throw corrupt(`${at.path}.from`, `${from.length} numbers for ${stacks} stacks`);
  return { patterns: spellings(member(at, "patterns")), from };
}
