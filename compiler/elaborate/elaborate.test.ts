import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { interpretSlowly } from "../graph/interpret/slowly.ts";
import { StateStore } from "../graph/interpret/state-store.ts";
import { realsOf, tensor } from "../graph/interpret/tensor.ts";
import { elaborate } from "./elaborate.ts";

const library = fileURLToPath(new URL("../../dsl/stdlib", import.meta.url));

/** The one result of `example`, with these tensors as weights and inputs. */
function run(text: string, given: Readonly<Record<string, readonly number[]>>, config = "{}"): readonly number[] {
  const checked = checkProject({
    entry: "example.ds",
    read: (path) => (path === "example.ds" ? text : readFileSync(`${library}/${path.slice(4)}`, "utf8")),
    config: { path: "config.json", text: config },
  });
  expect(checked.diagnostics).toEqual([]);
  if (checked.bound === null) throw new Error("no model");
  const { graph } = elaborate({ model: checked.bound, declared: checked.declared, entry: "example" });
  const sizes = Object.fromEntries([...graph.sizes].map(([name, { low }]) => [name, low]));
  const [result] = interpretSlowly(graph, {
    sizes,
    state: new StateStore(),
    param: (node) => {
      const values = given[node.name] ?? [];
      const [first, ...rest] = node.type.dims.map((d) => Number(d.key));
      return tensor(first === undefined ? [] : [first, ...rest], values);
    },
  });
  return result === undefined ? [] : [...realsOf(result)];
}

test("what is listed along one axis is a set of the axis that its numbers are indices of", () => {
  const text = `model listed {
  weight chosen : [2, 3] in 6 at "chosen"
  entry example(s: [6], id: in 2) -> y: [6] {
    w[e in { chosen[id,j] for j in 3 }] := s[e] * 10
    y[e] := w[e] else 0
  }
}
`;
  const given = { chosen: [0, 1, 2, 5, 0, 3], s: [1, 2, 3, 4, 5, 6], id: [1] };
  expect(run(text, given)).toEqual([10, 0, 0, 40, 0, 60]);
});

test("two definitions that take turns are rows of both", () => {
  const text = `model turning {
  entry example(x: [2, 2]) -> y: [2, 2] {
    m[0,i,j] := x[i,j]
    r[n,i,j] := m[n,i,j] / sum[k](m[n,i,k])
    m[n + 1 in 4, i, j] := r[n,i,j] / sum[k](r[n,k,j])
    y := m[3]
  }
}
`;
  const rows = (m: readonly number[]): readonly number[] => {
    const [a = 0, b = 0, c = 0, d = 0] = m;
    return [a / (a + b), b / (a + b), c / (c + d), d / (c + d)];
  };
  const columns = ([a = 0, b = 0, c = 0, d = 0]: readonly number[]): readonly number[] => [
    a / (a + c),
    b / (b + d),
    c / (a + c),
    d / (b + d),
  ];
  const x = [1, 2, 3, 5];
  const expected = [1, 2, 3].reduce<readonly number[]>((m) => columns(rows(m)), x);
  expect(run(text, { x })).toEqual(expected);
});

test("a size that the model defines from a list of the config is known for each member", () => {
  const text = `block widened(x: [D]) -> y: [D] {
  param W : dim
  w[i in W] := i
  y := x + sum[i](w[i])
}

model lists {
  config {
    L     : dim     = $.depth
    parts : [L, 2] i64 = $.parts
  }
  width[l] := sum[j](parts[l,j])
  total := sum[l,j](parts[l,j])
  part layer[l in L] : widened(W: width[l])
  part last : widened(W: total)
  entry example(x: [2]) -> y: [2] {
    h[0]     := x
    h[l + 1] := layer[l](h[l])
    y        := last(h[L])
  }
}
`;
  // sums of the numbers below 3, 5 and 8
  expect(run(text, { x: [1, 2] }, '{ "depth": 2, "parts": [[1, 2], ["4", 1]] }')).toEqual([42, 43]);
});

test("layers that are given different rows are not taken for one", () => {
  const text = `import rope_freq from "std/rope"

block scaled(x: [D]) -> y: [D] {
  param by : [D]
  y[d] := x[d] * by[d]
}

model rows {
  config { L : dim = $.depth }
  near := rope_freq(4, 100)
  far  := rope_freq(4, 10000)
  part layer[l in L] : scaled(by: l < 2 ? near : far)
  entry example(x: [2]) -> y: [2] {
    h[0]     := x
    h[l + 1] := layer[l](h[l])
    y        := h[L]
  }
}
`;
  const [first, second] = run(text, { x: [1, 1] }, '{ "depth": 4 }');
  expect(first).toBe(1);
  expect(second).toBeCloseTo((1 / 10) ** 2 * (1 / 100) ** 2, 15);
});

test("a stack of layers may be called for each of several rows", () => {
  const text = `block shifted(x: [D]) -> y: [D] {
  weight by : [D] at "by"
  y := x + by
}

block stack(x: [D]) -> y: [D] {
  part layer[l in 3] : shifted() at "{l}"
  h[0]     := x
  h[l + 1] := layer[l](h[l])
  y        := h[3]
}

model rows {
  part tower : stack() at "tower"
  entry example(x: [2, 2]) -> y: [2, 2] {
    y[n] := tower(x[n])
  }
}
`;
  const by = { "tower.layer0.by": [1, 2], "tower.layer1.by": [10, 20], "tower.layer2.by": [100, 200] };
  expect(run(text, { x: [0, 0, 1000, 1000], ...by })).toEqual([111, 222, 1111, 1222]);
});
