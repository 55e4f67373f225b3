/** Reads the text form (print.ts). Nodes are made by the builder, so that everything it promises holds again. */
import { Builder } from "./builder.ts";
import type { Dim } from "./dim.ts";
import { zeroDim } from "./dim.ts";
import {
  type Append,
  type Axis,
  type Bound,
  type DType,
  dtypes,
  type Graph,
  type Node,
  type Repeat,
  type SizeRange,
  type TensorType,
} from "./node.ts";
import { parseDim } from "./parse-dim.ts";
import { parseAxis, parseBound, parseScalar } from "./parse-scalar.ts";
import { isSizeName } from "./text-form.ts";
import { Cursor, TextMistake, type Token } from "./tokens.ts";

export type Parsed =
  | { readonly ok: true; readonly graph: Graph }
  /** Line and column count from 1. */
  | { readonly ok: false; readonly line: number; readonly column: number; readonly message: string };

/** `%layer.k#2` -> `layer.k`. */
const nameOf = (label: string): string => unquoted(label.slice(1).replace(/#[0-9]+$/, ""));
function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text.slice(1, -1); // an escape that JSON does not know: taken as it stands
  }
}

/** Never throws for a text, whatever it says: the mistake is the result. */
export function parse(text: string, builder: Builder = new Builder()): Parsed {
  const cursor = new Cursor(text);
  try {
    return { ok: true, graph: new GraphReader(cursor, builder).graph() };
  } catch (mistake) {
    if (!(mistake instanceof TextMistake)) throw mistake;
    const before = text.slice(0, mistake.at).split("\n");
    return { ok: false, line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message: mistake.message };
  }
}

const mostLoops = 16;
const sameType = (a: TensorType, b: TensorType): boolean =>
  a.dtype === b.dtype && a.dims.length === b.dims.length && a.dims.every((d, i) => d.key === b.dims[i]?.key);

class GraphReader {
  readonly #c: Cursor;
  readonly #b: Builder;
  readonly #nodes = new Map<string, Node>();
  #loops = 0;

  constructor(cursor: Cursor, builder: Builder) {
    this.#c = cursor;
    this.#b = builder;
  }

  graph(): Graph {
    const c = this.#c;
    c.expect("graph");
    const name = nameOf(c.of("graph", "the graph's name").text);
    c.expect("{");
    const sizes = new Map<string, SizeRange>();
    while (c.accept("size")) this.#size(sizes);
    const bounds: Bound[] = [];
    while (c.accept("given")) {
      const low = parseDim(c);
      c.expect("<=");
      bounds.push({ low, high: parseDim(c) });
    }
    while (c.next.kind === "node") this.#statement();
    const effects = this.#effects();
    c.expect("return");
    const results = c.accept("}") ? [] : c.list("}", () => this.#node());
    if (c.next.kind !== "end") c.fail(`expected the end of the text, found ${c.next.text}`);
    return { name, sizes, ...(bounds.length === 0 ? {} : { bounds }), results, effects };
  }

  #size(sizes: Map<string, SizeRange>): void {
    const c = this.#c;
    const t = c.of("word", "the name of a size");
    if (!isSizeName(t.text)) c.fail(`${t.text} is no name of a size`, t);
    if (sizes.has(t.text)) c.fail(`size ${t.text} stands twice`, t);
    if (c.accept("=")) {
      const value = c.whole("a number");
      sizes.set(t.text, { low: value, high: value });
      return;
    }
    c.expect("in");
    const low = c.whole("the least value");
    c.expect("..");
    const high = c.accept("inf") ? Number.POSITIVE_INFINITY : c.whole("the greatest value");
    if (high < low) c.fail(`size ${t.text} has no value`, t);
    sizes.set(t.text, { low, high });
  }

