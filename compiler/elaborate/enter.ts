/** Entering a declaration: its sizes solved from arguments and parameters, and the path through its `if`s chosen. */
import type { Expr } from "../../dsl/ast/nodes.ts";
import type { BlockValue, DeclInfo, Header, HeaderParam, PathInfo, Static } from "../../dsl/checker/context.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import type { Span } from "../../dsl/diagnostics/source.ts";
import type { Axis as CheckerAxis } from "../../dsl/types/axis.ts";
import { asSymbol, atomsOf, divideExact } from "../../dsl/types/poly.ts";
import { addDim, type Dim, dim, mulDim, oneDim, subDim, zeroDim } from "../graph/dim.ts";
import { asSize } from "./arithmetic.ts";
import { type Axis, type Layout, layoutSize, plain, whole } from "./axis.ts";
import { ElaborationError, type Frame, type PlacedBlock, type Stack, type Unit } from "./context.ts";
import type { IndexVariable } from "./index-variable.ts";
import { outside } from "./labels.ts";
import { layoutWith } from "./layout-from.ts";
import { mentions } from "./mentions.ts";
import { layoutFrom } from "./range.ts";
import { regroup, staticValue, type Value } from "./value.ts";

/** What fills a parameter of a block: another block, or text that means something in the frame it comes from. */
export interface Setting {
  readonly block: BlockValue | null;
  readonly expr: Expr | null;
}

export interface Given {
  readonly values: ReadonlyMap<string, Value>;
  readonly settings: ReadonlyMap<string, Setting>;
  readonly home: Frame | null;
  /** Sizes that the results are asked for with; of a storage format. */
  readonly results?: readonly Dim[];
}

export interface EnterOptions {
  readonly unit: Unit;
  readonly label: string;
  readonly prefix: string;
  readonly stacks: readonly Stack[];
  readonly around: readonly IndexVariable[];
  readonly span: Span;
  readonly known?: ReadonlyMap<string, Static>;
}

export function enter(info: DeclInfo, given: Given, options: EnterOptions): Frame {
  const { header } = info;
  const [first] = info.paths;
  if (header === null || first === undefined) throw new ElaborationError("this declaration has errors", options.span);
  const sizes = new Map<string, Axis>();
  const values = new Map<string, Value>();
  const blocks = new Map<string, PlacedBlock | null>();
  const draft = (path: PathInfo): Frame => ({
    info: path,
    outer: null,
    sizes,
    given: values,
    blocks,
    known: options.known ?? new Map(),
    label: options.label,
    prefix: options.prefix,
    stacks: options.stacks,
    around: options.around,
    memo: new Map(),
    unit: options.unit,
  });
  const asked = header.results[0]?.type.axes ?? [];
  given.results?.forEach((size, i) => {
    const pattern = asked[i];
    const name = pattern?.kind === "plain" ? asSymbol(pattern.size) : null;
    if (name !== null) sizes.set(name, whole(plain(size)));
  });
  for (const setting of header.settings) {
    const arg = given.settings.get(setting.name);
    if (arg !== undefined && given.home !== null) takeSetting(setting, arg, given.home, sizes, values, blocks);
  }
  for (const param of header.params) {
    const value = given.values.get(param.name);
    if (value !== undefined) takeArgument(param, value, header, sizes, values);
  }
  for (const setting of header.settings) {
    if (given.settings.has(setting.name) && given.home !== null) solveSetting(setting, values, header, sizes);
  }
  const open = [...header.settings, ...header.params].filter(
    ({ name }) => !sizes.has(name) && !values.has(name) && !blocks.has(name),
  );
  for (const { param, expr } of defaultsOf(open)) takeDefault(param, expr, draft(first), sizes, values, blocks);
  // An argument has the axes of the header: structured ones where a plain axis was given.
  for (const param of header.params) {
    const value = values.get(param.name);
    if (value?.kind !== "tensor" || param.type.axes.length !== value.axes.length) continue;
    const layouts = param.type.axes.map(
      (axis, i) => layoutWith(axis, (n) => sizes.get(n)) ?? (value.axes[i] as Axis).layout,
    );
    values.set(param.name, regroup(value, layouts));
  }
  const path = info.paths.find((candidate) => holds(candidate, draft(candidate)));
  if (path === undefined) throw new ElaborationError("no path through the `if`s of this block fits", options.span);
  const frame = draft(path);
  // The checker has seen all but those behind a recursion.
  const failing = path.requires.find(({ condition }) => isStatically(false, condition, frame));
  if (failing !== undefined) throw new ElaborationError("this condition does not hold", failing.condition.span);
  for (const { decl } of path.states) options.unit.rules.define(decl.name.text, frame);
  return frame;
}

