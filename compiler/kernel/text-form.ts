/** What printer and parser of the kernel's text form share. */
import type { BufferAccess } from "./kernel.ts";
import { type OpName, opNames, ops } from "./ops.ts";

export interface Infix {
  readonly op: OpName;
  readonly level: number;
}
export const infixes: ReadonlyMap<string, Infix> = new Map(
  opNames.flatMap((op) => {
    const { infix } = ops[op];
    return infix === null ? [] : [[infix.sign, { op, level: infix.level }] as const];
  }),
);
/** The first word of a buffer's declaration. */
export const accessWords: Readonly<Record<BufferAccess, string>> = { read: "read", write: "write", both: "update" };
/** Deeper expressions and blocks are refused, so that walks over them may recurse. */
export const mostNesting = 200;
export const mostBlocks = 60;
