/** From the place of a call into the block that it calls. */
import { plainAxis, sizeOf } from "../../types/axis.ts";
import { asConstant, constant, type Poly } from "../../types/poly.ts";
import type { DeclInfo, PartInfo, Value } from "../context.ts";
import { newEquation } from "../equation-context.ts";
import { type Bindings, solveAxis, substitutePoly, substituteType } from "../headers.ts";
import { fillDefaults } from "../part-calls.ts";
import { evaluateStatic, isPoly, type Known, type StaticScope } from "../static.ts";
import { type BlockOf, type Env, mapSizes, resolve } from "./env.ts";

/** The block's own names at this place. */
export function enter(decl: DeclInfo, block: BlockOf, home: Env, info: PartInfo, caller: Env): Env {
  const header = decl.header;
  const bindings: Bindings = new Map();
  for (const [name, arg] of block.args) {
    if (arg.axis !== null) bindings.set(name, mapSizes(arg.axis, home));
    else if (arg.value.poly !== null) {
      const known = arg.expr === null ? undefined : evaluateStatic(arg.expr, home.scope);
      const size: Poly = typeof known === "bigint" ? constant(known) : substitutePoly(arg.value.poly, home.bindings);
      bindings.set(name, plainAxis(size));
    }
    // A size that depends on a family's index is evaluated where the index is known.
    if (arg.expr !== null && (arg.axis !== null || arg.value.poly !== null)) {
      const known = evaluateStatic(arg.expr, home.scope);
      if (typeof known === "bigint") bindings.set(name, plainAxis(constant(known)));
      else if (isPoly(known)) bindings.set(name, plainAxis(known));
    }
  }
  const eq = newEquation({ ...caller.body, quiet: true, deferred: [] }, block.span);
  if (header !== null) {
    for (const setting of header.settings) {
      const given = block.args.get(setting.name);
      if (given === undefined) continue;
      const type = substituteType({ axes: given.value.axes, element: given.value.element }, home.bindings);
      setting.type.axes.forEach((pattern, i) => {
        const actual = type.axes[i];
        if (actual !== undefined) solveAxis(pattern, actual, header.sizes, bindings, eq);
      });
    }
    for (const param of header.params) {
      const given = info.args.get(param.name);
      if (given === undefined) continue;
      const type = substituteType(given, caller.bindings);
      param.type.axes.forEach((pattern, i) => {
        const actual = type.axes[i];
        if (actual !== undefined) solveAxis(pattern, actual, header.sizes, bindings, eq);
      });
      if (param.type.element.kind === "index" && type.element.kind === "index") {
        solveAxis(param.type.element.of, type.element.of, header.sizes, bindings, eq);
      }
    }
    fillDefaults(header, bindings);
  }
  const memo = new Map<string, Known>();
  const scope: StaticScope = {
    value: (name) => {
      if (memo.has(name)) return memo.get(name);
      memo.set(name, undefined);
      const value = ownValue(name, decl, block, home, bindings, scope);
      memo.set(name, value);
      return value;
    },
    fn: home.scope.fn,
    config: () => undefined,
    facts: home.scope.facts,
  };
  return {
    scope,
    bindings,
    body: caller.body,
    block: (name) => {
      const value = block.args.get(name)?.value.block ?? null;
      return value === null ? null : { value, env: home };
    },
  };
}

const aBlock: Known = { kind: "list", items: [] };

function ownValue(
  name: string,
  decl: DeclInfo,
  block: BlockOf,
  home: Env,
  bindings: Bindings,
  scope: StaticScope,
): Known {
  const arg = block.args.get(name);
  if (arg?.value.block != null) {
    const found = resolve(arg.value.block, home);
    return found.length === 0 ? null : aBlock;
  }
  const evaluated = arg?.expr == null ? undefined : evaluateStatic(arg.expr, home.scope);
  if (evaluated === null) return null; // a size that config.json says there is none of
  const axis = bindings.get(name);
  const size = axis === undefined ? null : sizeOf(axis);
  if (size !== null) return asConstant(size) ?? size;
  if (arg !== undefined) return evaluated === undefined ? constantOf(arg.value) : evaluated;
  const setting = decl.header?.settings.find((s) => s.name === name);
  return setting?.node.default == null ? undefined : evaluateStatic(setting.node.default, scope);
}

const constantOf = (value: Value): Known => (value.element.kind === "null" ? null : value.constant);
