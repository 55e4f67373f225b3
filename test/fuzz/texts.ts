/** Hostile texts: random bytes, soups of tokens, and real files mutated. */
import { keywords } from "../../dsl/lexer/tokens.ts";
import type { Random } from "./random.ts";

const symbols = [
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  ",",
  ":",
  ":=",
  "<-",
  "..",
  ".",
  "|",
  "?",
  "??",
  "==",
  "<",
  "<=",
  "+",
  "-",
  "*",
  "/",
  "^",
  "_",
  "$",
  "~",
  "->",
  "=",
  " ",
  "\n",
  "\n  ",
  '"',
  "//",
  "///",
  "0",
  "1",
  "1e308",
  "1e999",
  "9007199254740993",
  "0.5",
  "1..9",
  "\\",
  "\u0000",
  "é",
  "𝛼",
  "\t",
  "\r\n",
  "x",
  "t",
  "s",
  "pos",
  "D",
  "T",
  "S",
  "H",
  "norm",
  "softmax",
  "sum",
  "max",
  "top",
  "at",
  "h[l + 1]",
  "x[t,d]",
  "(A, B)",
  "(A | B)",
  "std/norm",
];

export function randomText(random: Random, corpus: readonly string[]): string {
  switch (random.below(8)) {
    case 0:
      return bytes(random, "utf-8");
    case 1:
      return bytes(random, "latin1");
    case 2:
      return soup(random);
    default:
      return mutated(random, corpus);
  }
}

function bytes(random: Random, encoding: string): string {
  const data = new Uint8Array(random.below(400));
  for (let i = 0; i < data.length; i += 1) data[i] = random.below(256);
  return new TextDecoder(encoding).decode(data);
}

function soup(random: Random): string {
  let text = "";
  const count = random.below(300);
  for (let i = 0; i < count; i += 1) {
    text += random.below(3) === 0 ? `${random.pick(keywords)} ` : random.pick(symbols);
    if (random.below(4) === 0) text += " ";
  }
  return text;
}

/** A real file with a few changes, small or brutal. */
export function mutated(random: Random, corpus: readonly string[]): string {
  let text = random.pick(corpus);
  const changes = 1 + random.below(6);
  for (let i = 0; i < changes; i += 1) text = mutate(random, text, corpus);
  return text;
}

const someSpan = (random: Random, text: string, most: number): readonly [number, number] => {
  const start = random.below(text.length + 1);
  return [start, Math.min(text.length, start + random.below(most))];
};

function mutate(random: Random, text: string, corpus: readonly string[]): string {
  const [start, end] = someSpan(random, text, 40);
  const put = (inserted: string): string => text.slice(0, start) + inserted + text.slice(end);
  switch (random.below(13)) {
    case 0:
      return put("");
    case 1:
      return put(text.slice(start, end).repeat(2));
    case 2: {
      const [a, b] = someSpan(random, text, 40);
      return put(text.slice(a, b));
    }
    case 3: {
      const other = random.pick(corpus);
      return text.slice(0, start) + other.slice(random.below(other.length));
    }
    case 4:
      return put(random.pick(symbols));
    case 5:
      return put(random.pick(["(", "[", "{", "-", "not ", "- ", "x ^ ", "a ? "]).repeat(random.below(600)));
    case 6:
      return put("9".repeat(random.below(400)));
    case 7:
      return put("x".repeat(random.below(5000)));
    case 8:
      return renamed(random, text);
    case 9:
      return text.slice(0, start) + String.fromCodePoint(32 + random.below(1000)) + text.slice(start + 1);
    case 10:
      return text
        .split("\n")
        .filter(() => random.below(12) !== 0)
        .join("\n");
    case 11: {
      const lines = text.split("\n");
      const [i, j] = [random.below(lines.length), random.below(lines.length)];
      [lines[i], lines[j]] = [lines[j] ?? "", lines[i] ?? ""];
      return lines.join("\n");
    }
    default:
      return put(random.pick(keywords));
  }
}

/** One name for another, everywhere or once. */
function renamed(random: Random, text: string): string {
  const names = text.match(/[A-Za-z_]\w*/g) ?? ["x"];
  const [from, to] = [random.pick(names), random.pick(names)];
  return random.below(2) === 0 ? text.replace(from, to) : text.replaceAll(from, to);
}
