/** What the text says when it is run: token by token, with the best of the last row of logits. */
import { announce, byId, element, numberOf } from "../../../runtime/page/dom.ts";
import type { RunAsk, RunEvent } from "./protocol.ts";

export interface OutputActions {
  /** Throws CallError. */
  readonly run: (ask: RunAsk, tell: (event: RunEvent) => void, signal: AbortSignal) => Promise<unknown>;
  readonly failed: (error: unknown) => void;
}

export class OutputView {
  readonly #actions: OutputActions;
  readonly #weights = byId("weights", HTMLSelectElement);
  readonly #prompt = byId("prompt", HTMLInputElement);
  #running: AbortController | null = null;

  constructor(actions: OutputActions) {
    this.#actions = actions;
    byId("run-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#running === null) void this.#run();
    });
    byId("stop", HTMLButtonElement).addEventListener("click", () => this.#running?.abort());
    this.#weights.addEventListener("change", () => this.#fields());
  }

  /** Whether the weights that come along are of the text that is open. */
  offer(own: boolean): void {
    const [first] = this.#weights.options;
    if (first !== undefined) first.disabled = !own;
    this.#weights.value = own ? "own" : "seed";
    this.#fields();
  }

  #fields(): void {
    const own = this.#weights.value === "own";
    byId("seed-field", HTMLDivElement).hidden = own;
    byId("prompt-label", HTMLLabelElement).textContent = own ? "Text to go on from" : "Ids to go on from";
    this.#prompt.value = own ? "Once upon a time" : "1, 2, 3";
    byId("tokens", HTMLInputElement).value = own ? "60" : "8";
  }

  async #run(): Promise<void> {
    const abort = new AbortController();
    this.#running = abort;
    this.#buttons();
    const said = byId("said", HTMLDivElement);
    const line = byId("run-line", HTMLParagraphElement);
    said.replaceChildren(element("span", { className: "given", text: this.#prompt.value }));
    said.hidden = false;
    said.setAttribute("aria-busy", "true");
    line.textContent = "Binding the weights…";
    byId("best", HTMLTableElement).hidden = true;
    const ask: RunAsk = {
      weights: this.#weights.value === "own" ? "own" : "seed",
      seed: numberOf(byId("seed", HTMLInputElement)) ?? 0,
      prompt: this.#prompt.value,
      tokens: numberOf(byId("tokens", HTMLInputElement)) ?? 60,
    };
    let made = 0;
    const tell = ({ about, token, text, best, seconds }: RunEvent): void => {
      if (about !== undefined) byId("run-about", HTMLParagraphElement).textContent = `Run with ${about}.`;
      if (token === undefined) return;
      made += 1;
      said.append(text ?? `, ${token}`);
      line.textContent = `${made} tokens · ${(made / (seconds ?? 1)).toPrecision(2)} tokens/s`;
      showBest(best ?? []);
    };
    try {
      await this.#actions.run(ask, tell, abort.signal);
      announce(`Done: ${made} tokens.`);
    } catch (error) {
      if (made === 0) said.hidden = true;
      if (made === 0) line.textContent = "";
      this.#actions.failed(error);
    } finally {
      this.#running = null;
      said.setAttribute("aria-busy", "false");
      this.#buttons();
    }
  }

  #buttons(): void {
    byId("run", HTMLButtonElement).hidden = this.#running !== null;
    byId("stop", HTMLButtonElement).hidden = this.#running === null;
  }
}

function showBest(best: NonNullable<RunEvent["best"]>): void {
  byId("best", HTMLTableElement).hidden = best.length === 0;
  const rows = best.map(([token, logit]) => {
    const row = element("tr");
    row.append(element("td", { text: token }), element("td", { text: logit.toFixed(4) }));
    return row;
  });
  byId("best-rows", HTMLTableSectionElement).replaceChildren(...rows);
}
