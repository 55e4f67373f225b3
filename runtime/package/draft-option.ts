/** How many tokens a caller wants guessed at a time, and whether they can be. */
import { NoDraftError, type NoDraftReason, OptionError } from "../artifact/errors.ts";

/** Whether a model drafts the tokens after the next. */
export type DraftInfo =
  | {
      readonly available: true;
      /** Tokens that can be guessed at a time, at most. */
      readonly most: number;
    }
  | { readonly available: false; readonly reason: NoDraftReason };

/** 0 where nothing is drafted. Throws OptionError, and NoDraftError where it is asked for and cannot be. */
export function draftOf(wanted: number | boolean | undefined, info: DraftInfo): number {
  if (wanted === false || wanted === 0) return 0;
  if (wanted !== undefined && wanted !== true && !(Number.isSafeInteger(wanted) && wanted >= 1))
    throw new OptionError(`draft ${String(wanted)} is no integer from 0`);
  if (!info.available) {
    if (wanted === undefined) return 0;
    throw new NoDraftError(info.reason);
  }
  if (wanted === undefined) return Math.min(1, info.most);
  const count = Number(wanted);
  if (count > info.most) throw new OptionError(`draft ${count}: at most ${info.most} tokens are checked at a time`);
  return count;
}
