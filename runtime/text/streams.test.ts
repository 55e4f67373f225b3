import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newStopper } from "./stopping.ts";
import { newStreamSplitter, type Stream, type StreamPiece, type StreamStart, startAfter } from "./streams.ts";

const tags = { open: "<think>", close: "</think>" };

/** Pieces of one stream that are neighbours count as one. */
function joined(pieces: readonly StreamPiece[]): readonly (readonly [Stream | null, string])[] {
  const out: [Stream | null, string][] = [];
  for (const { stream, text } of pieces) {
    const last = out.at(-1);
    if (last?.[0] === stream) last[1] += text;
    else out.push([stream, text]);
  }
  return out;
}

function split(parts: readonly string[], start: StreamStart = "open"): readonly StreamPiece[] {
  const splitter = newStreamSplitter(tags, start);
  return [...parts.flatMap((part) => splitter.push(part)), ...splitter.end()];
}

/** What the whole text is made of, told by patterns instead of character by character. */
function expected(text: string, start: StreamStart): readonly (readonly [Stream | null, string])[] {
  if (start === "answer") return text === "" ? [] : [["answer", text]];
  const [opened] = /^\s*<think>/.exec(text) ?? [];
  const [closed] = /^\s*<\/think>/.exec(text) ?? [];
  const tag = opened ?? closed ?? "";
  const rest = text.slice(tag.length);
  const reasons = opened !== undefined || (closed === undefined && start === "reasoning");
  const [, reasoning = "", close = "", answer = ""] = reasons
    ? (/^(.*?)(?:(<\/think>)(.*))?$/s.exec(rest) ?? [])
    : ["", "", "", rest];
  const pieces: readonly StreamPiece[] = [
    { stream: null, text: tag },
    { stream: "reasoning", text: reasoning },
    { stream: null, text: close },
    { stream: "answer", text: answer },
  ];
  return joined(pieces.filter((piece) => piece.text !== ""));
}

describe("streams", () => {
  test.each<
    readonly [name: string, text: string, start: StreamStart, pieces: readonly (readonly [Stream | null, string])[]]
  >([
    [
      "both tags",
      "<think>\nHm.\n</think>\n\n4",
      "open",
      [
        [null, "<think>"],
        ["reasoning", "\nHm.\n"],
        [null, "</think>"],
        ["answer", "\n\n4"],
      ],
    ],
    [
      "blanks before the tag",
      " \n<think>a</think>b",
      "open",
      [
        [null, " \n<think>"],
        ["reasoning", "a"],
        [null, "</think>"],
        ["answer", "b"],
      ],
    ],
    ["no reasoning at all", " 4 <think>", "open", [["answer", " 4 <think>"]]],
    [
      "a prompt that has opened it",
      "Hm.</think>4",
      "reasoning",
      [
        ["reasoning", "Hm."],
        [null, "</think>"],
        ["answer", "4"],
      ],
    ],
    [
      "which the model repeats",
      "<think>Hm.</think>4",
      "reasoning",
      [
        [null, "<think>"],
        ["reasoning", "Hm."],
        [null, "</think>"],
        ["answer", "4"],
      ],
    ],
    [
      "and closes at once",
      "\n\n</think>4",
      "reasoning",
      [
        [null, "\n\n</think>"],
        ["answer", "4"],
      ],
    ],
    ["a prompt that has closed it", "<think>4</think>", "answer", [["answer", "<think>4</think>"]]],
    [
      "never closed",
      "<think>Hm. </thin",
      "open",
      [
        [null, "<think>"],
        ["reasoning", "Hm. </thin"],
      ],
    ],
    [
      "tags in the answer",
      "<think></think>say <think> and </think>",
      "open",
      [
        [null, "<think></think>"],
        ["answer", "say <think> and </think>"],
      ],
    ],
    [
      "an opening tag in reasoning",
      "<think>a<think>b</think>c",
      "open",
      [
        [null, "<think>"],
        ["reasoning", "a<think>b"],
        [null, "</think>"],
        ["answer", "c"],
      ],
    ],
    ["blanks only", " \n", "open", [["answer", " \n"]]],
    ["a beginning of a tag only", "<thi", "open", [["answer", "<thi"]]],
    ["nothing", "", "reasoning", []],
  ])("%s", (_name, text, start, pieces) => {
    expect(joined(split([text], start))).toEqual(pieces);
    expect(joined(split([...text], start))).toEqual(pieces);
  });

  test("text is held back only while it may be a tag", () => {
    const splitter = newStreamSplitter(tags);
    expect(splitter.push("<th")).toEqual([]);
    expect(splitter.push("ink>Hm<")).toEqual([
      { stream: null, text: "<think>" },
      { stream: "reasoning", text: "Hm" },
    ]);
    expect(splitter.push("/")).toEqual([]);
    expect(splitter.push("b")).toEqual([{ stream: "reasoning", text: "</b" }]);
    expect(splitter.push("</think>4<")).toEqual([
      { stream: null, text: "</think>" },
      { stream: "answer", text: "4<" },
    ]);
  });

  test("any cut gives the same streams, and the pieces are the text", () => {
    const unit = fc.constantFrom("<think>", "</think>", "<", "/", "think>", "</thi", " ", "\n", "a", "b");
    const text = fc.array(unit, { maxLength: 12 }).map((parts) => parts.join(""));
    const start = fc.constantFrom<StreamStart>("open", "reasoning", "answer");
    fc.assert(
      fc.property(text, start, fc.array(fc.nat(5), { minLength: 100, maxLength: 100 }), (whole, begin, sizes) => {
        const parts: string[] = [];
        for (let at = 0; at < whole.length; ) {
          const size = (sizes[parts.length] ?? 0) + 1;
          parts.push(whole.slice(at, at + size));
          at += size;
        }
        const pieces = split(parts, begin);
        expect(pieces.map((piece) => piece.text).join("")).toBe(whole);
        expect(pieces.every((piece) => piece.text !== "")).toBe(true);
        expect(joined(pieces)).toEqual(expected(whole, begin));
      }),
      { numRuns: 3000 },
    );
  });

  test.each<readonly [prompt: string, start: StreamStart]>([
    ["<｜User｜>2+2<｜Assistant｜><think>\n", "reasoning"],
    ["<｜User｜>2+2<｜Assistant｜><think>", "reasoning"],
    ["<｜User｜>2+2<｜Assistant｜></think>", "answer"],
    ["<｜User｜>2+2<｜Assistant｜><think>\n</think>", "answer"],
    ["<｜User｜>what is <think>?<｜Assistant｜>", "open"],
    ["", "open"],
  ])("where the prompt %j leaves it", (prompt, start) => {
    expect(startAfter(prompt, tags)).toBe(start);
  });
});

