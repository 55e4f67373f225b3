/**
 * Which stream generated text belongs to: what a model writes to itself between two tags, or its answer. Reasoning comes first, if
 * at all: at the start of a text, before anything but blanks; what follows its closing tag is the answer to the end, whatever
 * tags it quotes. Text comes out as soon as its stream is certain, wherever tokens cut a tag.
 */

export type Stream = "reasoning" | "answer";

/** Two different texts, none of them blank at an end. */
export interface ReasoningTags {
  readonly open: string;
  readonly close: string;
}

/** Null: of neither stream, a tag with the blanks before an opening one. */
export interface StreamPiece {
  readonly stream: Stream | null;
  readonly text: string;
}

/**
 * Where a text begins, as the prompt before it leaves it: `reasoning` behind an opening tag, `answer` behind a closing one,
 * `open` where the model may write the opening tag itself.
 */
export type StreamStart = "open" | Stream;

export interface StreamSplitter {
  /** The texts of all pieces, joined, are the texts that went in. None of them is empty. */
  readonly push: (text: string) => readonly StreamPiece[];
  /** What was held back. */
  readonly end: () => readonly StreamPiece[];
}

/** All text is the answer. */
export const answerOnly: StreamSplitter = {
  push: (text) => (text === "" ? [] : [{ stream: "answer", text }]),
  end: () => [],
};

export function newStreamSplitter({ open, close }: ReasoningTags, start: StreamStart = "open"): StreamSplitter {
  if (start === "answer") return answerOnly;
  let state: "start" | Stream = "start";
  let held = "";

  /** Takes `length` characters of what is held. */
  const cut = (stream: Stream | null, length: number): readonly StreamPiece[] => {
    const text = held.slice(0, length);
    held = held.slice(length);
    return text === "" ? [] : [{ stream, text }];
  };

  /** Goes on as far as it is certain. */
  const settle = (last: boolean): readonly StreamPiece[] => {
    switch (state) {
      case "start": {
        const blanks = held.length - held.trimStart().length;
        const rest = held.slice(blanks);
        // A model may repeat the tag that its prompt has opened; one that closes it at once does not reason.
        for (const tag of [open, close]) {
          if (!rest.startsWith(tag)) continue;
          state = tag === open ? "reasoning" : "answer";
          return [...cut(null, blanks + tag.length), ...settle(last)];
        }
        if (!last && (open.startsWith(rest) || close.startsWith(rest))) return [];
        state = start === "reasoning" ? "reasoning" : "answer";
        return settle(last);
      }
      case "reasoning": {
        const at = held.indexOf(close);
        if (at < 0) return cut("reasoning", held.length - (last ? 0 : begun(held, close)));
        state = "answer";
        return [...cut("reasoning", at), ...cut(null, close.length), ...settle(last)];
      }
      case "answer":
        return cut("answer", held.length);
      default:
        return state satisfies never;
    }
  };

  return {
    push: (text) => {
      held += text;
      return settle(false);
    },
    end: () => settle(true),
  };
}

/** Length of the longest end of a text that another one begins with, without being all of it. */
export function begun(text: string, whole: string): number {
  for (let length = Math.min(whole.length - 1, text.length); length > 0; length -= 1)
    if (text.endsWith(whole.slice(0, length))) return length;
  return 0;
}

/** What a prompt leaves open: the tag that it ends with, blanks aside. */
export function startAfter(prompt: string, { open, close }: ReasoningTags): StreamStart {
  const text = prompt.trimEnd();
  return text.endsWith(open) ? "reasoning" : text.endsWith(close) ? "answer" : "open";
}
