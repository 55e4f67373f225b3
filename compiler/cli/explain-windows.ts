/** What `dsc explain` says of weights that are larger than what every adapter binds: which are bound in windows, and which cannot be. */
import type { Phase, Program, Step } from "../../runtime/artifact/program.ts";
import { evalSize } from "../../runtime/artifact/size-expr.ts";
import { inWindows, windowsOf } from "../../runtime/webgpu/windows.ts";
import type { CompileTarget } from "../driver/compile.ts";
import { elems } from "../kernel/elem.ts";
import { byteText } from "../package/number-words.ts";

/** Empty where all are bound whole. */
export function windowsText(program: Program, { kernel: { windowBytes } }: CompileTarget): string {
  if (windowBytes === null) return "";
  const limits = { binding: windowBytes, buffer: 2 * windowBytes };
  const split = inWindows(program, limits);
  const windows = [...windowsOf(program, limits)].sort(([, a], [, b]) => b - a);
  const lines: string[] = [];
  if (windows.length > 0) {
    const some = windows.slice(0, most).map(([weight, count]) => `${weight} ${count}`);
    const others = windows.length > most ? `, and ${windows.length - most} more` : "";
    const counts = program.phases.flatMap((phase, i): readonly string[] => {
      const [whole, inParts] = [phase, split.phases[i]].map((p) => (p === undefined ? 0 : launchesIn(p)));
      return phase.from === 1 && phase.to === 1 && inParts !== whole
        ? [`${phase.name} takes ${inParts} launches in place of ${whole}`]
        : [];
    });
    lines.push(
      `windows of weights where a binding holds ${byteText(windowBytes)}: ${some.join(", ")}${others}${counts.length === 0 ? "" : `; there ${counts.join(", ")}`}`,
    );
  }
  const [first, ...more] = tooLarge(split, windowBytes);
  if (first !== undefined) {
    const others = more.length > 0 ? `, and ${more.length} more` : "";
    const [weight, bytes] = first;
    lines.push(
      `needs bindings of ${byteText(bytes)} for ${weight}${others}: not every adapter has more than ${byteText(windowBytes)}`,
    );
  }
  return lines.map((line) => `${line}\n`).join("");
}
/** Weights that are named. */
const most = 4;

/** Where a token is sampled; at temperature 0 they are fewer. */
const launchesIn = ({ steps }: Phase): number => {
  const count = (all: readonly Step[]): number => all.reduce((n, s) => n + timesOf(s), 0);
  const timesOf = (s: Step): number => (s.kind === "repeat" ? s.count * count(s.body) : s.choice === "greedy" ? 0 : 1);
  return count(steps);
};

/** Weights of which a launch is given more, with the most that is; the largest first. */
function tooLarge({ phases, kernels, weights }: Program, binding: number): readonly (readonly [string, number])[] {
  const found = new Map<string, number>();
  const visit = (steps: readonly Step[]): void => {
    for (const s of steps) {
      if (s.kind === "repeat") {
        visit(s.body);
        continue;
      }
      const { buffers = [], sizes = [] } = kernels[s.kernel] ?? {};
      for (const [i, b] of s.buffers.entries()) {
        const [buffer, decl] = [buffers[i], b.kind === "weight" ? weights[b.weight] : undefined];
        if (buffer === undefined || decl === undefined) continue;
        const bytes = elems[buffer.elem].bytes * (knownSize(buffer.extent, sizes, s.sizes) ?? 0);
        if (bytes > binding) found.set(decl.name, Math.max(found.get(decl.name) ?? 0, bytes));
      }
    }
  };
  for (const p of phases) visit(p.steps);
  return [...found].sort(([, a], [, b]) => b - a);
}

/** Null where a call decides it. */
function knownSize(
  extent: Parameters<typeof evalSize>[0],
  names: readonly string[],
  given: readonly unknown[],
): number | null {
  try {
    return evalSize(extent, (n) => {
      const value = given[names.indexOf(n)];
      return typeof value === "number" ? value : undefined;
    });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
