/** Calls: of functions, parts and members of families, core functions and reductions. */
import type { Expr } from "../../dsl/ast/nodes.ts";
import { scalarFunctions as coreFunctions, isReduction } from "../../dsl/checker/builtins.ts";
import { type BlockValue, type DeclInfo, lookup, type PartInfo, type Static } from "../../dsl/checker/context.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import type { Axis as CheckerAxis } from "../../dsl/types/axis.ts";
import type { Dim } from "../graph/dim.ts";
import type { Scalar } from "../graph/node.ts";
import { call as callFn, reduce } from "../graph/scalar.ts";
import { isMonoid, isScalarFn, type ScalarFn, scalarFunctions } from "../ops/scalar-functions.ts";
import { asNumber, asSize, commonType, elementwise, isIntegral } from "./arithmetic.ts";
import type { Axis, Members, Position } from "./axis.ts";
import {
  ElaborationError,
  type Equation,
  type Frame,
  type LayerCall,
  type PlacedBlock,
  type Stack,
} from "./context.ts";
import { enter, type Given, type Setting } from "./enter.ts";
import { IndexVariable, withPositions } from "./index-variable.ts";
import { around, bind, binders, conjunction, loopOver } from "./indices.ts";
import { layoutFromChecker, sizeIn } from "./layout-from.ts";
import { limits } from "./limits.ts";
import { hasReduction, isAlias, materialize } from "./materialize.ts";
import { mentions } from "./mentions.ts";
import { argmax, top } from "./set.ts";
import { asTensor, staticValue, type Tensor, type Value } from "./value.ts";
import { placedPrefix } from "./weight.ts";

type CallNode = Expr & { readonly kind: "call" };

export function call(expr: CallNode, eq: Equation): Value {
  const callee = ungroup(expr.callee);
  if (callee.kind === "index") {
    const base = ungroup(callee.base);
    const entity = base.kind === "name" ? lookup(eq.frame.info.body.scope, base.text) : null;
    if (base.kind === "name" && entity === null && isReduction(base.text))
      return reduction(base.text, callee, expr, eq);
    const [member] = callee.subscript.items;
    if (base.kind === "name" && member !== undefined) return callPart(base.text, member, expr, eq);
    throw new ElaborationError("this cannot be called", expr.span);
  }
  if (callee.kind !== "name") throw new ElaborationError("this cannot be called", expr.span);
  const entity = lookup(eq.frame.info.body.scope, callee.text);
  if (entity === null) return callee.text === "top" ? top(expr, eq) : core(callee.text, expr, eq);
  if (entity.source.kind === "fn") {
    const decl = entity.source.decl;
    const info = eq.frame.unit.declared(decl);
    return callDeclaration(info, expr, eq, {
      label: labelIn(eq),
      prefix: "",
      stacks: [],
      settings: new Map(),
      home: null,
      expression: decl.expression,
    });
  }
  return callPart(callee.text, null, expr, eq);
}

const labelIn = (eq: Equation): string => [eq.frame.label, eq.label].filter((l) => l !== "").join(".");

function argumentsOf(expr: CallNode, eq: Equation): readonly Value[] {
  return expr.args.flatMap((a) => (a.kind === "argument" ? [eq.frame.unit.rules.evaluate(a.value, eq)] : []));
}

const graphNames: Readonly<Record<string, ScalarFn>> = { min: "minimum", max: "maximum" };