  #node(): Node {
    const t = this.#c.of("node", "a node");
    return this.#nodes.get(t.text) ?? this.#c.fail(`${t.text} is not defined`, t);
  }
  #define(label: Token, node: Node): void {
    if (this.#nodes.has(label.text)) this.#c.fail(`${label.text} is defined twice`, label);
    this.#nodes.set(label.text, node);
  }
  #effects(): readonly Append[] {
    const c = this.#c;
    if (!c.accept("effect")) return [];
    const append = (): Append => {
      const t = c.next;
      const node = this.#node();
      return node.kind === "append" ? node : c.fail(`${t.text} is no append`, t);
    };
    const out = [append()];
    while (c.accept(",")) out.push(append());
    return out;
  }

  #dtype(): DType {
    const t = this.#c.of("word", "a type");
    return dtypes.find((d) => d === t.text) ?? this.#c.fail(`there is no type ${t.text}`, t);
  }

  #statement(): void {
    const c = this.#c;
    const label = c.take();
    c.expect(":");
    const dtype = this.#dtype();
    c.expect("[");
    const type: TensorType = { dtype, dims: c.list("]", () => parseDim(c)) };
    c.expect("=");
    const kind = c.of("word", "what the node is");
    const node = this.#definition(nameOf(label.text), type, kind);
    if (!sameType(node.type, type)) c.fail(`${label.text} has another type`, label);
    this.#define(label, node);
  }

  #definition(name: string, type: TensorType, kind: Token): Node {
    const c = this.#c;
    switch (kind.text) {
      case "input":
      case "weight":
      case "state":
        return this.#leaf(kind.text, name, type, kind);
      case "map": {
        const domain = this.#domain(type.dims);
        return this.#b.map(name, domain, this.#scalar(), type.dtype);
      }
      case "top_k": {
        const domain = this.#domain(type.dims.slice(0, -1));
        const over = parseAxis(c);
        const where = c.accept("where") ? this.#scalar() : null;
        c.expect("by");
        return this.#b.topK(
          name,
          domain,
          over,
          type.dims.at(-1) ?? c.fail("top_k has no k", kind),
          this.#scalar(),
          where,
        );
      }
      case "argsort": {
        const over = parseAxis(c);
        c.expect("by");
        return this.#b.argsort(name, over, this.#scalar());
      }
      case "append":
        return this.#append(name, type.dims[0] ?? zeroDim);
      case "repeat":
        return this.#repeat(name);
      default:
        return c.fail(`there is no node ${kind.text}`, kind);
    }
  }

  #scalar() {
    return parseScalar(this.#c, () => this.#node());
  }

  /** The builder refuses a name that it knows by another type. */
  #leaf(kind: "input" | "weight" | "state", name: string, { dtype, dims }: TensorType, at: Token): Node {
    try {
      return this.#b[kind](name, dims, dtype);
    } catch (error) {
      return this.#c.fail(error instanceof Error ? error.message : String(error), at);
    }
  }

  #domain(dims: readonly Dim[]): readonly Axis[] {
    const c = this.#c;
    c.expect("[");
    const start = c.next;
    const names = c.list("]", () => parseBound(c));
    if (names.length !== dims.length) c.fail(`${names.length} indices for ${dims.length} axes`, start);
    return names.map((n, i) => ({ name: n, size: dims[i] ?? zeroDim }));
  }

  #append(name: string, remembered: Dim): Append {
    const c = this.#c;
    const rows = this.#node();
    c.expect("to");
    const t = c.next;
    const state = this.#node();
    if (state.kind !== "state") return c.fail(`${t.text} is no state`, t);
    c.expect("[");
    const at = c.list("]", () => this.#scalar());
    return this.#b.append(name, state, at, rows, remembered);
  }

  #repeat(name: string): Repeat {
    const c = this.#c;
    this.#loops += 1;
    if (this.#loops > mostLoops) c.fail("repeats are nested too deep");
    const count = parseDim(c);
    c.expect("from");
    const init = this.#node();
    c.expect("with");
    const carryLabel = c.of("node", "the carried value");
    c.expect(",");
    const indexLabel = c.of("node", "the index");
    const { carry, index } = this.#b.loop(nameOf(carryLabel.text), init.type, nameOf(indexLabel.text));
    this.#define(carryLabel, carry);
    this.#define(indexLabel, index);
    c.expect("{");
    while (c.next.kind === "node") this.#statement();
    const effects = this.#effects();
    c.expect("yield");
    const t = c.next;
    const body = this.#node();
    if (!sameType(body.type, init.type)) c.fail(`${t.text} has another type than what the repeat starts from`, t);
    c.expect("}");
    this.#loops -= 1;
    return this.#b.repeat(name, { count, init, carry, index, body, effects });
  }
}
