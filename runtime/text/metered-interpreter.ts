/**
 * The template library's interpreter with a meter: work, depth, sizes.
 *
 * The library evaluates every node through its public method `evaluate`, so overriding that one method sees all. Each
 * result is measured (`template-value.ts`). A few operations can make much more than what they are given
 * (`replace`, `split`, `indent`, `join`, `tojson`, loops); for these the operands are evaluated first, the result is
 * foreseen, and the library then gets nodes that hold the values.
 *
 * Work is 1 for a node, more where it gives or takes a long text or list, and more the deeper it stands (the library
 * looks names up scope by scope). The bound is on work and not on time, so it does not depend on the machine.
 */
import { jinja, type Scope, type TemplateNode } from "./jinja-library.ts";
import { templateLimits as limits } from "./template-limits.ts";
import { checkSize, type Measures, type TemplateValue } from "./template-value.ts";
import { TextError } from "./text-error.ts";

const growing: ReadonlySet<unknown> = new Set(["replace", "indent", "join", "tojson"]);
const named: ReadonlySet<string> = new Set(["Identifier", "MemberExpression"]);

export class MeteredInterpreter extends jinja.Interpreter {
  private work = 0;
  private depth = 0;
  private readonly measures: Measures = new WeakMap();
  private readonly templateLength: number;

  constructor(scope: Scope, templateLength: number) {
    super(scope);
    this.templateLength = templateLength;
  }

  override evaluate(node: TemplateNode | undefined, scope: Scope): TemplateValue {
    if (node === undefined) return super.evaluate(node, scope);
    if (node.held !== undefined) return node.held;
    this.spend(1 + (this.depth >> 4));
    if (this.depth >= limits.calls) throw new TextError("too-deep", `more than ${limits.calls} levels while running`);
    this.depth += 1;
    try {
      const ready = this.prepared(node, scope);
      const value = super.evaluate(ready, scope);
      this.spendOn(value, node.type);
      refuseKeptMethod(ready, value);
      return value;
    } finally {
      // `break` and `continue` leave by an exception.
      this.depth -= 1;
    }
  }

  private spend(work: number): void {
    this.work += work;
    if (this.work > limits.work) throw new TextError("too-large", "the template runs longer than is allowed");
  }

  private spendOn(value: TemplateValue, nodeType: string): void {
    // A filter such as `first` of an empty list gives nothing at all.
    if (value === undefined) throw new TextError("render", "an expression has no value");
    checkSize(value, this.measures);
    if (typeof value.value === "string") this.spend(value.value.length >> 8);
    // Naming a list costs little, making or sorting one costs its length.
    else if (Array.isArray(value.value)) this.spend(value.value.length >> (named.has(nodeType) ? 5 : 0));
  }

  /** The node itself, or one whose operands are evaluated and whose result is foreseen to fit. */
  private prepared(node: TemplateNode, scope: Scope): TemplateNode {
    switch (node.type) {
      case "For":
        return this.preparedLoop(node, scope);
      case "FilterExpression":
        if (node.filter === undefined || !growing.has(filterName(node.filter))) return node;
        return this.preparedFilter(this.evaluate(node.operand, scope), node.filter, scope);
      case "FilterStatement": {
        if (node.filter === undefined || !growing.has(filterName(node.filter))) return node;
        const text = this.evaluate({ type: "Program", body: node.body ?? [] }, scope);
        return this.preparedFilter(text, node.filter, scope);
      }
      case "CallExpression":
        return this.preparedCall(node, scope);
      case "MemberExpression":
        if (node.called === true) return node;
        return { ...node, object: held(this.evaluate(node.object, scope)) };
      case "Macro":
      case "CallStatement":
        // The library reads the whole body again each time the definition is reached.
        this.spend(this.templateLength >> 4);
        return node;
      default:
        return node;
    }
  }

  /** The library prepares every round of a loop before the first: pay for all, even if a `break` comes. */
  private preparedLoop(node: TemplateNode, scope: Scope): TemplateNode {
    const { iterable } = node;
    if (iterable?.type === "SelectExpression") {
      return { ...node, iterable: { ...iterable, lhs: this.heldRounds(iterable.lhs, scope) } };
    }
    return { ...node, iterable: this.heldRounds(iterable, scope) };
  }

  private heldRounds(iterable: TemplateNode | undefined, scope: Scope): TemplateNode {
    const value = this.evaluate(iterable, scope);
    if (Array.isArray(value.value)) this.spend(limits.round * value.value.length);
    else if (value.value instanceof Map) this.spend(limits.round * value.value.size);
    return held(value);
  }

  private preparedFilter(operand: TemplateValue, filter: TemplateNode, scope: Scope): TemplateNode {
    const ready = this.withValues(filter, scope);
    this.foresee(String(filterName(ready)), operand, ready);
    return { type: "FilterExpression", operand: held(operand), filter: ready };
  }

  private preparedCall(node: TemplateNode, scope: Scope): TemplateNode {
    const call = this.withValues(node, scope);
    const member = node.callee;
    if (member?.type !== "MemberExpression") return call;
    const object = this.evaluate(member.object, scope);
    if (typeof object.value === "string") {
      const name = member.computed === true ? this.evaluate(member.property, scope).value : member.property?.value;
      this.foresee(String(name), object, call);
    }
    return { ...call, callee: { ...member, object: held(object), called: true } };
  }

