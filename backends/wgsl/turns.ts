/**
 * Lines of a text that follow each other in turns, said once: a tile is written out place by place, and its places differ in numbers. A line
 * `//* 7 3` says that the 3 lines behind it stand there 7 times; in turn i of these, from 0 on, `{i}` stands for i, `{4i+2}` for 4 i + 2,
 * `{i?}` for nothing instead of 0, as the first of several names has no number, and `{+4i}` for ` + ` and 4 i, and for nothing instead of
 * ` + 0`, as the first of several places adds none. `runtime/webgpu/kernel-texts.ts` writes them out.
 */

/** Of a group of lines. Statements of one place are fewer. */
const mostLines = 40;

interface Line {
  /** The same for lines that differ in numbers alone. */
  readonly shape: string;
  /**
   * Its tokens: a text, the digits of a number or behind a name, or none, then digits that are added to that, or none, and so on from a text to
   * the last one.
   */
  readonly tokens: readonly string[];
  /** Braces that it opens, less those that it closes; not a number where it looks like a line of turns itself. */
  readonly opens: number;
}

/** `lines` of WGSL, where a turn has whole statements. */
export function inTurns(lines: readonly string[]): readonly string[] {
  const all = lines.map(lineOf);
  /** The fewest characters for all from a line on, and the turns that begin there. */
  const costs = new Float64Array(lines.length + 1);
  const begun: (Turns | null)[] = [];
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    costs[at] = sizeOf([lines[at] ?? ""]) + (costs[at + 1] ?? 0);
    begun[at] = null;
    for (const turns of turnsAt(all, at)) {
      const cost = sizeOf(turns.written) + (costs[at + turns.length] ?? 0);
      if (cost >= (costs[at] ?? 0)) continue;
      costs[at] = cost;
      begun[at] = turns;
    }
  }
  const out: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const turns = begun[at];
    out.push(...(turns?.written ?? [lines[at] ?? ""]));
    at += turns?.length ?? 1;
  }
  return out;
}
const sizeOf = (lines: readonly string[]): number => lines.reduce((n, line) => n + line.length + 1, 0);

interface Turns {
  /** Lines that they are. */
  readonly length: number;
  readonly written: readonly string[];
}

/** The most turns that begin there, by the lines of a turn. */
function turnsAt(all: readonly Line[], at: number): readonly Turns[] {
  const found: Turns[] = [];
  let open = 0;
  for (let size = 1; size <= mostLines && at + 2 * size <= all.length && open >= 0; size += 1) {
    open += all[at + size - 1]?.opens ?? 0;
    if (open !== 0 || all[at]?.shape !== all[at + size]?.shape) continue;
    const group = all.slice(at, at + size);
    const second = all.slice(at + size, at + 2 * size);
    const steps = group.map((line, i) => stepsOf(line, second[i]));
    let turns = 1;
    while (group.every((line, i) => isTurn(line, steps[i] ?? null, turns, all[at + turns * size + i]))) turns += 1;
    if (turns < 2) continue;
    const written = group.map((line, i) => template(line, steps[i] ?? []));
    found.push({ length: turns * size, written: [`//* ${turns} ${size}`, ...written] });
  }
  return found;
}

/** By token: what its number is more in the second; null where they differ in more than numbers, or one becomes less. */
function stepsOf(first: Line, second: Line | undefined): readonly number[] | null {
  if (second?.shape !== first.shape) return null;
  const steps = first.tokens.map((token, i) => (i % 3 === 0 ? 0 : Number(second.tokens[i]) - Number(token)));
  return steps.every((step) => step >= 0) ? steps : null;
}

function isTurn(first: Line, steps: readonly number[] | null, turn: number, line: Line | undefined): boolean {
  if (steps === null || line?.shape !== first.shape) return false;
  return first.tokens.every((token, i) => {
    const step = steps[i] ?? 0;
    return line.tokens[i] === (step === 0 ? token : String(Number(token) + turn * step));
  });
}

const template = ({ tokens }: Line, steps: readonly number[]): string =>
  tokens
    .map((token, i) => {
      const step = steps[i] ?? 0;
      const added = i % 3 === 2;
      if (step === 0) return added && token !== "" ? ` + ${token}` : token;
      const turn = `${step === 1 ? "" : step}i`;
      if (token === "") return added ? `{+${turn}}` : `{${turn}?}`;
      return `${added ? " + " : ""}{${turn}${token === "0" ? "" : `+${token}`}}`;
    })
    .join("");

/** Words and numbers, each with a whole number that is added to it, and what is between them. */
const words = /([A-Za-z_]\w*|\d[\w.]*)(?: \+ (0|[1-9]\d{0,8})(?![\w.]))?|\W+/g;
/** A name with the digits that it ends with, where there are any, and a whole number. */
const named = /^([A-Za-z_]\w*?)(0|[1-9]\d{0,8}|)$/;
const whole = /^()(0|[1-9]\d{0,8})(u?)$/;

function lineOf(text: string): Line {
  const tokens: string[] = [];
  let [before, opens] = ["", /\{\+?\d*i[?+}]/.test(text) ? Number.NaN : 0];
  for (const [part, word = "", sum = ""] of text.matchAll(words)) {
    for (const c of part) opens += c === "{" ? 1 : c === "}" ? -1 : 0;
    const [, own = "", number, behind = ""] = named.exec(word) ?? whole.exec(word) ?? [];
    if (number === undefined || (behind !== "" && sum !== "")) before += part;
    else {
      tokens.push(before + own, number, sum);
      before = behind;
    }
  }
  tokens.push(before);
  return { shape: tokens.filter((_, i) => i % 3 === 0).join("\n"), tokens, opens };
}
