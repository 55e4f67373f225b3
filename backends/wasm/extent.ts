/** Extents of buffers and grids, which are to be below 2³¹: an i32 that wrapped would pass for a small one. */
import type { Expr, Kernel } from "../../compiler/kernel/kernel.ts";
import { meaningOn } from "../../compiler/kernel/ops.ts";
import { WasmError } from "./wasm-error.ts";

export function extentOf(k: Kernel, e: Expr, sizes: Readonly<Record<string, number>>): number {
  const wrong = (why: string): never => {
    throw new WasmError("bad-call", k.name, `an extent ${why}`);
  };
  if (e.kind === "const") return e.value;
  if (e.kind === "name") return sizes[e.name] ?? wrong(`over ${e.name}, which is no size`);
  const meaning = e.kind === "op" ? meaningOn(e.op, "i32") : undefined;
  if (e.kind !== "op" || meaning === undefined) return wrong("that is none");
  const [a = 0, b = 0, c = 0] = e.args.map((x) => extentOf(k, x, sizes));
  const exact = e.op === "add" ? a + b : e.op === "sub" ? a - b : e.op === "mul" ? a * b : meaning(a, b, c);
  return (exact | 0) === exact ? exact : wrong(`of ${exact}`);
}