const holds = (path: PathInfo, frame: Frame): boolean =>
  path.conditions.every(({ expr, holds: wanted }) => isStatically(wanted, expr, frame));

function isStatically(wanted: boolean, condition: Expr, frame: Frame): boolean {
  const value = frame.unit.rules.evaluate(condition, outside(frame));
  return value.kind === "static" && value.value === wanted;
}

const isSizeParam = (param: HeaderParam): boolean =>
  param.type.axes.length === 0 &&
  param.type.element.kind === "integer" &&
  (param.type.element.word === "dim" || param.type.element.word === "int");

function takeSetting(
  setting: HeaderParam,
  arg: Setting,
  home: Frame,
  sizes: Map<string, Axis>,
  values: Map<string, Value>,
  blocks: Map<string, PlacedBlock | null>,
): void {
  if (setting.type.element.kind === "block") {
    blocks.set(setting.name, arg.block === null || isNone(arg.block, home) ? null : { value: arg.block, home });
    return;
  }
  if (arg.expr === null) throw new Error(`no text for parameter ${setting.name}`);
  const eq = outside(home, setting.name);
  if (isSizeParam(setting)) {
    const value = isAxisText(arg.expr) ? null : home.unit.rules.evaluate(arg.expr, eq);
    if (value?.kind === "static" && value.value === null) values.set(setting.name, value);
    else sizes.set(setting.name, whole(sizeLayout(arg.expr, value, home)));
    return;
  }
  values.set(setting.name, home.unit.rules.evaluate(arg.expr, eq));
}

const isAxisText = (e: Expr): boolean =>
  e.kind === "group" ? isAxisText(e.inner) : e.kind === "tuple" || e.kind === "join";

function sizeLayout(expr: Expr, value: Value | null, home: Frame): Layout {
  const eq = outside(home);
  const defined = value?.kind === "tensor" ? sizeInModel(expr, home) : null;
  if (defined !== null) return plain(defined);
  if (value === null || expr.kind === "name") {
    const size = value === null ? null : asSize(value);
    // A plain name may stand for a structured axis.
    return size !== null && value?.kind === "static" ? plain(size) : layoutFrom(expr, eq);
  }
  const size = asSize(value);
  if (size === null) throw new ElaborationError("a size is expected", expr.span);
  return plain(size);
}

/** A size that the model's own definitions come to, `rows[l]` of lists in the config; null for anything else. */
function sizeInModel(expr: Expr, home: Frame): Dim | null {
  const known = home.label === "" ? home.unit.staticIn(expr, home.known) : undefined;
  return typeof known === "bigint" ? dim(Number(known)) : null;
}

function isNone(block: BlockValue, home: Frame): boolean {
  if (block.kind === "none") return true;
  if (block.kind === "opaque") {
    for (let at: Frame | null = home; at !== null; at = at.outer)
      if (at.blocks.has(block.name)) return at.blocks.get(block.name) === null;
    return false;
  }
  if (block.kind !== "choice") return false;
  const value = home.unit.rules.evaluate(block.condition, outside(home));
  return value.kind === "static" && isNone(value.value === true ? block.yes : block.no, home);
}

interface Default {
  readonly param: HeaderParam;
  readonly expr: Expr;
}

/** Defaults of parameters, each after those that it names. */
function defaultsOf(params: readonly HeaderParam[]): readonly Default[] {
  let left = params.flatMap((param): Default[] =>
    param.node.default === null ? [] : [{ param, expr: param.node.default }],
  );
  const ordered: Default[] = [];
  while (left.length > 0) {
    const free = left.filter(({ expr }) => !left.some((other) => mentions(expr, other.param.name)));
    const next = free.length > 0 ? free : left;
    ordered.push(...next);
    left = left.filter((d) => !next.includes(d));
  }
  return ordered;
}