/** `exp(x)`, `min(a, b, c)`: computed where all is known, else over open axes. */
function core(name: string, expr: CallNode, eq: Equation): Value {
  const values = argumentsOf(expr, eq);
  const entry = coreFunctions.get(name);
  const fn = graphNames[name] ?? name;
  if (entry === undefined) throw new ElaborationError(`\`${name}\` is no function`, expr.span);
  const numbers = values.map((v) => asNumber(v, eq.frame.unit.numbers));
  if (numbers.every((n): n is number => n !== null)) {
    const evaluateGraph = isScalarFn(fn) && entry.variadic !== true ? scalarFunctions[fn].evaluate : null;
    const [x = Number.NaN, y = Number.NaN] = numbers;
    const result = evaluateGraph === null ? entry.evaluate(...numbers) : evaluateGraph(x, y, Number.NaN);
    const whole = entry.result === "integer" || (entry.result === "same" && values.every((v) => asSize(v) !== null));
    return staticValue(whole && Number.isSafeInteger(result) ? BigInt(result) : result);
  }
  const tensors = values.map(asTensor);
  const same = tensors.map((t) => t.dtype).reduce(commonType);
  const dtype = entry.result === "float" && isIntegral(same) ? "f32" : entry.result === "integer" ? "i32" : same;
  return elementwise(tensors, dtype, (xs) => {
    if (entry.variadic === true && isScalarFn(fn)) return xs.reduce((a, b) => callFn(fn, a, b));
    if (name === "ceil_div") return ceilDivision(xs[0] as Scalar, xs[1] as Scalar);
    if (!isScalarFn(fn)) throw new ElaborationError(`\`${name}\` cannot be computed at run time`, expr.span);
    return callFn(fn, ...xs);
  });
}

const ceilDivision = (a: Scalar, b: Scalar): Scalar => callFn("neg", callFn("floordiv", callFn("neg", a), b));

function reduction(name: string, callee: Expr & { kind: "index" }, expr: CallNode, eq: Equation): Value {
  const variables = binders(callee.subscript.items, eq);
  const inner = bind(eq, variables);
  const [only] = expr.args;
  if (only?.kind !== "argument") throw new ElaborationError("a reduction takes one expression", expr.span);
  const condition =
    callee.subscript.where === null ? null : asTensor(eq.frame.unit.rules.evaluate(callee.subscript.where, inner));
  const body = asTensor(eq.frame.unit.rules.evaluate(only.value, inner));
  if (name === "argmax" || name === "argmin") return argReduction(name, { variables, body, condition, eq, expr });
  if (!isMonoid(name)) throw new ElaborationError(`no reduction \`${name}\``, expr.span);
  return {
    ...body,
    at: (positions) => {
      let where: Scalar | null = null;
      const loops = loopOver(variables, inner, () => {
        where = condition?.at([]) ?? null;
        return body.at(positions);
      });
      return reduce(name, loops.axes, loops.body, conjunction(loops.guard, where));
    },
  };
}

interface Reduced {
  readonly variables: readonly IndexVariable[];
  readonly body: Tensor;
  readonly condition: Tensor | null;
  readonly eq: Equation;
  readonly expr: CallNode;
}

function argReduction(name: "argmax" | "argmin", { variables, body, condition, eq, expr }: Reduced): Tensor {
  const [variable] = variables;
  if (variable?.axis == null || variables.length !== 1 || body.axes.length > 0)
    throw new ElaborationError(`\`${name}\` runs over one index`, expr.span);
  // A range that exists in part may be empty, so the checker refuses it: what exists is said by the condition alone.
  const { layout } = variable.axis;
  const inside = (p: Position, ask: Tensor): Scalar => withPositions([variable], [p], () => ask.at([]));
  const members: Members | null =
    condition === null ? null : { kind: "where", holds: (_, self) => inside(self, condition) };
  const row: Tensor = {
    kind: "tensor",
    axes: [{ layout, members }],
    dtype: body.dtype,
    at: ([p]) => inside(p as Position, body),
  };
  return { ...argmax(row, eq, expr, name === "argmax" ? 1 : -1), of: layout };
}