  /** A call with each argument replaced by a node that holds its value; a bare filter name stays. */
  private withValues(call: TemplateNode, scope: Scope): TemplateNode {
    if (call.type !== "CallExpression") return call;
    const args = (call.args ?? []).map((part): TemplateNode => {
      switch (part.type) {
        case "KeywordArgumentExpression":
          return { ...part, value: held(this.evaluate(nodeOf(part.value), scope)) };
        case "SpreadExpression":
        case "KeywordSpreadExpression":
          return { ...part, argument: held(this.evaluate(part.argument, scope)) };
        default:
          return held(this.evaluate(part, scope));
      }
    });
    return { ...call, args };
  }

  private foresee(operation: string, operand: TemplateValue, call: TemplateNode): void {
    const { positional, named } = argumentValues(call);
    const all = [...positional, ...named];
    switch (operation) {
      case "replace":
        if (typeof operand.value === "string") checkLength(replacedLength(operand.value, positional));
        return;
      case "split":
        if (typeof operand.value === "string" && pieces(operand.value, positional[0]) > limits.entries) {
          throw new TextError("too-large", `a text of more than ${limits.entries} parts`);
        }
        return;
      case "join":
        checkLength(joinedLength(checkSize(operand, this.measures), all));
        return;
      case "indent":
      case "tojson":
        checkNarrow(operation, all);
        if (typeof operand.value === "string") checkLength(indentedLength(operand.value));
        else checkLength(writtenLength(checkSize(operand, this.measures), all));
        return;
    }
  }
}

/** `{% set f = text.replace %}` would let the method run later, where its operand is out of sight. */
function refuseKeptMethod(ready: TemplateNode, value: TemplateValue): void {
  if (ready.type !== "MemberExpression" || ready.called === true || value.type !== "FunctionValue") return;
  if (typeof ready.object?.held?.value === "string") {
    throw new TextError("unsupported", "a method of a text can be called where it is named, not kept");
  }
}

const held = (value: TemplateValue): TemplateNode => ({ type: "Held", held: value });

function filterName(filter: TemplateNode): unknown {
  return filter.type === "CallExpression" ? filter.callee?.value : filter.value;
}

/** The value of a keyword argument is a node; that of an identifier, its name, is not. */
const nodeOf = (value: unknown): TemplateNode => value as TemplateNode;

interface ArgumentValues {
  readonly positional: readonly unknown[];
  readonly named: readonly unknown[];
}

/** The plain values of a call whose arguments are held, those inside an unpacked list or object included. */
function argumentValues(call: TemplateNode): ArgumentValues {
  const positional: unknown[] = [];
  const named: unknown[] = [];
  for (const part of call.args ?? []) {
    const target =
      part.type === "KeywordArgumentExpression" || part.type === "KeywordSpreadExpression" ? named : positional;
    const holder = part.held === undefined ? (part.argument ?? nodeOf(part.value)) : part;
    const value: unknown = holder.held?.value;
    const unpacked = value instanceof Map ? [...value.values()] : Array.isArray(value) ? value : undefined;
    if (unpacked === undefined) target.push(value);
    else for (const inner of unpacked) target.push((inner as TemplateValue).value);
  }
  return { positional, named };
}

const isText = (value: unknown): value is string => typeof value === "string";
const longest = (values: readonly unknown[]): number =>
  values.filter(isText).reduce((most, text) => Math.max(most, text.length), 0);

function checkLength(length: number): void {
  if (length > limits.output) throw new TextError("too-large", `a text of more than ${limits.output} characters`);
}

function countOf(text: string, find: string): number {
  let count = 0;
  for (let at = text.indexOf(find); at >= 0; at = text.indexOf(find, at + find.length)) count += 1;
  return count;
}

function replacedLength(text: string, args: readonly unknown[]): number {
  const [find, put] = args;
  if (!isText(find) || !isText(put)) return text.length;
  return text.length + (find === "" ? text.length + 1 : countOf(text, find)) * put.length;
}

/** At white space, parts and blanks take turns. */
const pieces = (text: string, separator: unknown): number =>
  isText(separator) && separator !== "" ? countOf(text, separator) + 1 : (text.length >> 1) + 1;

/** Parts that are no texts are written as JSON, with commas of their own. */
function joinedLength(size: { readonly text: number; readonly entries: number }, args: readonly unknown[]): number {
  const separator = longest(args);
  // Every character of a text, or every entry of a list, may be followed by a separator.
  return size.text + (size.entries === 1 ? size.text : size.entries) * (separator + 1);
}

/** The widths and separators of `indent` and `tojson` are short. */
function checkNarrow(operation: string, args: readonly unknown[]): void {
  if (longest(args) > limits.indent || args.some((n) => typeof n === "number" && n > limits.indent)) {
    throw new TextError("too-large", `\`${operation}\` by more than ${limits.indent} spaces`);
  }
}

const indentedLength = (text: string): number => text.length + (countOf(text, "\n") + 1) * limits.indent;

/** Quotes, brackets and separators; an escape such as `\u0001` is left to the check of what comes out. */
function writtenLength(
  size: { readonly text: number; readonly entries: number; readonly depth: number },
  args: readonly unknown[],
): number {
  const wide = args.some((n) => typeof n === "number") ? limits.indent * (size.depth + 1) : 0;
  return size.text + size.entries * (8 + wide + 2 * longest(args));
}
