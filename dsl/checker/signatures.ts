/** Signatures of block-valued parameters: what they say to callers, and whether a block fits. */
import type { Expr, Param, Result, TypeNode } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import type { Axis } from "../types/axis.ts";
import { asSymbol } from "../types/poly.ts";
import { printValueType, type Signature, type ValueType } from "../types/value-type.ts";
import { fail } from "./conditions.ts";
import {
  type BlockValue,
  type Entity,
  type EquationContext,
  type Header,
  type HeaderParam,
  lookup,
  type Scope,
  type Value,
} from "./context.ts";
import { type Bindings, solveAxis } from "./headers.ts";
import { typeFrom } from "./sizes.ts";

/** Names that stand where sizes stand in the types of a header. */
export function sizeNames(types: readonly TypeNode[]): ReadonlyMap<string, Span> {
  const names = new Map<string, Span>();
  const visit = (expr: Expr): void => {
    switch (expr.kind) {
      case "name":
        if (!names.has(expr.text)) names.set(expr.text, expr.span);
        return;
      case "group":
        visit(expr.inner);
        return;
      case "tuple":
      case "join":
        for (const item of expr.items) visit(item);
        return;
      case "binary":
        visit(expr.left);
        visit(expr.right);
        return;
      case "call":
        for (const arg of expr.args) if (arg.kind === "argument") visit(arg.value);
        return;
      default:
        return;
    }
  };
  for (const type of types) {
    for (const axis of type.axes ?? []) {
      visit(axis.size);
      if (axis.of !== null) visit(axis.of);
    }
    const { scalar } = type;
    if (scalar?.kind === "index-type" || scalar?.kind === "set-type") visit(scalar.axis);
  }
  return names;
}

export const isSizeName = (name: string): boolean => /^[A-Z]/.test(name);

/** The header of a signature; names that mean nothing where it is written are solved at each call, as `?X`. */
export function signatureHeader(name: string, span: Span, signature: Signature, eq: EquationContext): Header {
  const types = [...signature.params.map((p) => p.type), ...signature.results.map((r) => r.type)];
  const scope: Scope = { names: new Map(), parent: eq.body.scope };
  const sizes = new Set<string>();
  for (const [size, at] of sizeNames(types)) {
    if (lookup(eq.body.scope, size) !== null || !isSizeName(size)) continue;
    sizes.add(`?${size}`);
    const entity: Entity = {
      kind: "dim",
      name: `?${size}`,
      span: at,
      symbol: -1,
      source: { kind: "dim" },
      state: "new",
      value: null,
      body: null,
      uses: 1,
    };
    scope.names.set(size, entity);
  }
  const inner: EquationContext = { ...eq, body: { ...eq.body, scope, quiet: true } };
  const paramOf = (node: Param): HeaderParam[] =>
    node.names.map((n) => ({
      name: n.text,
      type: typeFrom(node.type, inner),
      hasDefault: false,
      defaultSize: null,
      span: n.span,
      node,
    }));
  const resultOf = (r: Result): Header["results"][number] => ({
    name: r.name.text,
    type: typeFrom(r.type, inner),
    span: r.name.span,
  });
  const header: Header = {
    name,
    span,
    params: signature.params.flatMap(paramOf),
    settings: [],
    results: signature.results.map(resultOf),
    sizes,
  };
  return header;
}

/** All blocks a value may turn out to be. */
export function alternatives(block: BlockValue | null): readonly BlockValue[] {
  if (block === null) return [];
  return block.kind === "choice" ? [...alternatives(block.yes), ...alternatives(block.no)] : [block];
}

