/** What the loop that drafts asks of a session, whoever runs it: two memories, the model's and the drafting entry's. */

import type { BestLogits } from "../sampling/best-logits.ts";

export type Numbers = Float32Array | Float64Array;

export interface Told {
  /** [vocabulary] of the last token, or [tokens, vocabulary] of all. */
  readonly logits: Numbers;
  /** Instead of them, where the best of them do. */
  readonly best?: readonly BestLogits[] | null;
  /** What the drafting entry is fed next, by feed: each [tokens, width]. */
  readonly rows: readonly Numbers[];
}

export interface DraftingModel {
  /** Most tokens that it remembers. */
  readonly context: number;
  /** Most tokens of a call where nothing is checked. */
  readonly chunk: number;
  /** Most tokens of a call that checks: one more than are guessed at a time. */
  readonly checks: number;
  readonly length: number;
  /** The ids that the model remembers. */
  readonly tokens: () => ArrayLike<number>;
  /** Adds tokens, all or none. */
  readonly advance: (ids: readonly number[], logits: "next" | "logits") => Promise<Told>;
  /** The rows of its last `count` tokens, computed again: it remembers what it did. */
  readonly again: (count: number) => Promise<readonly Numbers[]>;
  /** Forgets the last tokens. */
  readonly rollback: (count: number) => void;
  /** Pairs that the drafting entry remembers. */
  readonly drafted: number;
  /** Adds pairs, all or none: ids, and rows of the tokens before each. Logits are of what comes after the last. */
  readonly draft: (ids: readonly number[], rows: readonly Numbers[]) => Promise<Told>;
  /** Forgets the last pairs. */
  readonly undraft: (count: number) => void;
}
