/** Lists known when compiling, as tensors: a weight of the graph whose numbers the compiler supplies. */
import type { Static } from "../../dsl/checker/context.ts";
import { type Dim, dim } from "../graph/dim.ts";
import { num, read } from "../graph/scalar.ts";
import { allLeaves, flat, plain, whole } from "./axis.ts";
import type { Equation, WeightSource, WeightTable } from "./context.ts";
import { joinLabels } from "./labels.ts";
import type { Tensor, Value } from "./value.ts";

export function constantTable(value: Static, eq: Equation): Tensor {
  const { unit, label } = eq.frame;
  const { sizes, items } = flattenList(value);
  const dtype = items.every((i) => typeof i === "bigint") ? "i64" : "f64";
  const name = nameOf(joinLabels(label, eq.label, "table"), sizes, items, unit.weights);
  const node = unit.builder.weight(name, sizes, dtype);
  unit.weights.set(name, {
    label: name,
    tensors: [],
    spellings: [],
    members: [],
    copies: [],
    stored: sizes.map((n) => dim(n)),
    stacks: [],
    element: dtype,
    below: null,
    constant: items,
    optional: false,
  });
  const axes = sizes.map((n) => whole(plain(dim(n))));
  return {
    kind: "tensor",
    axes,
    dtype,
    at: (positions) => read(node, allLeaves(positions, axes)),
  };
}

/** A name that no other table has. */
function nameOf(
  base: string,
  sizes: readonly number[],
  items: readonly (bigint | number)[],
  weights: WeightTable,
): string {
  const text = (dims: readonly (Dim | number)[], numbers: WeightSource["constant"]): string =>
    `${dims.map((d) => dim(d).key)}:${numbers}`;
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? base : `${base}${n}`;
    const known = weights.get(name);
    if (known === undefined || text(known.stored, known.constant) === text(sizes, items)) return name;
  }
}

/** A whole number that no double holds, as a tensor of its own; any other value as it is. */
export function exactly(value: Value, eq: Equation): Value {
  if (value.kind !== "static" || typeof value.value !== "bigint") return value;
  if (Number.isSafeInteger(Number(value.value))) return value;
  const table = constantTable({ kind: "list", items: [value.value] }, eq);
  return { ...table, axes: [], at: () => table.at([flat(num(0))]) };
}

function flattenList(value: Static): {
  readonly sizes: readonly number[];
  readonly items: readonly (bigint | number)[];
} {
  const sizes: number[] = [];
  let level: readonly Static[] = [value];
  while (level.every((v) => typeof v === "object" && v !== null && v.kind === "list")) {
    const lists = level.map((v) => (typeof v === "object" && v !== null && v.kind === "list" ? v.items : []));
    sizes.push(lists[0]?.length ?? 0);
    level = lists.flat();
    if (level.length === 0) break;
  }
  return { sizes, items: level.map((v) => (typeof v === "bigint" || typeof v === "number" ? v : Number(v))) };
}