function takeDefault(
  param: HeaderParam,
  expr: Expr,
  frame: Frame,
  sizes: Map<string, Axis>,
  values: Map<string, Value>,
  blocks: Map<string, PlacedBlock | null>,
): void {
  if (param.type.element.kind === "block") {
    if (ungroup(expr).kind !== "null")
      throw new ElaborationError("a block as a default cannot be elaborated yet", expr.span);
    blocks.set(param.name, null);
    return;
  }
  const value = frame.unit.rules.evaluate(expr, outside(frame, param.name));
  const size = isSizeParam(param) ? asSize(value) : null;
  if (size !== null) sizes.set(param.name, whole(plain(size)));
  else values.set(param.name, value.kind === "static" ? staticValue(value.value) : value);
}

function takeArgument(
  param: HeaderParam,
  value: Value,
  header: Header,
  sizes: Map<string, Axis>,
  values: Map<string, Value>,
): void {
  values.set(param.name, value);
  if (isSizeParam(param)) {
    const size = asSize(value);
    if (size !== null) sizes.set(param.name, whole(plain(size)));
    return;
  }
  if (value.kind !== "tensor" && value.kind !== "set") return;
  param.type.axes.forEach((pattern, i) => {
    const actual = value.axes[i];
    if (actual !== undefined) solve(pattern, i === 0 ? actual : whole(actual.layout), header.sizes, sizes);
  });
  const { element } = param.type;
  if (element.kind !== "index" && element.kind !== "set") return;
  if (value.of !== undefined) solve(element.of, whole(value.of), header.sizes, sizes);
}

/** Sizes that stand in the type of a parameter, as J in `param freq : [J]`. */
function solveSetting(
  setting: HeaderParam,
  values: ReadonlyMap<string, Value>,
  header: Header,
  sizes: Map<string, Axis>,
): void {
  const value = values.get(setting.name);
  if (value?.kind !== "tensor") return;
  setting.type.axes.forEach((pattern, i) => {
    const actual = value.axes[i];
    if (actual !== undefined) solve(pattern, whole(actual.layout), header.sizes, sizes);
  });
}

/** Matches an axis of a header with the one given; the checker has made sure that they fit. */
function solve(pattern: CheckerAxis, actual: Axis, names: ReadonlySet<string>, sizes: Map<string, Axis>): void {
  if (pattern.kind === "unknown") return;
  if (pattern.kind === "plain") {
    const name = asSymbol(pattern.size);
    if (name !== null && names.has(name) && !sizes.has(name)) sizes.set(name, actual);
    return;
  }
  const { layout } = actual;
  if (layout.kind === pattern.kind) {
    pattern.parts.forEach((part, i) => {
      const given = layout.parts[i];
      if (given !== undefined) solve(part, whole(given), names, sizes);
    });
    return;
  }
  solveOpen(pattern, layoutSize(layout), names, sizes);
}

/** The one part of a structured axis that is not known yet follows from the size of the whole. */
function solveOpen(
  pattern: CheckerAxis & { kind: "merged" | "joined" },
  size: Dim,
  names: ReadonlySet<string>,
  sizes: Map<string, Axis>,
): void {
  const merged = pattern.kind === "merged";
  let known: Dim = merged ? oneDim : zeroDim;
  let open: CheckerAxis | null = null;
  for (const part of pattern.parts) {
    if (part.kind === "plain" && isOpen(part, names, sizes)) open = part;
    else {
      const layout = layoutWith(part, (n) => sizes.get(n));
      const own = layout === null ? oneDim : layoutSize(layout);
      known = merged ? mulDim(known, own) : addDim(known, own);
    }
  }
  if (open !== null) solve(open, whole(plain(merged ? divideExact(size, known) : subDim(size, known))), names, sizes);
}

const isOpen = (
  axis: CheckerAxis & { kind: "plain" },
  names: ReadonlySet<string>,
  sizes: ReadonlyMap<string, Axis>,
): boolean =>
  [...atomsOf(axis.size).values()].some((a) => a.kind === "symbol" && names.has(a.name) && !sizes.has(a.name));
