/** Invariant 8, and builtins of subgroups of invariant 1: whether a kernel fits a target. */
import type { KernelTarget } from "../target/kernel-target.ts";
import { elems } from "./elem.ts";
import { type Frag, type Kernel, type Stmt, subgroupNames } from "./kernel.ts";
import type { Problems } from "./problem.ts";
import { exprsOf, someExpr, walkStmts } from "./walk.ts";

const isPowerOfTwo = (x: number): boolean => Number.isSafeInteger(x) && x >= 1 && Number.isInteger(Math.log2(x));

/** Of one item. */
export const sharedBytes = (k: Kernel): number => k.shared.reduce((sum, s) => sum + s.size * elems[s.elem].bytes, 0);

export function targetProblems(k: Kernel, target: KernelTarget | null, problems: Problems): void {
  const bytes = sharedBytes(k);
  if (target !== null) {
    if (k.lanes > 1 && target.lanes === 1) problems.report(8, `${k.lanes} lanes on a target without lanes`);
    if (bytes > target.sharedBytes)
      problems.report(8, `${bytes} bytes of shared memory where there are ${target.sharedBytes}`);
  }
  walkStmts(k.body, (s) => {
    const subgroups: readonly string[] = subgroupNames;
    const uses = exprsOf(s).some((x) => someExpr(x, (e) => e.kind === "name" && subgroups.includes(e.name)));
    if (uses && target !== null && target.subgroup === null) problems.report(1, "the target has no subgroups");
    if (target !== null && !target.i64 && usesWide(s)) problems.report(8, `${s.kind}: the target has no i64`);
    if (s.kind === "reduce") reduceProblems(k, s, target, problems);
    if (s.kind === "frag" && target !== null) fragProblems(s, target, problems);
  });
}

const usesWide = (s: Stmt): boolean =>
  (s.kind === "reg" && s.type.elem === "i64") || exprsOf(s).some((x) => someExpr(x, (e) => e.type.elem === "i64"));

function reduceProblems(
  k: Kernel,
  s: Extract<Stmt, { kind: "reduce" }>,
  target: KernelTarget | null,
  problems: Problems,
): void {
  const fail = (why: string): void => problems.report(8, `reduce ${s.name} over ${s.width} lanes: ${why}`);
  if (!isPowerOfTwo(s.width) || k.lanes % s.width !== 0) fail(`no power of two that divides ${k.lanes}`);
  if (s.how === "any" || target === null) return;
  if (target.subgroup === null) fail("the target has no subgroups");
  else if (s.how === "cluster" && s.width > target.subgroup.min)
    fail(`subgroups may have ${target.subgroup.min} lanes only`);
}

function fragProblems(s: Frag, target: KernelTarget, problems: Problems): void {
  const unit = target.matrixUnit;
  if (unit === null) return problems.report(8, `fragment ${s.name}: the target has no matrix unit`);
  const shape = { a: [unit.m, unit.k], b: [unit.n, unit.k], d: [unit.m, unit.n] }[s.role];
  const elem = s.role === "d" ? "f32" : unit.elem;
  if (s.rows !== shape[0] || s.columns !== shape[1] || s.elem !== elem)
    problems.report(8, `fragment ${s.name}: the unit has ${elem}[${shape.join(", ")}]`);
}
