/**
 * Files of kernels. A kernel stands after a line `//// NAME` with the names of the functions that it takes, each of which stands after a
 * line `//// fn NAME`. In a variant of the plain file a line `//= A B` stands for the lines A to B of the plain kernel, from 1 on; kernels
 * that it does not have are the plain ones, with the plain functions.
 */
interface Section {
  readonly functions: readonly string[];
  readonly lines: readonly string[];
}

/** Text by kernel; undefined where a file lacks any of it. `variant`: null where that is the plain one. */
export function kernelTexts(plain: string, variant: string | null): (kernel: string) => string | undefined {
  const base = sectionsOf(plain);
  const own = variant === null ? null : sectionsOf(variant);
  return (kernel) => {
    const common = base.get(kernel);
    const changed = own?.get(kernel);
    const section = changed ?? common;
    if (section === undefined) return undefined;
    const texts: (readonly string[])[] = [];
    for (const line of section.lines) {
      const [, from, to] = (changed !== undefined && /^\/\/= (\d+) (\d+)$/.exec(line)) || [];
      const copied = from === undefined ? [line] : common?.lines.slice(Number(from) - 1, Number(to));
      if (from !== undefined && copied?.length !== Number(to) - Number(from) + 1) return undefined;
      texts.push(copied ?? []);
    }
    for (const name of section.functions) {
      const fn = (changed === undefined ? undefined : own?.get(`fn ${name}`)) ?? base.get(`fn ${name}`);
      if (fn === undefined) return undefined;
      texts.push(fn.lines);
    }
    return texts.flat().join("\n");
  };
}

function sectionsOf(file: string): ReadonlyMap<string, Section> {
  const sections = new Map<string, Section>();
  for (const part of `\n${file}`.split("\n//// ").slice(1)) {
    const [head = "", ...lines] = part.split("\n");
    const [name = "", ...functions] = head.split(" ");
    if (name === "fn") sections.set(head, { functions: [], lines });
    else sections.set(name, { functions, lines });
  }
  return sections;
}
