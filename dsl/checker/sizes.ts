/** Sizes and axes from expressions, and types from type nodes. */
import type { AxisNode, Expr, ScalarNode, TypeNode } from "../ast/nodes.ts";
import { type Axis, joinedAxis, mergedAxis, plainAxis, restrictAxis, sizeOf, unknownAxis } from "../types/axis.ts";
import {
  add,
  ceilDivide,
  constant,
  divideExact,
  floorDivide,
  maxOf,
  minOf,
  modulo,
  mul,
  neg,
  type Poly,
  pow,
  sub,
  value as valueAtom,
} from "../types/poly.ts";
import { isIntegral } from "../types/prove.ts";
import {
  type Element,
  isFloatWord,
  isInteger,
  isIntegerWord,
  realElement,
  unknownElement,
  type ValueType,
} from "../types/value-type.ts";
import { fail, isKnownTrue } from "./conditions.ts";
import type { EquationContext } from "./context.ts";
import { expressionKey } from "./keys.ts";

/** Integer arithmetic of known sizes; null when that is not what stands there (reported). `/` must divide exactly. */
export function sizeFrom(expr: Expr, eq: EquationContext): Poly | null {
  switch (expr.kind) {
    case "number":
      if (!/^\d+$/.test(expr.text)) {
        fail(eq.body, "DS0225", {
          title: "a size must be an integer",
          at: expr.span,
          label: "this is a real number",
        });
        return null;
      }
      return constant(BigInt(expr.text));
    case "group":
      return sizeFrom(expr.inner, eq);
    case "unary": {
      if (expr.op !== "-") break;
      const operand = sizeFrom(expr.operand, eq);
      return operand === null ? null : neg(operand);
    }
    case "tuple":
    case "join": {
      const axis = axisFrom(expr, eq);
      return sizeOf(axis);
    }
    case "binary": {
      if (!["+", "-", "*", "/", "div", "mod", "^"].includes(expr.op)) break;
      const left = sizeFrom(expr.left, eq);
      const right = sizeFrom(expr.right, eq);
      if (left === null || right === null) return null;
      switch (expr.op) {
        case "+":
          return add(left, right);
        case "-":
          return sub(left, right);
        case "*":
          return mul(left, right);
        case "div":
          return floorDivide(left, right, eq.body.facts);
        case "mod":
          return modulo(left, right, eq.body.facts);
        case "^": {
          const exponent = expr.right.kind === "number" ? Number(expr.right.text) : Number.NaN;
          if (Number.isSafeInteger(exponent) && exponent <= 8) return pow(left, exponent);
          break;
        }
        case "/": {
          const quotient = divideExact(left, right);
          const answer = isIntegral(quotient, eq.body.facts);
          if (answer === "no") {
            fail(eq.body, "DS0205", {
              title: "a size does not divide",
              at: expr.span,
              label: "this is not a whole number",
              help: "`/` between sizes must divide exactly; `div` rounds down, `ceil_div` up",
            });
            return null;
          }
          if (answer === "unknown") {
            eq.body.deferred.push({
              kind: "integral",
              poly: quotient,
              facts: eq.body.facts,
              code: "DS0205",
              span: expr.span,
              origin: null,
              text: "this division of sizes must be exact",
            });
          }
          return quotient;
        }
      }
      break;
    }
    case "call": {
      const name = expr.callee.kind === "name" ? expr.callee.text : "";
      const args = expr.args.flatMap((a) => (a.kind === "argument" && a.name === null ? [a.value] : []));
      const [first, second] = args;
      if (name === "ceil_div" && first !== undefined && second !== undefined && args.length === 2) {
        const left = sizeFrom(first, eq);
        const right = sizeFrom(second, eq);
        return left === null || right === null ? null : ceilDivide(left, right, eq.body.facts);
      }
      if ((name === "min" || name === "max") && args.length > 0) {
        const sizes: Poly[] = [];
        for (const arg of args) {
          const size = sizeFrom(arg, eq);
          if (size === null) return null;
          sizes.push(size);
        }
        return name === "min" ? minOf(sizes) : maxOf(sizes);
      }
      break;
    }
    case "conditional": {
      const truth = isKnownTrue(expr.condition, eq);
      if (truth !== null) return sizeFrom(truth ? expr.then : expr.else, eq);
      eq.body.shared.rules.infer(expr.condition, eq);
      if (sizeFrom(expr.then, eq) === null || sizeFrom(expr.else, eq) === null) return null;
      return valueAtom(expressionKey(expr, eq));
    }
    default:
      break;
  }
  const found = eq.body.shared.rules.infer(expr, eq);
  if (found.element.kind === "unknown") return null;
  if (found.element.kind === "null") {
    fail(eq.body, "DS0122", {
      title: "`null` where a size is needed",
      at: expr.span,
      label: "this is `null` here",
      help: "use it only under a condition: `if RQ != null { … }`",
    });
    return null;
  }
  if (!isInteger(found.element) || found.axes.length > 0) {
    fail(eq.body, "DS0225", {
      title: "a size must be an integer",
      at: expr.span,
      label: "this is not one",
    });
    return null;
  }
  if (!found.isStatic) {
    fail(eq.body, "DS0126", {
      title: "a size must be known when compiling",
      at: expr.span,
      label: "this is known only when the model runs",
    });
    return null;
  }
  return found.poly ?? valueAtom(expressionKey(expr, eq));
}

export function axisFrom(expr: Expr, eq: EquationContext): Axis {
  switch (expr.kind) {
    case "hole":
      return unknownAxis;
    case "group":
      return axisFrom(expr.inner, eq);
    case "tuple":
      return mergedAxis(expr.items.map((item) => axisFrom(item, eq)));
    case "join":
      return joinedAxis(expr.items.map((item) => axisFrom(item, eq)));
    default: {
      const size = sizeFrom(expr, eq);
      return size === null ? unknownAxis : plainAxis(size);
    }
  }
}

/** `K of E`, `_ of E`: a restricted axis whose members are not known. */
function axisFromNode(node: AxisNode, eq: EquationContext): Axis {
  if (node.of === null) return axisFrom(node.size, eq);
  const whole = axisFrom(node.of, eq);
  const most = node.size.kind === "hole" ? null : sizeFrom(node.size, eq);
  return restrictAxis(whole, { key: `some of ${node.span.source.path}:${node.span.start}`, facts: [], atMost: most });
}

export function elementFrom(node: ScalarNode | null, eq: EquationContext): Element {
  if (node === null) return realElement;
  switch (node.kind) {
    case "word": {
      const word = node.word.text;
      if (isFloatWord(word)) return { kind: "float", word };
      if (isIntegerWord(word)) return { kind: "integer", word };
      if (word === "bool") return { kind: "bool" };
      if (word === "text") return { kind: "text", choices: null };
      return unknownElement;
    }
    case "choice-type":
      return { kind: "text", choices: node.choices.map(({ value }) => value) };
    case "index-type":
      return { kind: "index", of: axisFrom(node.axis, eq) };
    case "set-type":
      return { kind: "set", of: axisFrom(node.axis, eq), facts: [], atMost: null };
    case "block-type":
      return {
        kind: "block",
        signature: { params: node.params, results: node.results },
        nullable: node.nullable !== null,
      };
  }
}

export function typeFrom(node: TypeNode, eq: EquationContext): ValueType {
  return { axes: (node.axes ?? []).map((axis) => axisFromNode(axis, eq)), element: elementFrom(node.scalar, eq) };
}