/** `norm(x[t])`, `expert[e](x)`, `layer[l](h[l], pos)` */
function callPart(name: string, member: Expr | null, expr: CallNode, eq: Equation): Value {
  const { frame } = eq;
  const { part, owner } = partNamed(name, frame, expr);
  if (member === null || part.family === null) return callBlock(part, owner, expr, eq, new Map(), []);
  const value = frame.unit.rules.evaluate(member, eq);
  const at = asSize(value);
  const known = at === null ? null : frame.unit.number(at);
  const { index, axis } = part.family;
  if (known !== null) return callBlock(part, owner, expr, eq, new Map([[index, BigInt(known)]]), []);
  const size = familySize(axis, owner);
  const count = frame.unit.number(size);
  if (count === null) throw new ElaborationError("how many members a family has must be known", expr.span);
  const tensor = asTensor(value);
  const subject = ungroup(member);
  const variable = subject.kind === "name" ? eq.indices.get(subject.text) : undefined;
  variable?.standsOn({ layout: { kind: "plain", size }, members: null });
  if (count > limits.members)
    throw new ElaborationError(`a family of ${count} members; at most ${limits.members} can be elaborated`, expr.span);
  const members = Array.from({ length: count }, (_, i) => i);
  return callBlock(part, owner, expr, eq, new Map(), [{ hole: index, members, size, at: () => tensor.at([]) }]);
}

export function partNamed(name: string, frame: Frame, expr: Expr): { part: PartInfo; owner: Frame } {
  for (let at: Frame | null = frame; at !== null; at = at.outer) {
    const part = at.info.body.parts.get(name);
    if (part !== undefined) return { part, owner: at };
  }
  throw new ElaborationError(`no part \`${name}\``, expr.span);
}

const familySize = (axis: CheckerAxis, owner: Frame): Dim => sizeIn(layoutFromChecker(axis, owner));

/** The block that a value is with what the frame knows. */
export function resolve(value: BlockValue, home: Frame): { block: BlockValue & { kind: "block" }; home: Frame } | null {
  switch (value.kind) {
    case "none":
      return null;
    case "block":
      return { block: value, home };
    case "opaque": {
      const placed = blockNamed(value.name, home);
      return placed === null ? null : resolve(placed.value, placed.home);
    }
    case "choice": {
      const condition = home.unit.rules.evaluate(value.condition, {
        frame: home,
        label: "",
        indices: new Map(),
        all: [],
      });
      if (condition.kind !== "static") throw new ElaborationError("which block this is must be known", value.span);
      return resolve(condition.value === true ? value.yes : value.no, home);
    }
    default:
      return value satisfies never;
  }
}

function blockNamed(name: string, home: Frame): PlacedBlock | null {
  for (let at: Frame | null = home; at !== null; at = at.outer) {
    const known = at.blocks.get(name);
    if (known !== undefined) return known;
    const slot = at.info.body.scope.names.get(name);
    if (slot?.value?.block != null) return { value: slot.value.block, home: at };
  }
  return null;
}

const familyLabel = (part: PartInfo, owner: Frame): string =>
  [owner.label, part.decl.name.text].filter((l) => l !== "").join(".");

const knowing = (frame: Frame, known: ReadonlyMap<string, Static>): Frame =>
  known.size === 0 ? frame : { ...frame, known: new Map([...frame.known, ...known]) };

function callBlock(
  part: PartInfo,
  owner: Frame,
  expr: CallNode,
  eq: Equation,
  known: ReadonlyMap<string, Static>,
  stacks: readonly Stack[],
  carried?: { readonly argument: number; readonly value: Tensor },
): Value {
  const home = knowing(owner, known);
  const resolved = resolve(part.block, home);
  if (resolved === null) throw new ElaborationError("this block is null here", expr.span);
  const info = eq.frame.unit.declared(resolved.block.decl);
  const [member] = known.values();
  const own = `${part.decl.name.text}${member === undefined || part.family === null ? "" : String(member)}`;
  const label = [owner.label, own].filter((l) => l !== "").join(".");
  if (part.family !== null && member !== undefined)
    owner.unit.runs.set(label, { family: familyLabel(part, owner), members: [Number(member)] });
  const inherited = owner.prefix === "" ? owner.unit.prefixOf(part.decl) : "";
  const prefix = [inherited, placedPrefix(home, part.decl.at)].filter((p) => p !== "").join(".");
  return callDeclaration(info, expr, eq, {
    label,
    prefix,
    stacks: [...owner.stacks, ...stacks],
    settings: settingsOf(resolved.block),
    home: resolved.home,
    expression: null,
    ...(carried === undefined ? {} : { carried }),
  });
}

