/** What names in expressions of a call mean. */
import { CorruptPackageError } from "../artifact/errors.ts";
import type { Phase, Program, SizeExpr } from "../artifact/program.ts";
import { programFile } from "../artifact/read-value.ts";
import type { ValueBuilder, ValueId } from "./values.ts";

export function callScope(
  { sizes, tokens, before }: Program,
  builder: ValueBuilder,
  tokensId: ValueId,
  beforeId: ValueId,
): Map<string, ValueId> {
  const scope = new Map(Object.entries(sizes).map(([name, value]) => [name, builder.constant(value)] as const));
  scope.set(tokens, tokensId);
  scope.set(before, beforeId);
  return scope;
}

/** The number of elements. */
export const product = (dims: readonly SizeExpr[]): SizeExpr =>
  dims.reduce<SizeExpr>((n, d) => (n === 1 ? d : ["*", n, d]), 1);

/** Errors of arithmetic on sizes are those of the file. */
export function refusing<T>(phase: Phase, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError)
      throw new CorruptPackageError(programFile, `phase ${phase.name}: ${error.message}`);
    throw error;
  }
}
