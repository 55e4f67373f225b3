/**
 * What token ids alone decide can be known before a model runs: which rows of a table it will read. The graph is cut there: one
 * graph computes the rows' numbers from ids, the other is given the rows. Between the two a runtime fetches them, from memory, a
 * file or a server, while the layers before their use are computed. Every value is what it was.
 *
 * A weight is such a table where all its reads are of rows whose numbers are computed from ids (Engram's hashes). What ids index
 * themselves is not: an embedding is as large as the vocabulary, and is wanted at once.
 */
import type { Builder } from "../graph/builder.ts";
import type { Append, DType, Graph, MapNode, Node, Param, Read, Scalar } from "../graph/node.ts";
import { rewriteGraph } from "../graph/rewrite.ts";
import { axis, mapChildren, name, read, readsOf } from "../graph/scalar.ts";
import { expressionsOf, isComputed, nodesOf, operandsOf, topological } from "../graph/walk.ts";

export interface Lookup {
  readonly table: Param;
  /** The input of `graph` that is the rows: [axes of `rows`…, axes of a row…]. */
  readonly input: string;
  /** The result of `ahead` that numbers them. */
  readonly rows: string;
}
export interface LookAhead {
  readonly graph: Graph;
  /** Its results are whole numbers of 32 bits, by `names`. */
  readonly ahead: Graph;
  readonly names: readonly string[];
  readonly lookups: readonly Lookup[];
}

const integers: ReadonlySet<DType> = new Set(["i64", "i32", "i8", "u8"]);
const isInteger = (n: Node): boolean => integers.has(n.type.dtype);

/** Null where nothing can be looked up ahead. */
export function lookAhead(b: Builder, g: Graph): LookAhead | null {
  const nodes = nodesOf(g);
  const known = saidByIds(nodes);
  const tables = tablesOf(nodes, known);
  if (tables.size === 0) return null;
  const numbers = new Map<MapNode, { readonly label: string; readonly node: Node }>();
  const lookups = new Map<string, { readonly lookup: Lookup; readonly given: Param }>();
  const numbered = (rows: MapNode): string => {
    const label = numbers.get(rows)?.label ?? `${rows.name}.ahead`;
    if (!numbers.has(rows)) numbers.set(rows, { label, node: narrowed(b, rows, label) });
    return label;
  };
  const given = (table: Param, rows: MapNode): Param => {
    const id = `${table.name} ${rows.name}`;
    const found = lookups.get(id);
    if (found !== undefined) return found.given;
    const others = [...lookups.values()].filter(({ lookup }) => lookup.table === table).length;
    const input = `${table.name}.rows${others === 0 ? "" : others}`;
    const made = b.input(input, [...rows.type.dims, ...table.type.dims.slice(1)], table.type.dtype);
    lookups.set(id, { lookup: { table, input, rows: numbered(rows) }, given: made });
    return made;
  };
  const replaced = (e: Scalar): Scalar => {
    const inner = mapChildren(e, replaced);
    const look = inner.kind === "read" ? lookOf(inner, known) : null;
    if (look === null || !tables.has(look.table)) return inner;
    return read(given(look.table, look.rows), [...look.at, ...look.rest]);
  };
  const cut = rewriteGraph(b, g, (n) => b.withBody(n, replaced));
  const results = [...numbers.values()];
  const ahead = topological(results.map((r) => r.node));
  const moved = new Set(ahead.filter((n): n is Append => n.kind === "append"));
  const kept = new Set(topological([...cut.results, ...cut.effects.filter((e) => !moved.has(e))]));
  return {
    graph: { ...cut, effects: cut.effects.filter((e) => !moved.has(e) || kept.has(e)) },
    ahead: { ...g, results: results.map((r) => r.node), effects: g.effects.filter((e) => moved.has(e)) },
    names: results.map((r) => r.label),
    lookups: [...lookups.values()].map((l) => l.lookup),
  };
}

/** Nodes whose values hang on token ids, whole numbers of weights, and rows of memory that do so too. */
function saidByIds(nodes: readonly Node[]): ReadonlySet<Node> {
  const appends = nodes.filter((n): n is Append => n.kind === "append");
  const remembered = new Set<Node>(appends.map((a) => a.state));
  for (;;) {
    const known = new Set<Node>();
    for (const n of nodes) if (isSaid(n, known, remembered)) known.add(n);
    const lost = appends.filter((a) => remembered.has(a.state) && !known.has(a.rows));
    if (lost.length === 0) return known;
    for (const a of lost) remembered.delete(a.state);
  }
}

function isSaid(n: Node, known: ReadonlySet<Node>, remembered: ReadonlySet<Node>): boolean {
  switch (n.kind) {
    case "input":
    case "weight":
      return isInteger(n);
    case "state":
      return remembered.has(n);
    case "append":
    case "map":
      return operandsOf(n).every((o) => known.has(o));
    default:
      return false;
  }
}

interface Look {
  readonly table: Param;
  readonly rows: MapNode;
  /** Which of the rows. */
  readonly at: readonly Scalar[];
  /** Within a row. */
  readonly rest: readonly Scalar[];
}

/** `table[rows[t, j], i]`, where ids say the rows. */
function lookOf({ value, at }: Read, known: ReadonlySet<Node>): Look | null {
  const [first, ...rest] = at;
  if (value.kind !== "weight" || isInteger(value) || rest.length === 0 || first?.kind !== "read") return null;
  const rows = first.value;
  return rows.kind === "map" && isInteger(rows) && known.has(rows) ? { table: value, rows, at: first.at, rest } : null;
}

/** Weights that are read so wherever they are read. */
function tablesOf(nodes: readonly Node[], known: ReadonlySet<Node>): ReadonlySet<Param> {
  const looked = new Set<Param>();
  const read = new Set<Node>();
  for (const n of nodes)
    for (const one of expressionsOf(n).flatMap(readsOf)) {
      const look = isComputed(n) ? lookOf(one, known) : null;
      if (look === null) read.add(one.value);
      else looked.add(look.table);
    }
  return new Set([...looked].filter((table) => !read.has(table)));
}

/** A row has a number below 2^31: the text has proved that it is in the table. */
function narrowed(b: Builder, rows: MapNode, label: string): Node {
  const domain = rows.type.dims.map((d, i) => axis(`i${i}`, d));
  const at = domain.map((a) => name(a.name));
  return b.map(label, domain, read(rows, at), "i32");
}
