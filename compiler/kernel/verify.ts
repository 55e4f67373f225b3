/**
 * Invariants of kernels:
 *  1. A name is declared once in a kernel and used in the scope of its declaration only; builtins of subgroups only where
 *     the target has subgroups. Extents are expressions over sizes.
 *  2. Types fit: operands of equal type that the operation is defined for, bool conditions, scalar i32 indices, widths 1, 2,
 *     4, 8, 16, of an i64 1 alone and in no shared array; constants are values of their type; a loop's step is at least 1, and
 *     its body stores nothing that its bounds read; blocks and expressions nest within bounds.
 *  3. A buffer that is read is not stored to, one that is written not loaded from; one of access "both" is both. Only one that is
 *     read is in pieces, and no matrix statement reads it.
 *  4. The index of an access of w elements is provably a multiple of w, and so are the elements of a piece. Facts about sizes
 *     carry the proof.
 *  5. Barriers, reductions and matrix statements stand in uniform control flow: no condition or bound around them depends on
 *     the lane, not even through a register of an earlier turn. A load of shared memory, or of a buffer that is read and
 *     written, counts as dependent.
 *  6. Indices of registers and fragments are constants once unrolled loops are, and bounds of those are constants.
 *  7. No name is a word or function of a target, so that emitted names are the names of the IR.
 *  8. Lanes, shared bytes, fragments, i64 and ways of reducing fit the target; a reduction's width is a power of two that divides
 *     the lanes.
 *  9. Every access is provably in range, whatever the sizes are, under the loops and guards around it: in range of its piece, and
 *     the piece one that there is, where the buffer is in pieces. Sizes and extents are below 2^30, as the caller checks, so that
 *     indices do not wrap; arithmetic on what memory gives, which may be anything, counts for a proof only where it is known to be
 *     in range, and so does what is computed as i64 and converted.
 * 10. (With parts, of each by itself; side by side no other has what one writes.) Every element of a buffer is provably written by one work item at most, so that items need no order. Of a buffer of access
 *     "both" that is stored to, every load as well as every store provably is of an element of its own item, and all find their
 *     item in the same way; so a load is guarded, not clamped.
 *
 * 11. Of a kernel with a window every store to a buffer is guarded by that a piece is at hand, which is the same piece whatever the window
 *     is, as is the element: no two launches with different pieces write one element (windows.ts).
 *
 * What cannot be proved is a problem: the strategy must clamp or guard. Only the interpreter sees reads of what nobody wrote,
 * races between the lanes of an item, and divisions by zero.
 */
import type { KernelTarget } from "../target/kernel-target.ts";
import { alignmentProblems } from "./alignment.ts";
import { boundsProblems } from "./bounds.ts";
import { joinedProblems } from "./joined.ts";
import type { Kernel, Part } from "./kernel.ts";
import { type Problem, Problems } from "./problem.ts";
import { isIdentifier } from "./reserved.ts";
import { structureProblems } from "./structure.ts";
import { accessesOf } from "./symbolic.ts";
import { sharedBytes, targetProblems } from "./target-fit.ts";
import { uniformityProblems } from "./uniform.ts";
import { windowProblems } from "./windows.ts";
import { writerProblems } from "./writers.ts";

interface Proof {
  readonly kernel: Kernel;
  readonly target: KernelTarget | null;
  readonly problems: readonly Problem[];
}
/** What was found out, by body: a proof costs more than all else that is done with a kernel. */
const proofs = new WeakMap<Kernel["body"], Proof[]>();

/** Without a target all that depends on one is allowed. */
export function verify(k: Kernel, target: KernelTarget | null = null): readonly Problem[] {
  if (k.parts !== undefined) return joinedKernelProblems(k, k.parts, target);
  const found = proofs.get(k.body) ?? [];
  proofs.set(k.body, found);
  const known = found.find((p) => p.target === target && sameButForNames(p.kernel, k));
  const problems = known?.problems ?? problemsOf(k, target);
  if (known === undefined) found.push({ kernel: k, target, problems });
  return nameProblem(k, problems);
}

function joinedKernelProblems(k: Kernel, parts: readonly Part[], target: KernelTarget | null): readonly Problem[] {
  const together = new Problems();
  joinedProblems(k, together);
  const bytes = parts.reduce((sum, p) => sum + sharedBytes(p.kernel), 0);
  if (target !== null && bytes > target.sharedBytes)
    together.report(8, `${bytes} bytes of shared memory where there are ${target.sharedBytes}`);
  return nameProblem(k, [...parts.flatMap((p) => verify(p.kernel, target)), ...together.list]);
}

/** The same kernel under another name, or for another place. */
export const sameButForNames = (a: Kernel, b: Kernel): boolean =>
  a.sizes === b.sizes &&
  a.buffers === b.buffers &&
  a.grid === b.grid &&
  a.shared === b.shared &&
  a.lanes === b.lanes &&
  a.window === b.window;

/** Part of invariant 7, which no proof is made anew for. */
const nameProblem = (k: Kernel, problems: readonly Problem[]): readonly Problem[] =>
  isIdentifier(k.name) ? problems : [{ rule: 7, message: `${k.name} is no name` }, ...problems];

function problemsOf(k: Kernel, target: KernelTarget | null): readonly Problem[] {
  const structure = new Problems();
  structureProblems(k, structure);
  if (structure.list.length > 0) return structure.list; // what follows reads names and types on trust
  const problems = new Problems();
  targetProblems(k, target, problems);
  uniformityProblems(k, problems);
  const accesses = accessesOf(k, problems);
  alignmentProblems(accesses, problems);
  boundsProblems(accesses, problems);
  writerProblems(k, accesses, problems);
  windowProblems(k, problems);
  return problems.list;
}
