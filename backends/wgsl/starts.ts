/** Where buffers of kernels start in what is bound, as far as a program's steps say for all calls. */

import type { Kernel } from "../../compiler/kernel/kernel.ts";
import type { Binding, Call, Program, SizeExpr, StateDecl, Step } from "../../runtime/artifact/program.ts";
import { accessesIn } from "./accesses.ts";

/** Elements at a multiple of which everything starts that has memory of its own: buffers, weights, and copies of a state. */
const place = 16;

/** By kernel: whether each of its buffers starts at a multiple of its widest access in all calls of it. */
export function startAtVectors(program: Program, kernels: readonly Kernel[]): readonly boolean[] {
  const widths = kernels.map((k) => {
    const accesses = accessesIn(k);
    return k.buffers.map(({ name }) => {
      const { loads = [], stores = [] } = accesses.get(name) ?? {};
      return Math.max(1, ...loads.map((t) => t.width), ...stores.map((t) => t.width));
    });
  });
  const fits = kernels.map(() => true);
  for (const call of program.phases.flatMap((p) => callsIn(p.steps))) {
    const wide = widths[call.kernel] ?? [];
    const all = call.buffers.every((b, i) => startOf(b, program.states) % (wide[i] ?? 1) === 0);
    if (!all) fits[call.kernel] = false;
  }
  return fits;
}

const callsIn = (steps: readonly Step[]): readonly Call[] =>
  steps.flatMap((s) => (s.kind === "call" ? [s] : callsIn(s.body)));

/** What the element where it starts is a multiple of; 0 of 0. */
function startOf(b: Binding, states: readonly StateDecl[]): number {
  if (b.kind !== "state") return multipleOf(b.offset ?? 0);
  const row = multipleOf(b.row) * (states[b.state]?.row ?? 1);
  return b.copy === 0 ? row : gcd(row, place);
}

/** The greatest number that a size is known to be a multiple of; 0 of 0. */
export function multipleOf(e: SizeExpr): number {
  if (typeof e === "number") return e;
  if (typeof e === "string") return 1;
  const [operator, left, right] = e;
  const [a, b] = [multipleOf(left), multipleOf(right)];
  if (operator === "*") return a * b;
  return operator === "/" ? 1 : gcd(a, b);
}
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
