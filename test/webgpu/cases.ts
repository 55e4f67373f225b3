/** Kernels in text form, and which of the cases for all backends WGSL does not say. */
import { elems, type Type } from "../../compiler/kernel/elem.ts";
import type { Expr, Kernel } from "../../compiler/kernel/kernel.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { exprsOf, someExpr, walkStmts } from "../../compiler/kernel/walk.ts";

export function parsedKernel(text: string): Kernel {
  const parsed = parseKernel(text);
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column} ${parsed.message}`);
  return parsed.kernel;
}

/** Vectors of more than four lanes of 32 bits, or of more than 16 bytes. */
const isBeyond = ({ elem, width }: Type): boolean => width * elems[elem].bytes > 16;
/** An f16 may be one of 16 bits, of which there are vectors of four; conversions are of at most four lanes, too. */
const isBeyondUs = (e: Expr): boolean =>
  isBeyond(e.type) || (e.type.width > 4 && (e.type.elem === "f16" || e.kind === "convert"));
export function isTooWide(k: Kernel): boolean {
  let found = false;
  walkStmts(k.body, (s) => {
    if (s.kind === "reg" && isBeyond(s.type)) found = true;
    if (exprsOf(s).some((e) => someExpr(e, isBeyondUs))) found = true;
  });
  return found;
}
/** What goes on beside 2^31. */
export function isWrappingLoop(k: Kernel): boolean {
  let found = false;
  walkStmts(k.body, (s) => {
    if (s.kind === "loop" && s.to.kind === "const" && s.to.value + s.step > 0x7fffffff) found = true;
  });
  return found;
}
