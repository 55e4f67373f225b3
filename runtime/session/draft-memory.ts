/**
 * What the drafting entry of a session remembers, kept in step with what the model does: for each token of the text, behind a start,
 * the pair of what the model said of it and the id of the token that follows. Rows of tokens whose follower is not known yet wait.
 *
 * Nobody has to say what became of the session since: its ids are compared with those that were followed, and what is not of
 * the common part is forgotten. Rows of a few tokens that were added behind our back, or of the last one after a rollback,
 * are computed again. Where there are more the entry begins anew at the end of the text: its positions count from where it
 * began, and nothing that it says is taken unchecked, so it only guesses worse.
 */
import type { DraftingModel, Numbers, Told } from "./drafting-model.ts";

export class DraftMemory {
  /** The token of the first pair. */
  #start = 0;
  /** Pairs of the text that were fed. */
  #fed = 0;
  /** Ids of the text as far as it was followed. */
  #ids: number[] = [];
  /** Of the followed tokens from `start + fed` on. */
  #rows: readonly Numbers[] = [];

  /** Tokens whose rows wait for the id behind them. */
  get waiting(): number {
    return this.#ids.length - this.#start - this.#fed;
  }

  /** Takes up the text that the session holds now. An error leaves the session as it was. */
  async join(model: DraftingModel): Promise<void> {
    const tokens = Array.from(model.tokens());
    // It was emptied.
    if (model.drafted !== this.#fed) this.#begin(model, []);
    const other = this.#ids.findIndex((id, i) => id !== tokens[i]);
    this.cut(model, other < 0 ? this.#ids.length : other);
    const behind = tokens.slice(this.#ids.length);
    if (behind.length > model.checks) this.#begin(model, tokens);
    else if (behind.length > 0) this.follow(behind, await model.again(behind.length));
  }

  /** The model has added tokens, and said this of them. */
  follow(ids: readonly number[], rows: readonly Numbers[]): void {
    this.#rows = this.waiting === 0 ? rows : this.#rows.map((some, feed) => joined(some, rows[feed] ?? some));
    this.#ids.push(...ids);
  }

  /** Feeds what waits: `id` is behind the last token. Gives what the entry says of the token after it. */
  async feed(model: DraftingModel, id: number): Promise<Told> {
    const fed = this.waiting;
    const told = await model.draft([...this.#ids.slice(this.#ids.length - fed + 1), id], this.#rows);
    this.#fed += fed;
    this.#rows = [];
    return told;
  }

  /** The text has `length` tokens, no more than were followed. */
  cut(model: DraftingModel, length: number): void {
    // Pairs whose second token is still there.
    const kept = Math.max(0, Math.min(this.#fed, length - 1 - this.#start));
    model.undraft(model.drafted - kept);
    const [before, lost] = [this.waiting, kept < this.#fed];
    this.#fed = kept;
    this.#start = Math.min(this.#start, length);
    // The row of the last token that stays went into a pair that does not.
    this.#ids.length = lost ? this.#start + kept : length;
    const stay = this.waiting;
    this.#rows = this.#rows.map((rows) => rows.slice(0, before === 0 ? 0 : (rows.length / before) * stay));
  }

  #begin(model: DraftingModel, tokens: number[]): void {
    model.undraft(model.drafted);
    this.#start = tokens.length;
    this.#fed = 0;
    this.#ids = tokens;
    this.#rows = [];
  }
}

function joined(a: Numbers, b: Numbers): Numbers {
  const both =
    a instanceof Float64Array ? new Float64Array(a.length + b.length) : new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
