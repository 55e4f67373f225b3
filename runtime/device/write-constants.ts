/** Constants of a program, to where they are in a memory. */
import type { ConstantDecl } from "../artifact/program.ts";

/** `at`: byte addresses, in the order of the constants. */
export function writeConstants(
  constants: readonly ConstantDecl[],
  buffer: ArrayBufferLike,
  at: readonly number[],
): void {
  for (const [i, { elem, values }] of constants.entries()) {
    const from = at[i] ?? 0;
    if (elem === "i64") new BigInt64Array(buffer, from, values.length).set(values.map(BigInt));
    else if (elem === "i32") new Int32Array(buffer, from, values.length).set(values);
    else new Float32Array(buffer, from, values.length).set(values);
  }
}
