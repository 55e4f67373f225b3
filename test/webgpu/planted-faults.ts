/** Kernels of which a driver gets one thing wrong, as changes to their text: one each. */

export interface PlantedFault {
  readonly kind: string;
  /** What stood there, and what stands there now. */
  readonly says: string;
  readonly text: string;
}

interface Change {
  readonly kind: string;
  readonly where: RegExp;
  /** What stands there then; null where that would be the same. */
  readonly to: (groups: readonly string[], whole: string) => string | null;
}

/** `to[index] = value`, of a buffer. */
const store = /^(\t*)(\w+)\[(\w+_at \+ [^\n]*)\] = ([^;\n]+);$/gm;
const changes: readonly Change[] = [
  { kind: "sign of a store", where: store, to: ([gap, to, at, value]) => `${gap}${to}[${at}] = -(${value});` },
  { kind: "store left out", where: store, to: () => "" },
  {
    kind: "store left out in one lane",
    where: store,
    to: (_, whole) => `if (index_in_group != 0u) { ${whole} }`,
  },
  { kind: "store beside", where: store, to: ([gap, to, at, value]) => `${gap}${to}[${at} + 1] = ${value};` },
  {
    kind: "sign of a product",
    where: /fma(\w*)\((\w+), (\w+), (acc_\w+)\)/g,
    to: ([type, a, b, sum]) => `fma${type}(-${a}, ${b}, ${sum})`,
  },
  {
    kind: "components in each other's place",
    where: /fma_f32x4\((\w+), (\w+), (acc_\w+)\)/g,
    to: ([a, b, sum]) => (a === b ? null : `fma_f32x4(${a}.xzyw, ${b}, ${sum})`),
  },
  {
    // Of a maximum nothing is seen but what is the greatest.
    kind: "vector beside",
    where: /(\w+)\[\((\w+_at \+ [^\n;]*)\) >> 2u\](?!;\n\t*acc\w* = max\()/g,
    to: ([from, at]) => `${from}[((${at}) >> 2u) + 1]`,
  },
  {
    kind: "element beside",
    where: /let (\w+) = (\w+)\[(\w+_at \+ [^\n;\]]*)\];/g,
    to: ([name, from, at]) => `let ${name} = ${from}[${at} + 1];`,
  },
  {
    kind: "first turn left out",
    where: /for \(var (k\w*) = ([^;]+); \1 < ([^;]+); \1 \+= (\d+)\)/g,
    to: ([k, from, end, step]) => `for (var ${k} = ${from} + ${step}; ${k} < ${end}; ${k} += ${step})`,
  },
  {
    kind: "part of a sum left out in one lane",
    where: /^(\t*)(partial_f32)\[(lane[^\]]*)\] = ([^;]+);$/gm,
    to: ([gap, to, at, value]) =>
      /^(fold_)?max_/.test(value ?? "") ? null : `${gap}${to}[${at}] = select(${value}, 0.0, lane == 0);`,
  },
  {
    kind: "row beside",
    where: /min\((\w+ \+ \d+), (size\.\w+ - 1)\)/g,
    to: ([row, last]) => `min(${row} + 1, ${last})`,
  },
  {
    kind: "row that there is not",
    where: /if \(\((\w+ \+ \d+)\) < (size\.\w+)\)/g,
    to: ([, size]) => `if (${size} > 0)`,
  },
  {
    kind: "half as much again in one lane",
    where: /^(\t*)(acc_\w+) = (fma[^\n]*);$/gm,
    to: ([, sum], whole) => `${whole} if (index_in_group == 0u) { ${sum} = ${sum} * 1.5; }`,
  },
];

/** In the function `entry`, at most so many of a kind, spread over it. */
export function plantedFaults(text: string, entry: string, most: number): readonly PlantedFault[] {
  const from = text.indexOf(`fn ${entry}(`);
  const end = text.indexOf("\n}\n", from);
  const body = text.slice(from, end);
  const inText = (changed: string): string => text.slice(0, from) + changed + text.slice(end);
  const found = changes.map(({ kind, where, to }) =>
    [...body.matchAll(where)].flatMap((m): readonly PlantedFault[] => {
      const made = to(m.slice(1), m[0]);
      if (made === null) return [];
      const changed = body.slice(0, m.index) + made + body.slice(m.index + m[0].length);
      return [{ kind, says: `${m[0].trim()} -> ${made.trim()}`, text: inText(changed) }];
    }),
  );
  const swaps = swappedRegisters(body).map((f) => ({ ...f, text: inText(f.text) }));
  return [...found, swaps].flatMap((all) => spread(all, most));
}

/** Sums of which each has the other's place where they are stored. */
function swappedRegisters(body: string): readonly PlantedFault[] {
  const names = [...body.matchAll(store)].flatMap((m) => m[4]?.match(/\bacc_\w+\b/g) ?? []);
  const registers = [...new Set(names)];
  return registers.slice(1).flatMap((b, i) => {
    const a = registers[i] ?? b;
    // Of kernels that are launched together each has its own.
    const [from, end] = [a, b].map((x) => body.search(new RegExp(`\\bvar ${x}\\b`)));
    if (body.slice(from, end).includes("}")) return [];
    const text = body.replace(store, (_, gap: string, to: string, at: string, value: string) => {
      const other = value.replace(/\bacc_\w+\b/g, (x) => (x === a ? b : x === b ? a : x));
      return `${gap}${to}[${at}] = ${other};`;
    });
    return text === body ? [] : [{ kind: "registers in each other's place", says: `${a} and ${b}`, text }];
  });
}

const spread = <T>(all: readonly T[], most: number): readonly T[] =>
  all.length <= most
    ? all
    : all.filter((_, i) => Math.floor((i * most) / all.length) !== Math.floor(((i - 1) * most) / all.length));
