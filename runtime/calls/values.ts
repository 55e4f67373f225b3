/**
 * All sizes and addresses of a phase as one straight list of operations on numbers: equal expressions are one value, what is
 * known when the package is loaded is no operation at all. Evaluating it is what a call costs before its first kernel.
 */
import type { SizeExpr, SizeOperator } from "../artifact/program.ts";

/** Ordinal of a value. */
export type ValueId = number;

const codes: Readonly<Record<SizeOperator, number>> = { "+": 0, "-": 1, "*": 2, "/": 3, "%": 4, min: 5, max: 6 };
const commutes = (operator: SizeOperator): boolean =>
  operator === "+" || operator === "*" || operator === "min" || operator === "max";

/** Throws RangeError for a division by zero and for what is no exact whole number. */
function applied(code: number, a: number, b: number): number {
  const value = meaning(code, a, b);
  if (value >= -Number.MAX_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) return value;
  throw new RangeError(`a size is ${value}`);
}

function meaning(code: number, a: number, b: number): number {
  switch (code) {
    case 0:
      return a + b;
    case 1:
      return a - b;
    case 2:
      return a * b;
    case 3:
      return Math.floor(a / b);
    case 4:
      return a % b;
    case 5:
      return Math.min(a, b);
    default:
      return Math.max(a, b);
  }
}

/** Names that mean values. */
export type Scope = ReadonlyMap<string, ValueId>;

export class ValueBuilder {
  readonly #known: (number | null)[] = [];
  readonly #byKey = new Map<string, ValueId>();
  readonly #operations: { readonly code: number; readonly a: ValueId; readonly b: ValueId; readonly to: ValueId }[] =
    [];
  readonly #inputs: ValueId[] = [];

  constant(value: number): ValueId {
    return this.#once(`${value}`, value);
  }

  /** Given anew for each evaluation, in the order of these calls. */
  input(): ValueId {
    const id = this.#new(null);
    this.#inputs.push(id);
    return id;
  }

  /** Null where it depends on an input. */
  known(id: ValueId): number | null {
    return this.#known[id] ?? null;
  }

  expression(e: SizeExpr, scope: Scope): ValueId {
    if (typeof e === "number") return this.constant(e);
    if (typeof e === "string") {
      const id = scope.get(e);
      if (id === undefined) throw new RangeError(`no size ${e}`);
      return id;
    }
    const [operator, left, right] = e;
    return this.operation(operator, this.expression(left, scope), this.expression(right, scope));
  }

  operation(operator: SizeOperator, a: ValueId, b: ValueId): ValueId {
    const [x, y] = [this.known(a), this.known(b)];
    const code = codes[operator];
    if (x !== null && y !== null) return this.constant(applied(code, x, y));
    if (operator === "+" && x === 0) return b;
    if ((operator === "+" || operator === "-") && y === 0) return a;
    if (operator === "*" && x === 1) return b;
    if ((operator === "*" || operator === "/") && y === 1) return a;
    if (operator === "*" && (x === 0 || y === 0)) return this.constant(0);
    const [left, right] = commutes(operator) && a > b ? [b, a] : [a, b];
    const key = `${operator} ${left} ${right}`;
    const before = this.#byKey.get(key);
    if (before !== undefined) return before;
    const to = this.#once(key, null);
    this.#operations.push({ code, a: left, b: right, to });
    return to;
  }

  finish(): Values {
    const start = Float64Array.from(this.#known, (value) => value ?? 0);
    return new Values(start, this.#inputs, this.#operations);
  }

  #once(key: string, known: number | null): ValueId {
    const before = this.#byKey.get(key);
    if (before !== undefined) return before;
    const id = this.#new(known);
    this.#byKey.set(key, id);
    return id;
  }

  #new(known: number | null): ValueId {
    this.#known.push(known);
    return this.#known.length - 1;
  }
}

export class Values {
  /** By `ValueId`, as the last evaluation has left them. */
  readonly numbers: Float64Array;
  readonly #inputs: readonly ValueId[];
  readonly #code: Uint8Array;
  readonly #a: Int32Array;
  readonly #b: Int32Array;
  readonly #to: Int32Array;
  constructor(
    start: Float64Array,
    inputs: readonly ValueId[],
    operations: readonly { readonly code: number; readonly a: ValueId; readonly b: ValueId; readonly to: ValueId }[],
  ) {
    this.numbers = start;
    this.#inputs = inputs;
    this.#code = Uint8Array.from(operations, (o) => o.code);
    this.#a = Int32Array.from(operations, (o) => o.a);
    this.#b = Int32Array.from(operations, (o) => o.b);
    this.#to = Int32Array.from(operations, (o) => o.to);
  }

  /** Throws RangeError where a size is no exact whole number. */
  evaluate(inputs: readonly number[]): Float64Array {
    const { numbers } = this;
    for (let i = 0; i < this.#inputs.length; i += 1) numbers[this.#inputs[i] ?? 0] = inputs[i] ?? Number.NaN;
    for (let i = 0; i < this.#code.length; i += 1) {
      const [a, b] = [numbers[this.#a[i] ?? 0] ?? 0, numbers[this.#b[i] ?? 0] ?? 0];
      numbers[this.#to[i] ?? 0] = applied(this.#code[i] ?? 0, a, b);
    }
    return numbers;
  }
}