/** The header of a block value, and its sizes as far as its parameters fix them. */
export function blockHeader(block: BlockValue, eq: EquationContext): { header: Header; bindings: Bindings } | null {
  if (block.kind === "block") {
    const { header } = eq.body.shared.rules.declared(block.decl);
    if (header === null) return null;
    const bindings: Bindings = new Map();
    for (const setting of header.settings) {
      const arg = block.args.get(setting.name);
      if (arg === undefined) continue;
      if (arg.axis !== null) bindings.set(setting.name, arg.axis);
      else if (arg.value.poly !== null)
        bindings.set(setting.name, { kind: "plain", size: arg.value.poly, restriction: null });
      for (const [i, pattern] of setting.type.axes.entries()) {
        const actual = arg.value.axes[i];
        if (actual !== undefined) solveAxis(pattern, actual, header.sizes, bindings, eq);
      }
    }
    return { header, bindings };
  }
  if (block.kind === "opaque") {
    return { header: signatureHeader(block.name, block.span, block.signature, eq), bindings: new Map() };
  }
  return null;
}

/** DS0243 unless every block the value may be takes the parameters the signature lists and gives its results. */
export function signatureFits(
  param: HeaderParam,
  value: Value,
  span: Span,
  owner: Header,
  bindings: Bindings,
  eq: EquationContext,
): void {
  const { element } = param.type;
  if (element.kind !== "block") return;
  const wrong = (why: string): void => {
    fail(eq.body, "DS0243", {
      title: `\`${param.name}\` of \`${owner.name}\` needs a block of another signature`,
      at: span,
      label: why,
      secondary: [{ span: param.span, text: "the signature is declared here" }],
    });
  };
  if (value.block === null) {
    wrong(`this is ${printValueType(value)}, no block`);
    return;
  }
  for (const block of alternatives(value.block)) {
    if (block.kind === "none") {
      if (!element.nullable) wrong("`null` is not allowed here: the signature is `block`, not `block?`");
      continue;
    }
    const found = blockHeader(block, eq);
    if (found === null) continue;
    // The signature's own sizes: what the owner's parameters fixed is used, the rest is free.
    const wanted = signatureHeader(param.name, param.span, element.signature, eq);
    const { header } = found;
    if (header.params.length !== wanted.params.length) {
      const list = (h: Header): string => h.params.map((p) => p.name).join(", ") || "nothing";
      wrong(`\`${header.name}\` takes (${list(header)}), expected (${list(wanted)})`);
      continue;
    }
    if (header.results.length !== wanted.results.length) {
      wrong(`\`${header.name}\` gives ${header.results.length} results, expected ${wanted.results.length}`);
      continue;
    }
    for (const [i, p] of header.params.entries()) {
      const w = wanted.params[i];
      if (w === undefined) continue;
      if (p.name !== w.name) {
        wrong(`parameter ${i + 1} of \`${header.name}\` is \`${p.name}\`, expected \`${w.name}\``);
        break;
      }
      if (!shapesAgree(p.type, w.type)) {
        wrong(`\`${p.name}\` of \`${header.name}\` is ${show(p.type)}, expected ${show(w.type)}`);
        break;
      }
    }
    for (const [i, r] of header.results.entries()) {
      const w = wanted.results[i];
      if (w !== undefined && !shapesAgree(r.type, w.type)) {
        wrong(`\`${header.name}\` gives \`${r.name}\`: ${show(r.type)}, expected ${show(w.type)}`);
      }
    }
    void bindings;
  }
}

const show = (type: ValueType): string => printValueType(type).replaceAll("?", "");

/** Ranks, kinds and structure; sizes are compared where the block is called. */
function shapesAgree(a: ValueType, b: ValueType): boolean {
  if (a.element.kind === "unknown" || b.element.kind === "unknown") return true;
  if (a.axes.length !== b.axes.length || a.element.kind !== b.element.kind) return false;
  return a.axes.every((axis, i) => {
    const other = b.axes[i];
    if (other === undefined || axis.kind === "unknown" || other.kind === "unknown") return true;
    if ((axis.restriction === null) !== (other.restriction === null)) return false;
    return isOpen(axis) || isOpen(other) || axis.kind === other.kind;
  });
}

const isOpen = (axis: Axis): boolean => axis.kind === "plain" && asSymbol(axis.size) !== null;
