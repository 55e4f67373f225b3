/** What a tree is written with: a plain pen, or one that puts each comment before the word it stood before. */
import type { Comment } from "../ast/nodes.ts";
import { concat, type Doc, innerComment, sequence } from "./doc.ts";

export interface Pen {
  /** `text`, which stood at offset `at`: the comments before that place come first. */
  readonly text: (text: string, at: number) => Doc;
  /** A sign whose place is not in the tree: the first `text` in the source from `from` on, comments skipped. */
  readonly sign: (text: string, from: number) => Doc;
  /**
   * The comma from `from` on. A comment on a line of its own stays before it, since after it the comment would document
   * what follows.
   */
  readonly comma: (from: number) => Doc;
  /** Whether the author broke the line between two offsets. */
  readonly broken: (from: number, to: number) => boolean;
}

/** The comments of a file in order, each taken once. */
export class CommentReader {
  readonly #comments: readonly Comment[];
  #next = 0;

  constructor(comments: readonly Comment[]) {
    this.#comments = comments;
  }

  /** The next comment if it begins before `offset`. */
  take(offset: number): Comment | null {
    const comment = this.#comments[this.#next];
    if (comment === undefined || comment.span.start >= offset) return null;
    this.#next++;
    return comment;
  }

  /** Whether one of the next comments, before `offset`, has a line of its own. */
  hasOwnLine(offset: number): boolean {
    for (let i = this.#next; i < this.#comments.length; i++) {
      const comment = this.#comments[i];
      if (comment === undefined || comment.span.start >= offset) return false;
      if (!comment.trailing) return true;
    }
    return false;
  }

  has(start: number, end: number): boolean {
    let low = 0;
    let high = this.#comments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#comments[middle]?.span.start ?? 0) < start) low = middle + 1;
      else high = middle;
    }
    const first = this.#comments[low];
    return first !== undefined && first.span.start < end;
  }
}

/** Everything must be written in text order: comments are taken as the text passes them. */
export function commentingPen(text: string, comments: CommentReader): Pen {
  const write = (word: string, at: number): Doc => {
    const parts: Doc[] = [];
    for (let comment = comments.take(at); comment !== null; comment = comments.take(at)) {
      parts.push(innerComment(comment.text.trimEnd(), comment.trailing));
    }
    return parts.length === 0 ? word : concat(sequence(parts), word);
  };
  return {
    text: write,
    sign: (word, from) => write(word, findSign(text, word, from)),
    comma: (from) => {
      const at = findSign(text, ",", from);
      return comments.hasOwnLine(at) ? write(",", at) : ",";
    },
    broken: (from, to) => text.slice(from, to).includes("\n"),
  };
}

/** Offset of a sign from `from` on, comments skipped; `from` if there is none. */
export function findSign(text: string, sign: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text.startsWith("//", i)) {
      const end = text.indexOf("\n", i);
      if (end < 0) return from;
      i = end;
    } else if (text.startsWith(sign, i)) return i;
  }
  return from;
}
