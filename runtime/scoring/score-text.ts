/**
 * How well a model predicts a text: -log p of each id, given those before it in its window, in nats. Logits are asked for in calls
 * of bounded size and forgotten after each; p is their softmax, summed in f64.
 */
import { ScoringError } from "./scoring-error.ts";
import { type Window, type WindowPlan, windowsOf } from "./windows.ts";

export interface ScoredModel {
  /** Most tokens of a call. */
  readonly chunk: number;
  /** Adds these ids and gives the logits behind each of them: [ids, vocabulary], row-major. */
  readonly forward: (ids: readonly number[]) => Promise<ArrayLike<number>>;
  /** Forgets all ids. */
  readonly reset: () => void;
}

/** Tells the text of ids one after the other; what it holds back comes at the end. */
export interface TextOfIds {
  readonly push: (id: number) => string;
  readonly end: () => string;
}

export interface TextScore {
  /** Windows in which something is counted. */
  readonly windows: number;
  /** Ids that are counted. */
  readonly predictions: number;
  /** -log p, summed over them. */
  readonly nats: number;
  /** UTF-8 bytes of the text that they decode to, one behind the other; null where nothing decodes. */
  readonly bytes: number | null;
}

export interface TextToScore {
  /** Without the prefix of the plan. */
  readonly ids: readonly number[];
  readonly plan: WindowPlan;
  /** New for each text; null where ids have no text. */
  readonly decoder: TextOfIds | null;
}

/** The score so far, after each call of the model, and that of the whole text at last. Throws ScoringError, and what the model throws. */
export async function* scoreText(
  model: ScoredModel,
  { ids, plan, decoder }: TextToScore,
): AsyncGenerator<TextScore, void, undefined> {
  let [windows, predictions, nats, bytes] = [0, 0, 0, 0];
  const score = (): TextScore => ({ windows, predictions, nats, bytes: decoder === null ? null : bytes });
  for (const window of windowsOf(ids, plan)) {
    windows += 1;
    for await (const losses of lossesIn(model, window)) {
      for (const { id, loss } of losses) {
        predictions += 1;
        nats += loss;
        bytes += utf8Length(decoder?.push(id) ?? "");
      }
      yield score();
    }
  }
  bytes += utf8Length(decoder?.end() ?? "");
  yield score();
}

interface Loss {
  readonly id: number;
  readonly loss: number;
}

/** A list a call. Nothing is predicted from the last id: the model is not given it. */
async function* lossesIn(model: ScoredModel, { ids, from }: Window): AsyncGenerator<readonly Loss[], void, undefined> {
  model.reset();
  const most = ids.length - 1;
  for (let at = 0; at < most; at += model.chunk) {
    const given = ids.slice(at, Math.min(most, at + model.chunk));
    const rows = await model.forward(given);
    const width = rows.length / given.length;
    const losses: Loss[] = [];
    for (let row = Math.max(0, from - 1 - at); row < given.length; row += 1) {
      const id = ids[at + row + 1] ?? Number.NaN;
      losses.push({ id, loss: lossAt(rows, row * width, width, id) });
    }
    yield losses;
  }
}

/** -log softmax(logits)[id] = log(sum exp(logits - most)) + most - logits[id], for the `width` logits from `start`. */
function lossAt(logits: ArrayLike<number>, start: number, width: number, id: number): number {
  const wanted = id < width ? logits[start + id] : undefined;
  if (wanted === undefined) throw new ScoringError("bad-id", `token ${id} is none of the ${width} that have logits`);
  let most = Number.NEGATIVE_INFINITY;
  for (let i = start; i < start + width; i += 1) most = Math.max(most, logits[i] ?? Number.NaN);
  if (!Number.isFinite(most))
    throw new ScoringError("bad-logits", `the logits before token ${id} are no numbers: ${most}`);
  let sum = 0;
  for (let i = start; i < start + width; i += 1) sum += Math.exp((logits[i] ?? Number.NaN) - most);
  return Math.log(sum) + most - wanted;
}

const encoder = new TextEncoder();
const utf8Length = (text: string): number => (text === "" ? 0 : encoder.encode(text).length);
