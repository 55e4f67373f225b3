/** Calls: what a name in front of parentheses is, and parts and members of families in their places. */
import type { Expr } from "../../dsl/ast/nodes.ts";
import { isReduction } from "../../dsl/checker/builtins.ts";
import { lookup, type PartInfo, type Static } from "../../dsl/checker/context.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import type { Axis as CheckerAxis } from "../../dsl/types/axis.ts";
import type { Dim } from "../graph/dim.ts";
import { asSize } from "./arithmetic.ts";
import { blockKey, knowing, resolve, settingsOf } from "./block-value.ts";
import { ElaborationError, type Equation, type Frame, type LayerCall, type Stack } from "./context.ts";
import { core, reduction } from "./core-call.ts";
import { callDeclaration } from "./declaration-call.ts";
import { joinLabels, labelIn, outside } from "./labels.ts";
import { layoutFromChecker, sizeIn } from "./layout-from.ts";
import { limits } from "./limits.ts";
import { top } from "./set.ts";
import { asTensor, type Tensor, type Value } from "./value.ts";
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

/** `norm(x[t])`, `expert[e](x)`, `layer[l](h[l], pos)` */
function callPart(name: string, member: Expr | null, expr: CallNode, eq: Equation): Value {
  const { frame } = eq;
  const { part, owner } = partNamed(name, frame, expr);
  const plain = (): Value => callBlock(part, owner, { expr, eq, known: new Map(), stacks: [], naming: owner });
  if (member === null || part.family === null) return plain();
  const value = frame.unit.rules.evaluate(member, eq);
  const at = asSize(value);
  const known = at === null ? null : frame.unit.number(at);
  const { index, axis } = part.family;
  if (known !== null) {
    const one: ReadonlyMap<string, Static> = new Map([[index, BigInt(known)]]);
    const run = { suffix: String(known), members: [known] };
    return callBlock(part, owner, { expr, eq, known: one, stacks: [], run, naming: knowing(owner, one) });
  }
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
  const stacks: readonly Stack[] = [{ hole: index, members, size, at: () => tensor.at([]) }];
  return callBlock(part, owner, { expr, eq, known: new Map(), stacks, naming: owner });
}

export function partNamed(name: string, frame: Frame, expr: Expr): { part: PartInfo; owner: Frame } {
  for (let at: Frame | null = frame; at !== null; at = at.outer) {
    const part = at.info.body.parts.get(name);
    if (part !== undefined) return { part, owner: at };
  }
  throw new ElaborationError(`no part \`${name}\``, expr.span);
}

const familySize = (axis: CheckerAxis, owner: Frame): Dim => sizeIn(layoutFromChecker(axis, owner));

/** How one call of a part is placed: which member it is, or along which stacks its members lie. */
interface PartCall {
  readonly expr: CallNode;
  readonly eq: Equation;
  /** Indices of families that are known. */
  readonly known: ReadonlyMap<string, Static>;
  readonly stacks: readonly Stack[];
  /** What is added to the part's name in labels, and the members that this stands for. */
  readonly run?: { readonly suffix: string; readonly members: readonly number[] };
  /** The frame in which the name of the tensors is filled in: a stack's hole stays in it. */
  readonly naming: Frame;
  readonly carried?: { readonly argument: number; readonly value: Tensor };
}

function callBlock(part: PartInfo, owner: Frame, { expr, eq, known, stacks, run, naming, carried }: PartCall): Value {
  const resolved = resolve(part.block, knowing(owner, known));
  if (resolved === null) throw new ElaborationError("this block is null here", expr.span);
  const info = eq.frame.unit.declared(resolved.block.decl);
  const family = joinLabels(owner.label, part.decl.name.text);
  const label = `${family}${run?.suffix ?? ""}`;
  if (run !== undefined) owner.unit.runs.set(label, { family, members: run.members });
  const inherited = owner.prefix === "" ? owner.unit.prefixOf(part.decl) : "";
  return callDeclaration(info, expr, eq, {
    label,
    prefix: joinLabels(inherited, placedPrefix(naming, part.decl.at)),
    stacks: [...owner.stacks, ...stacks],
    settings: settingsOf(resolved.block),
    home: resolved.home,
    expression: null,
    ...(carried === undefined ? {} : { carried }),
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
  const [first = 0] = stack.members;
  const hole = part.family?.index ?? index;
  const all = part.family === null ? null : frame.unit.number(familySize(part.family.axis, owner));
  return callBlock(part, owner, {
    expr: family.expr,
    eq: outside(frame, family.part),
    known: new Map([[hole, BigInt(first)]]),
    stacks: [{ ...stack, hole }],
    run: { suffix: stack.members.length === all ? "" : String(first), members: stack.members },
    naming: owner,
    carried: { argument: family.carried, value: carried },
  });
}

/** What a member of a family is, its tensors aside: equal for members that can share kernels. */
export function memberKey(family: LayerCall, frame: Frame, index: string, member: number): string {
  const { part, owner } = partNamed(family.part, frame, family.expr);
  return blockKey(part.block, knowing(owner, new Map([[part.family?.index ?? index, BigInt(member)]])));
}
