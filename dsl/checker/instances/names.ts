/** Names of tensors, from what is written at weights and at the parts around them. */
import type { StringLiteral } from "../../ast/nodes.ts";
import { holesOf } from "../interpolation.ts";
import { showKnown } from "../use.ts";
import type { Env } from "./env.ts";

export interface Place {
  readonly prefix: string;
  readonly indices: ReadonlyMap<string, readonly number[] | null>;
  readonly optional: string | null;
  readonly undecided: boolean;
  readonly depth: number;
}

export const joinNames = (a: string, b: string): string => (a === "" ? b : b === "" ? a : `${a}.${b}`);

/** `{L}` filled in; indices of families stay in braces. */
export function fillName(literal: StringLiteral, env: Env, index?: string): string {
  let name = literal.value;
  for (const hole of holesOf(literal)) {
    if (hole.name === index) continue;
    const value = env.scope.value(hole.name);
    if (value !== undefined)
      name = name.replaceAll(`{${hole.name}}`, typeof value === "string" ? value : showKnown(value));
  }
  return name;
}
