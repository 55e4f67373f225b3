import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endOfTextIds } from "./end-of-text.ts";
import { newStopper, type StopOptions, type StopReason } from "./stopping.ts";
import { TextError } from "./text-error.ts";
import type { IncrementalDecoder } from "./tokenizer.ts";

/** Id i is the i-th of these texts; nothing is held back. */
const decoderOf = (texts: readonly string[], atEnd = ""): IncrementalDecoder => ({
  push: (id) => texts[id] ?? "",
  end: () => atEnd,
});

interface Run {
  readonly parts: readonly string[];
  readonly stop: StopReason | null;
}

/** Pushes ids 0, 1, … until the text ends, then takes what is left. */
function run(texts: readonly string[], options: StopOptions, atEnd = ""): Run {
  const stopper = newStopper(decoderOf(texts, atEnd), options);
  const parts: string[] = [];
  for (const id of texts.keys()) {
    const { text, stop } = stopper.push(id);
    parts.push(text);
    if (stop !== null) return { parts, stop };
  }
  const rest = stopper.end().map(({ text }) => text);
  return { parts: [...parts, rest.join("")], stop: null };
}

describe("stop strings", () => {
  test("across tokens, with nothing of it shown", () => {
    expect(run(["Hi", " the", "re", "<", "|e", "nd|", "> more"], { stopStrings: ["<|end|>"] })).toEqual({
      parts: ["Hi", " the", "re", "", "", "", ""],
      stop: { kind: "stop-string", text: "<|end|>" },
    });
  });

  test("a beginning that does not go on is shown late", () => {
    expect(run(["a<", "|", "b", "<|", "<|e"], { stopStrings: ["<|end|>"] })).toEqual({
      parts: ["a", "", "<|b", "", "<|", "<|e"],
      stop: null,
    });
  });

  test("text before a stop string in the same token is shown, text after it is not", () => {
    expect(run(["one\n\ntwo"], { stopStrings: ["\n\n"] })).toEqual({
      parts: ["one"],
      stop: { kind: "stop-string", text: "\n\n" },
    });
  });

  test("a beginning inside a beginning", () => {
    expect(run(["a", "a", "a", "b", "!"], { stopStrings: ["aab"] })).toEqual({
      parts: ["", "", "a", ""],
      stop: { kind: "stop-string", text: "aab" },
    });
  });

  test("the first complete one counts, the longest of those that end together", () => {
    expect(run(["abcde"], { stopStrings: ["abcde", "bcd"] }).stop).toEqual({ kind: "stop-string", text: "bcd" });
    expect(run(["abcd"], { stopStrings: ["cd", "bcd", "d"] })).toEqual({
      parts: ["a"],
      stop: { kind: "stop-string", text: "bcd" },
    });
  });

  test("a stop string that only the flushed end completes", () => {
    expect(run(["a", "b"], { stopStrings: ["b\ufffd"], endIds: [1] }, "b\ufffd")).toEqual({
      parts: ["a", ""],
      stop: { kind: "stop-string", text: "b\ufffd" },
    });
  });

  test("any cut into tokens shows the same text and stops for the same reason", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 30 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 2, maxLength: 5 }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(letters, stops, fc.array(fc.nat(4), { minLength: 31, maxLength: 31 }), (text, stopStrings, sizes) => {
        const parts: string[] = [];
        for (let at = 0; at < text.length; at += (sizes[at] ?? 0) + 1) {
          parts.push(text.slice(at, at + (sizes[at] ?? 0) + 1));
        }
        const one = run([...text], { stopStrings });
        const other = run(parts, { stopStrings });
        expect(other.parts.join("")).toBe(one.parts.join(""));
        expect(other.stop).toEqual(one.stop);
        const shown = other.parts.join("");
        expect(stopStrings.some((stop) => shown.includes(stop))).toBe(false);
        if (one.stop === null) expect(shown).toBe(text);
        else expect(text.startsWith(shown + (one.stop.kind === "stop-string" ? one.stop.text : ""))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("other ends", () => {
  test("the end-of-text id, whose text is not shown; what was held back is", () => {
    expect(run(["a", "<|", "EOS"], { endIds: [2, 9], stopStrings: ["<|end|>"] }, "\ufffd")).toEqual({
      parts: ["a", "", "<|\ufffd"],
      stop: { kind: "end-of-text", id: 2 },
    });
  });

  test("enough tokens, the end-of-text one included", () => {
    expect(run(["a", "b<", "c"], { maxTokens: 2, stopStrings: ["<|"] })).toEqual({
      parts: ["a", "b<"],
      stop: { kind: "max-tokens", count: 2 },
    });
    expect(run(["a", "b"], { maxTokens: 2, endIds: [1] }).stop).toEqual({ kind: "end-of-text", id: 1 });
    expect(run(["a", "b"], { maxTokens: 2, stopStrings: ["b"] }).stop).toEqual({ kind: "stop-string", text: "b" });
  });

  test("nothing after the end", () => {
    const stopper = newStopper(decoderOf(["a"]), { maxTokens: 1 });
    stopper.push(0);
    expect(() => stopper.push(0)).toThrow(TextError);
    expect(stopper.end()).toEqual([]);
  });

  test.each<StopOptions>([
    { maxTokens: 0 },
    { maxTokens: 1.5 },
    { maxTokens: Number.NaN },
    { stopStrings: [""] },
    { stopStrings: ["x".repeat(1025)] },
    { stopStrings: Array.from({ length: 65 }, () => "x") },
  ])("impossible options are refused, case %#", (options) => {
    expect(() => newStopper(decoderOf([]), options)).toThrow(TextError);
  });
});

describe("end-of-text ids", () => {
  test("generation_config.json, then config.json, then the fallback", () => {
    const generationConfig = '{"eos_token_id": [1, 106]}';
    const config = '{"eos_token_id": 2}';
    expect(endOfTextIds({ generationConfig, config, fallback: [3] })).toEqual([1, 106]);
    expect(endOfTextIds({ generationConfig: "{}", config, fallback: [3] })).toEqual([2]);
    expect(
      endOfTextIds({ generationConfig: '{"eos_token_id": null}', config: '{"eos_token_id": []}', fallback: [3] }),
    ).toEqual([3]);
    expect(endOfTextIds({ config: '{"eos_token_id": 0}', fallback: [3] })).toEqual([0]);
    expect(endOfTextIds({})).toEqual([]);
  });

  test.each([
    ['{"eos_token_id": "1"}', "$.eos_token_id of config.json: expected a number"],
    ['{"eos_token_id": [-1]}', "$.eos_token_id of config.json[0]: expected an integer"],
    ['{"eos_token_id": 4e9}', "is beyond"],
    ["[]", "expected an object"],
    ["{", "not JSON"],
  ])("%s is refused", (config, message) => {
    expect(() => endOfTextIds({ config })).toThrow(TextError);
    expect(() => endOfTextIds({ config })).toThrow(message);
  });
});
