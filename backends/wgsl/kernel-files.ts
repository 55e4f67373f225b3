/**
 * Files of kernels, which `runtime/webgpu/kernel-texts.ts` reads. What kernels have in common is there once: a function of several of them
 * has a section of its own, and what a variant of a kernel shares with the plain one are lines of that.
 */
import type { WgslModule } from "./module.ts";
import type { WgslFunction } from "./prelude.ts";
import { inTurns } from "./turns.ts";

/** All kernels, and the functions that several of them take. */
export const plainFile = (modules: readonly WgslModule[]): string => fileOf(modules, unbound, new Map());

/** `plain`: all modules of the plain file, those of the same kernels among them. */
export function variantFile(modules: readonly WgslModule[], plain: readonly WgslModule[]): string {
  const texts = new Map(plain.map((m) => [m.kernel.name, unbound(m)]));
  return fileOf(modules, (m) => changedLines(texts.get(m.kernel.name) ?? "", unbound(m)), sharedFunctions(plain));
}

/** What is bound has numbers in the order in which it is declared: a file does not say them. */
const unbound = ({ own }: WgslModule): string => own.replace(/^@group\(0\) @binding\(\d+\) /gm, "");

/** `known`: functions that are elsewhere. */
function fileOf(
  modules: readonly WgslModule[],
  body: (m: WgslModule) => string,
  known: ReadonlyMap<string, string>,
): string {
  const shared = new Map([...known, ...sharedFunctions(modules)]);
  const functions = [...shared].filter(([name, text]) => known.get(name) !== text);
  const sections = functions.map(([name, text]) => `//// fn ${name}\n${text}\n`);
  const kernels = byFamily(modules).map((m) => {
    const isShared = ({ name, text }: WgslFunction): boolean => shared.get(name) === text;
    const head = ["////", m.kernel.name, ...m.functions.filter(isShared).map(({ name }) => name)].join(" ");
    const own = m.functions.filter((f) => !isShared(f));
    return [`${head}\n${inTurns(body(m).split("\n")).join("\n")}`, ...own.map(({ text }) => `${text}\n`)].join("\n");
  });
  return [...sections, ...kernels].join("\n");
}

/** Kernels of one name stand together: what is alike is near, which makes files smaller where they are compressed. */
function byFamily(modules: readonly WgslModule[]): readonly WgslModule[] {
  const families = new Map<string, WgslModule[]>();
  for (const m of modules) {
    const family = m.kernel.name.replace(/_\d+$/, "");
    families.set(family, [...(families.get(family) ?? []), m]);
  }
  return [...families.values()].flat();
}

/** By name. Where texts of kernels have several functions of a name it is the one that most have. */
function sharedFunctions(modules: readonly WgslModule[]): ReadonlyMap<string, string> {
  const counts = new Map<string, Map<string, number>>();
  for (const { name, text } of modules.flatMap(({ functions }) => functions)) {
    const texts = counts.get(name) ?? new Map<string, number>();
    counts.set(name, texts.set(text, (texts.get(text) ?? 0) + 1));
  }
  const shared = new Map<string, string>();
  for (const [name, texts] of counts) {
    const most = Math.max(...texts.values());
    for (const [text, count] of texts) if (count === most && most > 1 && !shared.has(name)) shared.set(name, text);
  }
  return shared;
}

/** Runs of lines that both have are said by the numbers that they have in `from`, where that is shorter. */
export function changedLines(from: string, to: string): string {
  const [old, made] = [from.split("\n"), to.split("\n")];
  const out: string[] = [];
  let at = 0;
  for (const { first, start, length } of commonRuns(old, made)) {
    const copy = `//= ${first + 1} ${first + length}`;
    if (copy.length >= made.slice(start, start + length).join("\n").length) continue;
    out.push(...made.slice(at, start), copy);
    at = start + length;
  }
  return [...out, ...made.slice(at)].join("\n");
}

interface Run {
  /** Line of the one, and of the other. */
  readonly first: number;
  readonly start: number;
  readonly length: number;
}

/** Of a longest common subsequence of lines; what both begin and end with is part of one. */
function commonRuns(a: readonly string[], b: readonly string[]): readonly Run[] {
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const inner = innerRuns(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const runs = [
    { first: 0, start: 0, length: head },
    ...inner.map((run) => ({ ...run, first: run.first + head, start: run.start + head })),
    { first: a.length - tail, start: b.length - tail, length: tail },
  ];
  return runs.filter(({ length }) => length > 0);
}

function innerRuns(a: readonly string[], b: readonly string[]): readonly Run[] {
  const width = b.length + 1;
  /** Of a from i on and b from j on, how many lines are common. */
  const common = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const [down, right, both] = [(i + 1) * width + j, i * width + j + 1, (i + 1) * width + j + 1];
      common[i * width + j] = a[i] === b[j] ? (common[both] ?? 0) + 1 : Math.max(common[down] ?? 0, common[right] ?? 0);
    }
  const runs: Run[] = [];
  for (let [i, j] = [0, 0]; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) {
      const run = runs.at(-1);
      if (run !== undefined && run.first + run.length === i && run.start + run.length === j)
        runs[runs.length - 1] = { ...run, length: run.length + 1 };
      else runs.push({ first: i, start: j, length: 1 });
      [i, j] = [i + 1, j + 1];
    } else if ((common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0)) i += 1;
    else j += 1;
  }
  return runs;
}
