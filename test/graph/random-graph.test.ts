import { describe, expect, test } from "vitest";
import { Builder } from "../../compiler/graph/builder.ts";
import { interpretSlowly } from "../../compiler/graph/interpret/slowly.ts";
import { parse } from "../../compiler/graph/parse.ts";
import { print } from "../../compiler/graph/print.ts";
import { printProblem, verify } from "../../compiler/graph/verify.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import { randomGraph } from "./random-graph.ts";
import { expectSameMeaning } from "./same-meaning.ts";

const count = process.env["DSC_FULL"] === "1" ? 1000 : 60;
const seeds = Array.from({ length: count }, (_, i) => i);

describe("random graphs", () => {
  test("are a function of their seed", () => {
    for (const seed of seeds.slice(0, 10)) expect(print(randomGraph(seed).graph)).toBe(print(randomGraph(seed).graph));
  });
  test("are well formed", () => {
    for (const seed of seeds) {
      const { graph } = randomGraph(seed);
      expect(verify(graph).map(printProblem), `seed ${seed}\n${print(graph)}`).toEqual([]);
    }
  });
  test("run at all their sizes", () => {
    for (const seed of seeds) {
      const { graph, sizes, params } = randomGraph(seed);
      for (const at of sizes) {
        const { param, state } = params(at);
        expect(interpretSlowly(graph, { sizes: at, param, state: state() }).length).toBe(graph.results.length);
      }
    }
  });
  test("parse(print(g)) is g: the same text, the same meaning, and nothing new but loops", () => {
    for (const seed of seeds) {
      const { graph, sizes, params } = randomGraph(seed);
      const text = print(graph);
      const b = new Builder();
      const first = parse(text, b);
      if (!first.ok) expect.fail(`${first.line}:${first.column} ${first.message}\n${text}`);
      expect(print(first.graph)).toBe(text);
      const made = b.size;
      const second = parse(text, b);
      if (!nodesOf(graph).some((n) => n.kind === "repeat")) expect(b.size).toBe(made);
      expect(second.ok && print(second.graph)).toBe(text);
      if (seed % 10 === 0) expectSameMeaning(graph, first.graph, { sizes, params, closeness: "exact" });
    }
  });
});
