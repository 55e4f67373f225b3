/** What names mean at a place: values, axes, and the blocks that parameters stand for. */
import { spanText } from "../../diagnostics/source.ts";
import { type Axis, plainText, printAxis, sizeOf } from "../../types/axis.ts";
import { asNumber } from "../../types/poly.ts";
import type { BlockValue, Body } from "../context.ts";
import { substituteType } from "../headers.ts";
import { evaluateStatic, type StaticScope } from "../static.ts";

export type BlockOf = BlockValue & { kind: "block" };

export interface Env {
  readonly scope: StaticScope;
  readonly bindings: ReadonlyMap<string, Axis>;
  readonly block: (name: string) => { readonly value: BlockValue; readonly env: Env } | null;
  readonly body: Body;
}

/** Blocks in blocks, and parameters that name each other. */
export const mostDepth = 64;

export const sizeText = (axis: Axis, env: Env): string => plainText(printAxis(mapSizes(axis, env)));
export const mapSizes = (axis: Axis, env: Env): Axis => {
  const [mapped] = substituteType({ axes: [axis], element: { kind: "bool" } }, env.bindings).axes;
  return mapped ?? axis;
};

export function countOf(axis: Axis, env: Env): number | null {
  const size = sizeOf(mapSizes(axis, env));
  return size === null ? null : asNumber(size);
}

interface Resolved {
  readonly block: BlockOf;
  readonly env: Env;
  readonly condition: string;
}

/** The blocks a value may be here: one when its conditions are decided. Parameters that only name each other are none. */
export function resolve(value: BlockValue, env: Env, condition = "", depth = 0): readonly Resolved[] {
  if (depth > mostDepth) return [];
  switch (value.kind) {
    case "none":
      return [];
    case "block":
      return [{ block: value, env, condition }];
    case "opaque": {
      const passed = env.block(value.name);
      return passed === null ? [] : resolve(passed.value, passed.env, condition, depth + 1);
    }
    case "choice": {
      const truth = evaluateStatic(value.condition, env.scope);
      if (typeof truth === "boolean") return resolve(truth ? value.yes : value.no, env, condition, depth + 1);
      const text = spanText(value.condition.span).replace(/\s+/g, " ");
      return [...resolve(value.yes, env, text, depth + 1), ...resolve(value.no, env, `not (${text})`, depth + 1)];
    }
  }
}

export function blockName(value: BlockValue, env: Env): string {
  const names = resolve(value, env).map((r) => r.block.decl.name.text);
  return names.length === 0 ? "null" : [...new Set(names)].join(" | ");
}
