/** Texts that nobody wrote: the parser answers every one, and what it accepts can be verified and printed. */
import { describe, expect, test } from "vitest";
import { parse } from "../../compiler/graph/parse.ts";
import { print } from "../../compiler/graph/print.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { type Random, seeded } from "../fuzz/random.ts";
import { randomGraph } from "./random-graph.ts";

const count = process.env["DSC_FULL"] === "1" ? 5_000 : 300;
const corpus = Array.from({ length: 40 }, (_, i) => print(randomGraph(i).graph));
const pieces = [
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  "%x",
  "%",
  "#9",
  "-",
  "1e999",
  "0.5",
  "where",
  "yield",
  "map",
  "fold",
  "sum[",
  "/ 0",
  "`",
  '"',
  "\\",
  "\n",
  "//",
  "S0",
  "T^9",
  "é",
  "\u{1F600}",
  "..",
  "inf",
  "repeat",
  "append",
  "effect",
  "state",
];

function mutated(r: Random): string {
  let text = r.pick(corpus);
  for (let i = 1 + r.below(4); i > 0; i -= 1) {
    const at = r.below(text.length + 1);
    const to = at + r.below(r.below(4) === 0 ? 200 : 8);
    switch (r.below(4)) {
      case 0:
        text = text.slice(0, at) + text.slice(to);
        break;
      case 1:
        text = text.slice(0, at) + r.pick(pieces) + text.slice(at);
        break;
      case 2:
        text = text.slice(0, at) + r.pick(pieces) + text.slice(to);
        break;
      default: {
        const from = r.pick(corpus);
        const start = r.below(from.length);
        text = text.slice(0, at) + from.slice(start, start + r.below(60)) + text.slice(at);
      }
    }
  }
  return text;
}

describe("mutated texts", () => {
  test("are read or refused, with a place inside of the text", () => {
    let read = 0;
    for (let seed = 0; seed < count; seed += 1) {
      const text = mutated(seeded(seed));
      const parsed = parse(text);
      if (parsed.ok) {
        read += 1;
        verify(parsed.graph);
        const printed = print(parsed.graph);
        const again = parse(printed);
        expect(again.ok && print(again.graph), `seed ${seed}`).toBe(printed);
      } else {
        const line = text.split("\n")[parsed.line - 1];
        if (line === undefined) expect.fail(`seed ${seed}: there is no line ${parsed.line}`);
        expect(parsed.column).toBeLessThanOrEqual(line.length + 1);
        expect(parsed.message.length).toBeGreaterThan(3);
      }
    }
    expect(read).toBeGreaterThan(count / 100); // the mutations are not all fatal
  });
});