const settingsOf = (block: BlockValue & { kind: "block" }): ReadonlyMap<string, Setting> =>
  new Map([...block.args].map(([name, arg]) => [name, { block: arg.value.block, expr: arg.expr }]));

interface Placement {
  readonly label: string;
  readonly prefix: string;
  readonly stacks: readonly Stack[];
  /** Parameters that the block value fills, and the frame in which they mean something. */
  readonly settings: ReadonlyMap<string, Setting>;
  readonly home: Frame | null;
  /** Of a `fn f(x) = …`. */
  readonly expression: Expr | null;
  readonly carried?: { readonly argument: number; readonly value: Tensor };
}

/** The results of a declaration for these arguments. A scalar parameter lifts over the open axes of its argument. */
function callDeclaration(info: DeclInfo, expr: CallNode, eq: Equation, place: Placement): Value {
  const { header } = info;
  if (header === null) throw new ElaborationError("a header that could not be read", expr.span);
  const given = new Map<string, Value>();
  let position = 0;
  let lifted: readonly Axis[] | null = null;
  const lifts: IndexVariable[] = [];
  for (const [i, arg] of expr.args.entries()) {
    if (arg.kind !== "argument") continue;
    const param = header.params.find((p) => p.name === (arg.name?.text ?? header.params[position]?.name));
    if (arg.name === null) position += 1;
    if (param === undefined) continue;
    const value = place.carried?.argument === i ? place.carried.value : eq.frame.unit.rules.evaluate(arg.value, eq);
    given.set(param.name, value);
    const liftsHere = value.kind === "tensor" && param.type.axes.length === 0 && value.axes.length > 0;
    if (liftsHere && lifted === null) {
      lifted = value.axes;
      for (const axis of value.axes) {
        const variable = new IndexVariable("i");
        variable.standsOn(axis);
        lifts.push(variable);
      }
    }
  }
  const inside: Given = {
    values: new Map(
      [...given].map(([name, value]) => {
        const param = header.params.find((p) => p.name === name);
        const lift = value.kind === "tensor" && param?.type.axes.length === 0 && value.axes.length > 0;
        const scalar: Value = lift ? { ...value, axes: [], at: () => value.at(lifts.map((v) => v.here)) } : value;
        return [name, shared(scalar, `${place.label}.${name}`, eq, lifts)];
      }),
    ),
    settings: place.settings,
    home: place.home,
  };
  const frame = enter(info, inside, {
    unit: eq.frame.unit,
    label: place.label,
    prefix: place.prefix,
    stacks: place.stacks,
    around: [...around(eq), ...lifts],
    span: expr.span,
  });
  const results =
    place.expression !== null
      ? [frame.unit.rules.evaluate(place.expression, { frame, label: "", indices: new Map(), all: [] })]
      : header.results.map((r) => {
          const value = frame.unit.rules.define(r.name, frame);
          if (value === null) throw new ElaborationError(`result \`${r.name}\` has no value`, expr.span);
          return value;
        });
  const out = results.map((value) => (lifted === null ? value : liftResult(value, lifted, lifts)));
  return out.length === 1 ? (out[0] as Value) : { kind: "tuple", values: out };
}

function liftResult(value: Value, axes: readonly Axis[], lifts: readonly IndexVariable[]): Value {
  const scalar = asTensor(value);
  return { ...scalar, axes, at: (positions) => withPositions(lifts, positions, () => scalar.at([])) };
}

/** An argument that takes a reduction to compute is computed once, however often it is used. */
function shared(value: Value, label: string, eq: Equation, lifts: readonly IndexVariable[]): Value {
  if (value.kind !== "tensor") return value;
  const single = value.axes.length === 0;
  return materialize(eq.frame.unit, {
    label,
    axes: value.axes,
    dtype: value.dtype,
    around: [...around(eq), ...lifts],
    bases: value.axes.map((_, i) => "ijkl"[i] ?? "i"),
    at: value.at,
    inline: (body) => isAlias(body) || (single && !hasReduction(body)),
    ...(value.of === undefined ? {} : { of: value.of }),
  });
}

