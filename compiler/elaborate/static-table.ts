/** Lists known when compiling, as tensors: a weight of the graph whose numbers the compiler supplies. */
import type { Static } from "../../dsl/checker/context.ts";
import { dim } from "../graph/dim.ts";
import { read } from "../graph/scalar.ts";
import { leaves, plain, whole } from "./axis.ts";
import type { Equation } from "./context.ts";
import type { Tensor } from "./value.ts";

export function constantTable(value: Static, eq: Equation): Tensor {
  const { unit, label } = eq.frame;
  const { sizes, items } = flattenList(value);
  const dtype = items.every((i) => typeof i === "bigint") ? "i64" : "f64";
  const name = `${label === "" ? eq.label : `${label}.${eq.label}`}.table`;
  const node = unit.builder.weight(name, sizes, dtype);
  unit.weights.set(name, {
    label: name,
    tensors: [],
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
    at: (positions) =>
      read(
        node,
        positions.flatMap((p, i) => leaves(p, (axes[i] ?? whole(plain(dim(1)))).layout)),
      ),
  };
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
