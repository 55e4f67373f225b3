/**
 * A text cut into windows that a model can remember. Of its ids each is counted once, in the first window that holds it: all but
 * those that nothing stands before, which is the first one of a text without a prefix.
 */
import { ScoringError } from "./scoring-error.ts";

export interface WindowPlan {
  /** Ids of a window at most, the prefix included. */
  readonly context: number;
  /** What each window begins with, BOS in most cases. It is never counted. */
  readonly prefix: readonly number[];
  /** Ids that a window counts at most, from the second one on; the others in it stand before them and were counted before. */
  readonly stride: number;
  /** Only the first window of a text is taken. */
  readonly cut: boolean;
}

export interface Window {
  /** What the model is given, from position 0. */
  readonly ids: readonly number[];
  /** Ordinal of the first id that is counted; all behind it are. */
  readonly from: number;
}

/** Windows that overlap as little as they can: where there is no prefix, by the one id that the next is predicted from. */
export const longestStride = (context: number, prefix: readonly number[]): number =>
  context - Math.max(1, prefix.length);

/** Throws ScoringError `bad-window`. */
export function checkPlan({ context, prefix, stride }: WindowPlan): void {
  const most = longestStride(context, prefix);
  const behind = prefix.length > 0 ? ` behind the ${prefix.length} that each begins with` : "";
  if (most < 1)
    throw new ScoringError("bad-window", `a window of ${context} ids${behind} leaves none that can be predicted`);
  if (!(stride >= 1 && stride <= most))
    throw new ScoringError("bad-window", `windows of ${context} ids move by 1 to ${most}${behind}, not by ${stride}`);
}

/** `ids`: of the text, without the prefix. A window without ids to count is none. */
export function* windowsOf(ids: readonly number[], plan: WindowPlan): Generator<Window, void, undefined> {
  checkPlan(plan);
  const { context, prefix, stride, cut } = plan;
  let at = Math.min(ids.length, context - prefix.length);
  const unseen = prefix.length === 0 ? 1 : 0;
  if (at > unseen) yield { ids: [...prefix, ...ids.slice(0, at)], from: prefix.length + unseen };
  if (cut) return;
  const overlap = context - prefix.length - stride;
  while (at < ids.length) {
    const end = Math.min(ids.length, at + stride);
    yield { ids: [...prefix, ...ids.slice(at - overlap, end)], from: prefix.length + overlap };
    at = end;
  }
}
