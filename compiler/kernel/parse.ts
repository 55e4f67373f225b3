/** Reads the text form (print.ts). Types are inferred, not checked: verify.ts judges what was read. */
import { Cursor, TextMistake } from "../graph/tokens.ts";
import { isElem, typeOf } from "./elem.ts";
import {
  type Buffer,
  bufferAccesses,
  builtins,
  type GridAxis,
  type Kernel,
  type Shared,
  type Size,
  type Window,
} from "./kernel.ts";
import { type Declared, parseExpr } from "./parse-expr.ts";
import { StatementReader } from "./parse-stmt.ts";
import { accessWords } from "./text-form.ts";
import { tokenize } from "./tokens.ts";

export type ParsedKernel =
  | { readonly ok: true; readonly kernel: Kernel }
  /** Line and column count from 1. */
  | { readonly ok: false; readonly line: number; readonly column: number; readonly message: string };

/** Never throws for a text, whatever it says: the mistake is the result. */
export function parseKernel(text: string): ParsedKernel {
  try {
    return { ok: true, kernel: readKernel(new Cursor(text, tokenize(text))) };
  } catch (mistake) {
    if (!(mistake instanceof TextMistake)) throw mistake;
    const before = text.slice(0, mistake.at).split("\n");
    return { ok: false, line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message: mistake.message };
  }
}

function readKernel(c: Cursor): Kernel {
  const declared: Declared = { names: new Map(builtins.map((n) => [n, typeOf("i32")])), memories: new Map() };
  const [sizes, buffers, grid, shared]: [Size[], Buffer[], GridAxis[], Shared[]] = [[], [], [], []];
  let lanes = 1;
  let window: Window | undefined;
  c.expect("kernel");
  const name = c.of("graph", "a kernel's name").text.slice(1);
  const source = readText(c);
  while (!c.is("{")) {
    const t = c.of("word", "a declaration");
    const access = bufferAccesses.find((x) => accessWords[x] === t.text);
    if (access !== undefined) {
      const m = readMemory(c, declared, (): Pick<Buffer, "extent" | "pieces"> => {
        const first = parseExpr(c, declared);
        return c.accept(";") ? { pieces: first, extent: parseExpr(c, declared) } : { extent: first };
      });
      buffers.push({ name: m.name, elem: m.elem, ...m.extent, access, layout: c.of("word", "a layout").text });
      continue;
    }
    switch (t.text) {
      case "lanes":
        lanes = c.whole("a number of lanes");
        break;
      case "size":
        sizes.push(readSize(c, declared));
        break;
      case "grid": {
        const axis = c.of("word", "a name").text;
        c.expect("in");
        grid.push({ name: axis, extent: parseExpr(c, declared) });
        declared.names.set(axis, typeOf("i32"));
        break;
      }
      case "window": {
        const [first, pieces] = [c.of("word", "a size").text, c.of("word", "a size").text];
        c.expect("of");
        window = { first, pieces, of: c.whole("a number of pieces") };
        break;
      }
      case "shared": {
        const m = readMemory(c, declared, () => c.whole("a number of elements"));
        shared.push({ name: m.name, elem: m.elem, size: m.extent });
        break;
      }
      default:
        c.fail(`there is no declaration ${t.text}`, t);
    }
  }
  const body = new StatementReader(c, declared).block();
  if (c.next.kind !== "end") c.fail(`expected the end, found ${c.next.text}`);
  return { name, source, sizes, buffers, grid, lanes, shared, body, ...(window === undefined ? {} : { window }) };
}

function readText(c: Cursor): string {
  const t = c.of("text", "a text in quotes");
  try {
    return String(JSON.parse(t.text));
  } catch {
    return c.fail("not a text that JSON could read", t);
  }
}

function readSize(c: Cursor, declared: Declared): Size {
  const name = c.of("word", "a name").text;
  const multiple = c.accept("multiple") ? c.whole("a number") : 1;
  const minimum = c.accept("min") ? c.whole("a number") : 0;
  declared.names.set(name, typeOf("i32"));
  return { name, multiple, minimum };
}

function readMemory<Extent>(c: Cursor, declared: Declared, extentOf: () => Extent) {
  const name = c.of("word", "a name").text;
  c.expect(":");
  const t = c.of("word", "an element type");
  const elem = isElem(t.text) ? t.text : c.fail(`there is no type ${t.text}`, t);
  c.expect("[");
  const extent = extentOf();
  c.expect("]");
  declared.memories.set(name, typeOf(elem));
  return { name, elem, extent };
}