interface Recorded {
  readonly inputs: Readonly<Record<string, { readonly enable_thinking?: boolean }>>;
  readonly expected: readonly { readonly template: string; readonly input: string; readonly text: string }[];
}
const folder = process.env["DSC_TEST_DATA"];
const path = folder === undefined ? undefined : join(folder, "data/chat-templates/cases.json");
const recorded: Recorded | undefined =
  path !== undefined && existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;

describe.skipIf(recorded === undefined)("prompts of published templates (skipped without DSC_TEST_DATA)", () => {
  const opens = /R1-Distill|V3\.1/;
  test.each(recorded?.expected ?? [])("$template, $input", ({ template, input, text }) => {
    const thinks = recorded?.inputs[input]?.enable_thinking === true;
    expect(startAfter(text, tags)).toBe(opens.test(template) ? (thinks ? "reasoning" : "answer") : "open");
  });
});

describe("with stop strings", () => {
  const run = (text: string, stopStrings: readonly string[], start: StreamStart = "open") => {
    const letters = [...text];
    const decoder = { push: (id: number) => letters[id] ?? "", end: () => "" };
    const stopper = newStopper(decoder, { stopStrings, streams: newStreamSplitter(tags, start) });
    const pieces: StreamPiece[] = [];
    for (const id of letters.keys()) {
      const step = stopper.push(id);
      expect(step.pieces.map((piece) => piece.text).join("")).toBe(step.text);
      pieces.push(...step.pieces);
      if (step.stop !== null) return { pieces: joined(pieces), stop: step.stop };
    }
    return { pieces: joined([...pieces, ...stopper.end()]), stop: null };
  };

  test("they end the answer, and not what comes before it", () => {
    expect(run("<think>a STOP b</think>c STOP d", ["STOP"])).toEqual({
      pieces: [
        [null, "<think>"],
        ["reasoning", "a STOP b"],
        [null, "</think>"],
        ["answer", "c "],
      ],
      stop: { kind: "stop-string", text: "STOP" },
    });
    expect(run("a STOP", ["STOP"], "reasoning")).toEqual({ pieces: [["reasoning", "a STOP"]], stop: null });
  });

  test("one that begins in the closing tag does not count", () => {
    expect(run("<think>a</think>\n\nb", [">\n\n", "\n\nb"])).toEqual({
      pieces: [
        [null, "<think>"],
        ["reasoning", "a"],
        [null, "</think>"],
      ],
      stop: { kind: "stop-string", text: "\n\nb" },
    });
  });
});
