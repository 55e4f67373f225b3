/** Layers of one shape are one body, whatever their number; written out they compute the same. */
import { describe, expect, test } from "vitest";
import { evalDim, type Sizes } from "../../compiler/graph/dim.ts";
import { realsOf, type Tensor, tensor } from "../../compiler/graph/interpret/tensor.ts";
import type { Graph, Param } from "../../compiler/graph/node.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import { layersGraph } from "../graph/blocks.ts";
import { paramTensor } from "../graph/random-values.ts";
import { expectSameTensor, reordered } from "../graph/same-meaning.ts";
import { resultsOf, runAll, textOf } from "./support.ts";

const sizes: Sizes = { D: 4, L: 3, R: 2, N: 2, P: 1, V: 2, H: 2, E: 3, K: 2, F: 2, W: 3, T: 2, S0: 0 };

describe("repeated layers", () => {
  test("the graph does not grow with the number of layers, before or after all passes", () => {
    const count = (sparse: number): readonly number[] => {
      const { b, g } = layersGraph("repeat", { dense: 3, sparse });
      return [g, runAll(b, g).graph].map((x) => nodesOf(x).length);
    };
    expect(count(58)).toEqual(count(2));
  });
  test("the same input gives the same text", () => {
    const text = (): string => {
      const { b, g } = layersGraph("repeat", { dense: 3, sparse: 58 });
      return textOf(runAll(b, g).graph);
    };
    expect(text()).toBe(text());
  });
  test("they compute what layers that are written out do, before and after all passes", () => {
    const unrolled = layersGraph("unrolled", { dense: 1, sparse: 2 });
    const repeated = layersGraph("repeat", { dense: 1, sparse: 2 });
    const [want] = resultsOf(unrolled.g, sizes, {
      param: (n, v) => (n.kind === "weight" ? paramTensor(n, sizes, 1) : v),
    });
    for (const g of [repeated.g, runAll(repeated.b, repeated.g).graph]) {
      const [got] = resultsOf(g, sizes, { param: (n, v) => stacked(unrolled.g, n) ?? v });
      if (want === undefined || got === undefined) expect.fail("no result");
      expectSameTensor(want, got, reordered, "layers");
    }
  });
});

/** The weights of all layers of one kind, one after the other: `sparse.w1` holds `sparse0.w1` and `sparse1.w1`. */
function stacked(unrolled: Graph, n: Param): Tensor | null {
  const [kind, rest] = [n.name.slice(0, n.name.indexOf(".")), n.name.slice(n.name.indexOf(".") + 1)];
  if (n.kind !== "weight") return null;
  const parts = nodesOf(unrolled).filter((x): x is Param => x.kind === "weight" && x.name.endsWith(`.${rest}`));
  const own = parts.filter((x) => x.name.startsWith(kind)).sort((a, b) => (a.name < b.name ? -1 : 1));
  const values = own.flatMap((x) => [...realsOf(paramTensor(x, sizes, 1))]);
  return tensor(
    n.type.dims.map((d) => evalDim(d, sizes)),
    values,
  );
}