/** A call of several members of a family in a row, as one with stacked tensors and a carried argument. */
export function callMember(
  family: LayerCall,
  frame: Frame,
  index: string,
  stack: Omit<Stack, "hole">,
  carried: Tensor,
): Value {
  const { part, owner } = partNamed(family.part, frame, family.expr);
  const first = stack.members[0] ?? 0;
  const hole = part.family?.index ?? index;
  const eq: Equation = { frame, label: family.part, indices: new Map(), all: [] };
  const alone = stack.members.length === (frame.unit.number(familySize(part.family?.axis as never, owner)) ?? 0);
  return callStacked(part, owner, family, eq, { ...stack, hole }, first, alone, carried);
}

function callStacked(
  part: PartInfo,
  owner: Frame,
  family: LayerCall,
  eq: Equation,
  stack: Stack,
  first: number,
  alone: boolean,
  carried: Tensor,
): Value {
  const home = knowing(owner, new Map([[stack.hole, BigInt(first)]]));
  const resolved = resolve(part.block, home);
  if (resolved === null) throw new ElaborationError("this block is null here", family.expr.span);
  const info = eq.frame.unit.declared(resolved.block.decl);
  const label = [owner.label, `${part.decl.name.text}${alone ? "" : first}`].filter((l) => l !== "").join(".");
  owner.unit.runs.set(label, { family: familyLabel(part, owner), members: stack.members });
  const inherited = owner.prefix === "" ? owner.unit.prefixOf(part.decl) : "";
  // The stack's hole stays in the prefix: each tensor name fills it.
  const prefix = [inherited, placedPrefix(owner, part.decl.at)].filter((p) => p !== "").join(".");
  return callDeclaration(info, family.expr, eq, {
    label,
    prefix,
    stacks: [...owner.stacks, stack],
    settings: settingsOf(resolved.block),
    home: resolved.home,
    expression: null,
    carried: { argument: family.carried, value: carried },
  });
}

/** What a member of a family is, its tensors aside: equal for members that can share kernels. */
export function memberKey(family: LayerCall, frame: Frame, index: string, member: number): string {
  const { part, owner } = partNamed(family.part, frame, family.expr);
  const hole = part.family?.index ?? index;
  return blockKey(part.block, knowing(owner, new Map([[hole, BigInt(member)]])));
}

function blockKey(value: BlockValue, home: Frame): string {
  const resolved = resolve(value, home);
  if (resolved === null) return "null";
  const { block } = resolved;
  const args = [...block.args].map(([name, arg]) => {
    if (arg.value.block !== null) return `${name}=${blockKey(arg.value.block, resolved.home)}`;
    return arg.expr === null ? name : `${name}=${argumentKey(arg.expr, resolved.home)}`;
  });
  return `${block.decl.name.text}@${block.decl.span.source.path}(${args.join(",")})`;
}

/** Equal for members whose parameter has one value; what is no number is the text that it comes from. */
function argumentKey(expr: Expr, home: Frame): string {
  const e = ungroup(expr);
  const eq: Equation = { frame: home, label: "", indices: new Map(), all: [] };
  if (e.kind === "conditional") {
    const condition = home.unit.rules.evaluate(e.condition, eq);
    if (condition.kind === "static") return argumentKey(condition.value === true ? e.then : e.else, home);
  }
  const value = home.unit.rules.evaluate(e, eq);
  if (value.kind === "size") return value.dim.key;
  const known =
    value.kind === "static" ? value.value : home.label === "" ? home.unit.staticIn(e, home.known) : undefined;
  if (known !== undefined) return JSON.stringify(known, numberText);
  const members = [...home.known].filter(([index]) => mentions(e, index)).map(([index, at]) => `${index}=${at}`);
  return [spanKeyOf(e), ...members].join(" ");
}
/** What JSON has no number for, as text. */
const numberText = (_: string, v: unknown): unknown =>
  typeof v === "bigint" ? `${v}n` : typeof v === "number" && !Number.isFinite(v) ? String(v) : v;
const spanKeyOf = (e: Expr): string => `${e.span.source.path}:${e.span.start}`;
