/**
 * Files of kernels. A kernel stands after a line `//// NAME` with the names of the functions that it takes, each of which stands after a
 * line `//// fn NAME`. A line `//* 7 3` says that the 3 lines behind it stand there 7 times (backends/wgsl/turns.ts). In a variant of the plain
 * file a line `//= A B` stands for the lines A to B of the plain kernel, from 1 on; kernels that it does not have are the plain ones, with
 * the plain functions. What is bound has the numbers of group 0 in the order in which it is declared.
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
    return bound(texts.flat()).join("\n");
  };
}

function bound(lines: readonly string[]): readonly string[] {
  let binding = 0;
  return lines.map((line) =>
    /^var<(?:storage|uniform)\b/.test(line) ? `@group(0) @binding(${binding++}) ${line}` : line,
  );
}

function sectionsOf(file: string): ReadonlyMap<string, Section> {
  const sections = new Map<string, Section>();
  for (const part of `\n${file}`.split("\n//// ").slice(1)) {
    const [head = "", ...lines] = part.split("\n");
    const [name = "", ...functions] = head.split(" ");
    if (name === "fn") sections.set(head, { functions: [], lines });
    else sections.set(name, { functions, lines: inFull(lines) });
  }
  return sections;
}

/** With turns written out. */
function inFull(lines: readonly string[]): readonly string[] {
  const out: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const [, turns, size] = /^\/\/\* (\d{1,4}) (\d{1,2})$/.exec(line) ?? [];
    if (turns === undefined) {
      out.push(line);
      continue;
    }
    const group = lines.slice(at + 1, at + 1 + Number(size));
    for (let turn = 0; turn < Number(turns); turn += 1)
      for (const one of group)
        out.push(
          one.replace(/\{(\+?)(\d*)i(\?|\+\d+)?\}/g, (_, plus: string, step: string, first: string | undefined) => {
            const number = turn * Number(step || 1);
            if (plus !== "") return number === 0 ? "" : ` + ${number}`;
            return first === "?" ? `${number || ""}` : `${number + Number(first ?? 0)}`;
          }),
        );
    at += group.length;
  }
  return out;
}
