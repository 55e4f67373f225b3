/** JSON with a few values changed, taken away, doubled or put elsewhere, so that most results still parse. */
import type { Random } from "./random.ts";

export function mutatedJson(random: Random, text: string): string {
  let value: unknown = JSON.parse(text);
  const changes = 1 + random.below(4);
  for (let i = 0; i < changes; i += 1) value = changed(random, value, value);
  return JSON.stringify(value) ?? "null";
}

/** Values of every kind that a reader may trip over. */
const odd: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  -0,
  258,
  4_194_303,
  4_194_304,
  4e9,
  2 ** 53,
  1e308,
  "",
  " ",
  "a",
  "$&",
  "(",
  "[",
  "\\",
  "\\p{L}+",
  "a|",
  "(?=a)",
  "x{0}",
  "(?i:a)",
  "[^\\s]",
  "▁",
  "\ud800",
  "Ġ",
  "<bos>",
  "Sequence",
  "ByteLevel",
  "Replace",
  "Metaspace",
  "Punctuation",
  "Digits",
  "NFKC",
  "Lowercase",
  "Removed",
  "x".repeat(5000),
  [],
  [[]],
  {},
  ["a", "b"],
  { type: "NFC" },
  { type: "Strip", content: " ", start: 2, stop: 0 },
  { String: "a" },
  { Regex: "b*" },
];

/** Goes down to a random place and changes what is there. */
function changed(random: Random, value: unknown, whole: unknown): unknown {
  const isContainer = typeof value === "object" && value !== null;
  if (!isContainer || random.below(8) === 0) return replacement(random, value, whole);
  const entries = Object.entries(value);
  if (entries.length === 0) return random.pick(odd);
  const at = random.below(entries.length);
  const [key, inner] = entries[at] ?? ["", undefined];
  switch (random.below(12)) {
    case 0:
      entries.splice(at, 1);
      break;
    case 1:
      entries.splice(random.below(entries.length), 0, [key, inner]);
      break;
    case 2:
      entries[at] = [entries[random.below(entries.length)]?.[0] ?? "", inner];
      break;
    case 3:
      entries[at] = [String(random.pick(odd)), inner];
      break;
    default:
      entries[at] = [key, changed(random, inner, whole)];
  }
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}

function replacement(random: Random, value: unknown, whole: unknown): unknown {
  switch (random.below(4)) {
    case 0:
      return somewhere(random, whole);
    case 1:
      return [value];
    default:
      return random.pick(odd);
  }
}

function somewhere(random: Random, whole: unknown): unknown {
  let value = whole;
  while (typeof value === "object" && value !== null && random.below(4) !== 0) {
    const values = Object.values(value);
    if (values.length === 0) break;
    value = random.pick(values);
  }
  return value;
}
