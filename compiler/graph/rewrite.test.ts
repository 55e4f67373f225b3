import { describe, expect, test } from "vitest";
import { Builder } from "./builder.ts";
import type { Graph, Node } from "./node.ts";
import { rewriteGraph } from "./rewrite.ts";
import { add, axis, mul, name, num, read } from "./scalar.ts";
import { nodesOf } from "./walk.ts";

const [t, d] = [axis("t", "T"), axis("d", "D")];
const at = (n: Node) => read(n, [name("t"), name("d")]);
const named = (g: Graph, label: string): Node | undefined => nodesOf(g).find((n) => n.name === label);

/** x -> a -> two layers that append their rows and scale them -> y; nobody reads the appends. */
function build(): { readonly b: Builder; readonly g: Graph } {
  const b = new Builder();
  const a = b.map("a", [t, d], add(at(b.input("x", ["T", "D"])), num(1)));
  const { carry, index } = b.loop("h", a.type);
  const rows = b.map("rows", [t, d], mul(at(carry), num(2)));
  const kept = b.append("kept", b.state("state", [2, "S0", "D"]), [read(index, [])], rows, "S");
  const body = b.map("body", [t, d], add(at(carry), at(a)));
  const layers = b.repeat("layers", { count: 2, init: a, carry, index, body, effects: [kept] });
  const last = b.append("last", b.state("end", ["S0", "D"]), [], layers, "S");
  return { b, g: { name: "g", sizes: new Map(), results: [b.map("y", [t, d], at(layers))], effects: [last] } };
}
const relabelled = (b: Builder) => (n: Node) =>
  n.kind === "map" ? b.map(`${n.name}2`, n.domain, add(n.body, num(7)), n.type.dtype) : n;

describe("the driver", () => {
  test("goes into bodies and effects: every node is rebuilt once, appends stay", () => {
    const { b, g } = build();
    const met: string[] = [];
    const done = rewriteGraph(b, g, (n) => {
      met.push(n.name);
      return relabelled(b)(n);
    });
    expect(met.sort()).toEqual(["a", "body", "rows", "y"]);
    const repeat = named(done, "layers");
    expect(repeat?.kind === "repeat" && repeat.effects.map((e) => e.rows.name)).toEqual(["rows2"]);
    expect(done.effects.map((e) => e.name)).toEqual(["last"]);
  });
  test("nothing changed gives back the same graph", () => {
    const { b, g } = build();
    expect(rewriteGraph(b, g, (n) => n)).toBe(g);
  });
  test("counts are those of before: what the pass has rebuilt is not counted twice", () => {
    const { b, g } = build();
    const uses = new Map<string, number>();
    rewriteGraph(b, g, (n, before) => {
      for (const e of n.kind === "map" && n.body.kind === "call" ? n.body.args : []) {
        if (e.kind === "read") uses.set(`${n.name} reads ${e.value.name}`, before.uses(e.value));
      }
      return relabelled(b)(n);
    });
    expect(uses.get("body reads a2")).toBe(2); // by the body, and as what the repeat starts from
  });
  test("a rewrite that makes a remembering repeat useless is not done", () => {
    const { b, g } = build();
    const done = rewriteGraph(b, g, (n) => (n.name === "y" && n.kind === "map" ? b.map("y", n.domain, num(0)) : n));
    expect(named(done, "kept")?.kind).toBe("append");
    const bare: Graph = { ...g, effects: [] };
    expect(rewriteGraph(b, bare, (n) => (n.name === "y" && n.kind === "map" ? b.map("y", n.domain, num(0)) : n))).toBe(
      bare,
    );
  });
});
