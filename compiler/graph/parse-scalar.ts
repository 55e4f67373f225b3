/** Expressions of the text form, rebuilt by the same constructors that made them. */
import { isMonoid, isScalarFn, type ScalarFn, scalarFunctions } from "../ops/scalar-functions.ts";
import { dim } from "./dim.ts";
import type { Axis, FoldStep, Node, Scalar } from "./node.ts";
import { parseDim } from "./parse-dim.ts";
import { call, children, dimValue, name, num, read, reduce } from "./scalar.ts";
import { infixes, isPlainSize } from "./text-form.ts";
import type { Cursor } from "./tokens.ts";

/** Deeper expressions are refused, so that walks over them may recurse. */
const mostNesting = 400;
const infixOf = new Map(infixes.map((x) => [x.symbol, x]));

export const parseBound = (c: Cursor): string => {
  const t = c.take();
  if (t.kind === "bound") return t.text.slice(1, -1).replace(/\\(.)/g, (_, x: string) => (x === "n" ? "\n" : x));
  if (t.kind !== "word" || !/^\w+$/.test(t.text)) c.fail(`expected a name, found ${t.text}`, t);
  return t.text;
};
export const parseAxis = (c: Cursor): Axis => {
  const n = parseBound(c);
  c.expect(":");
  return { name: n, size: parseDim(c) };
};

/** `node` takes the next token and gives the node of that label. */
export function parseScalar(c: Cursor, node: () => Node): Scalar {
  const depths = new WeakMap<Scalar, number>();
  const depthOf = (e: Scalar): number => depths.get(e) ?? 1;
  const made = (e: Scalar): Scalar => {
    const depth = 1 + children(e).reduce((d, x) => Math.max(d, depthOf(x)), 0);
    if (depth > mostNesting) c.fail("an expression is nested too deep");
    depths.set(e, depth);
    return e;
  };
  let open = 0;

  const scalar = (level = 0): Scalar => {
    open += 1;
    if (open > mostNesting) c.fail("an expression is nested too deep");
    let left = unary();
    for (;;) {
      const infix = c.next.kind === "sign" ? infixOf.get(c.next.text) : undefined;
      if (infix === undefined || infix.level <= level) break;
      c.take();
      left = made(call(infix.fn, left, scalar(infix.level)));
    }
    open -= 1;
    return left;
  };
  const where = (): Scalar | null => (c.accept("where") ? scalar() : null);

  const unary = (): Scalar => {
    if (!c.accept("-")) return primary();
    if (c.next.kind === "number") return num(-numberOf());
    if (c.accept("inf")) return num(Number.NEGATIVE_INFINITY);
    open += 1;
    if (open > mostNesting) c.fail("an expression is nested too deep");
    const e = made(call("neg", unary()));
    open -= 1;
    return e;
  };
  const numberOf = (): number => Number(c.of("number", "a number").text);

  const primary = (): Scalar => {
    const t = c.next;
    if (t.kind === "number") return num(numberOf());
    if (t.kind === "bound") return name(parseBound(c));
    if (t.kind === "node") {
      const value = node();
      c.expect("[");
      return made(
        read(
          value,
          c.list("]", () => scalar()),
        ),
      );
    }
    if (c.accept("(")) return closed(")", scalar());
    if (c.accept("{")) return closed("}", dimValue(parseDim(c)));
    const word = c.of("word", "an expression").text;
    if (word === "inf") return num(Number.POSITIVE_INFINITY);
    if (word === "nan") return num(Number.NaN);
    if (c.is("[")) return word === "fold" ? fold() : reduction(word);
    if (c.is("(")) return isScalarFn(word) ? application(word) : c.fail(`there is no function ${word}`, t);
    if (isPlainSize(word)) return dimValue(dim(word));
    if (!/^\w+$/.test(word)) c.fail(`expected a name, found ${word}`, t);
    return name(word);
  };
  const closed = (sign: string, e: Scalar): Scalar => {
    c.expect(sign);
    return e;
  };

  const application = (fn: ScalarFn): Scalar => {
    const t = c.take();
    const args = c.list(")", () => scalar());
    const { arity } = scalarFunctions[fn];
    if (args.length !== arity) c.fail(`${fn} has ${arity} arguments, not ${args.length}`, t);
    return made(call(fn, ...args));
  };
  const reduction = (monoid: string): Scalar => {
    if (!isMonoid(monoid)) c.fail(`there is no reduction ${monoid}`);
    c.expect("[");
    const axes = [parseAxis(c)];
    while (c.accept(",")) axes.push(parseAxis(c));
    const guard = where();
    c.expect("]");
    c.expect("(");
    return made(reduce(monoid, axes, closed(")", scalar()), guard));
  };
  const fold = (): Scalar => {
    c.expect("[");
    const axis = parseAxis(c);
    const guard = where();
    c.expect("]");
    c.expect("{");
    const steps: FoldStep[] = [];
    while (!c.accept("yield")) {
      const how = c.take();
      if (how.text !== "let" && !isMonoid(how.text)) c.fail(`expected a step, found ${how.text}`, how);
      const step = parseBound(c);
      c.expect("=");
      steps.push({ how: how.text, name: step, body: scalar() });
      c.expect(";");
    }
    return made({ kind: "fold", axis, where: guard, steps, result: closed("}", scalar()) });
  };
  return scalar();
}
