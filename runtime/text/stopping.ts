/**
 * When a generated text ends, and what of it may be shown so far.
 *
 * Ids go in one by one. Text comes out as soon as it is certain: neither half of a character nor the beginning of a stop
 * string is shown, wherever tokens are cut. A stop string counts at the place where it is first complete; of several that
 * end at the same place the longest counts. The stop string itself, and the text of the end-of-text token, are not shown.
 * Stop strings end an answer: what a model writes to itself before it (`streams.ts`) may hold them.
 */
import { answerOnly, begun, type StreamPiece, type StreamSplitter } from "./streams.ts";
import { TextError } from "./text-error.ts";
import type { IncrementalDecoder } from "./tokenizer.ts";

export type StopReason =
  | { readonly kind: "end-of-text"; readonly id: number }
  | { readonly kind: "stop-string"; readonly text: string }
  | { readonly kind: "max-tokens"; readonly count: number };

export interface StopOptions {
  /** Ids that end the text, from `endOfTextIds`. */
  readonly endIds?: readonly number[];
  /** Texts that end the text; at most 64 of at most 1024 characters. */
  readonly stopStrings?: readonly string[];
  /** Ids that may be generated, the end-of-text id included; no limit when left out. From 1. */
  readonly maxTokens?: number;
  /** Which stream text belongs to; without it all of it is the answer. */
  readonly streams?: StreamSplitter;
}

export interface StopStep {
  /** Text to show now. The texts of all steps, joined, are all that was generated. */
  readonly text: string;
  /** The same, cut where its stream changes. */
  readonly pieces: readonly StreamPiece[];
  /** Why this was the last id, or null. */
  readonly stop: StopReason | null;
}

export interface Stopper {
  /** Takes a generated id. Throws {@link TextError} `shape` after the last one, `bad-id` for an impossible one. */
  readonly push: (id: number) => StopStep;
  /** For a caller who stops for reasons of its own: what was held back. Nothing after the last step. */
  readonly end: () => readonly StreamPiece[];
}

/** Throws {@link TextError} `shape` or `too-large` for impossible options. */
export function newStopper(decoder: IncrementalDecoder, options: StopOptions = {}): Stopper {
  const { stopStrings = [], maxTokens = Number.POSITIVE_INFINITY, streams = answerOnly } = options;
  checkOptions(stopStrings, maxTokens);
  const endIds = new Set(options.endIds);
  let held = "";
  let count = 0;
  let over = false;

  /** Takes text in; gives what is certain, and the stop string if one is complete. */
  const take = (text: string, last: boolean): StopStep => {
    const split = [...streams.push(text), ...(last ? streams.end() : [])];
    const before = split.filter(({ stream }) => stream !== "answer");
    // Nothing of another stream comes behind an answer's beginning, so what is held back comes last.
    for (const piece of split) if (piece.stream === "answer") held += piece.text;
    const found = firstStop(held, stopStrings);
    const shown = found?.start ?? (last ? held.length : held.length - unsettled(held, stopStrings));
    const answer = held.slice(0, shown);
    held = found === undefined ? held.slice(shown) : "";
    const pieces = answer === "" ? before : [...before, { stream: "answer", text: answer } as const];
    return stepOf(pieces, found === undefined ? null : { kind: "stop-string", text: found.text });
  };

  const finish = (reason: StopReason): StopStep => {
    const rest = take(decoder.end(), true);
    return stepOf(rest.pieces, rest.stop ?? reason);
  };

  const pushed = (id: number): StopStep => {
    count += 1;
    if (endIds.has(id)) return finish({ kind: "end-of-text", id });
    const step = take(decoder.push(id), false);
    if (step.stop !== null || count < maxTokens) return step;
    const rest = finish({ kind: "max-tokens", count });
    return stepOf([...step.pieces, ...rest.pieces], rest.stop);
  };

  return {
    push: (id) => {
      if (over) throw new TextError("shape", "the text has ended");
      const step = pushed(id);
      over = step.stop !== null;
      return step;
    },
    end: () => {
      if (over) return [];
      over = true;
      return take(decoder.end(), true).pieces;
    },
  };
}

/** Neighbours of one stream are one piece. */
function stepOf(pieces: readonly StreamPiece[], stop: StopReason | null): StopStep {
  const joined: StreamPiece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (last !== undefined && last.stream === piece.stream)
      joined[joined.length - 1] = { stream: piece.stream, text: last.text + piece.text };
    else joined.push(piece);
  }
  return { text: joined.map(({ text }) => text).join(""), pieces: joined, stop };
}

function checkOptions(stopStrings: readonly string[], maxTokens: number): void {
  if (stopStrings.length > 64) throw new TextError("too-large", "more than 64 stop strings");
  if (stopStrings.some((text) => text === "")) throw new TextError("shape", "an empty stop string");
  if (stopStrings.some((text) => text.length > 1024)) {
    throw new TextError("too-large", "a stop string of more than 1024 characters");
  }
  if (maxTokens < 1 || !(Number.isSafeInteger(maxTokens) || maxTokens === Number.POSITIVE_INFINITY)) {
    throw new TextError("shape", `at most ${maxTokens} tokens: expected an integer from 1`);
  }
}

interface Found {
  readonly start: number;
  readonly text: string;
}

/** The stop string that is complete first; of those that end at one place, the longest. */
function firstStop(text: string, stopStrings: readonly string[]): Found | undefined {
  let best: Found | undefined;
  for (const stop of stopStrings) {
    const start = text.indexOf(stop);
    if (start < 0) continue;
    const earlier = best === undefined ? -1 : start + stop.length - (best.start + best.text.length);
    if (earlier < 0 || (earlier === 0 && best !== undefined && start < best.start)) best = { start, text: stop };
  }
  return best;
}

/** Length of the longest end of the text that a stop string begins with. */
const unsettled = (text: string, stopStrings: readonly string[]): number =>
  Math.max(0, ...stopStrings.map((stop) => begun(text, stop)));
