/** Conversations, and texts that go on: what is written, what comes back, and how fast. */
import { announce, byId, element, numberOf } from "./dom.ts";
import type { Answered, ChatTurn, GenerateAsk, Said, Settings } from "./protocol.ts";
import { secondsText, speedText } from "./words.ts";

const field = (id: string): HTMLInputElement => byId(id, HTMLInputElement);

/** Of the fields; an empty one has its usual value. The seed is settled here, so that it can be told and used again. */
export function readSettings(): Settings {
  return {
    temperature: numberOf(field("temperature")) ?? 0.6,
    topP: numberOf(field("top-p")) ?? 0.95,
    maxTokens: numberOf(field("max-tokens")) ?? 512,
    seed: numberOf(field("seed")) ?? Math.floor(Math.random() * 2 ** 32),
    draft: numberOf(field("draft")),
  };
}

/** An answer as it comes. Reasoning stands apart, and is folded up when the answer begins. */
export class AnswerView {
  readonly element: HTMLElement;
  readonly #whole: HTMLElement;
  #answer = "";
  #thought: {
    readonly fold: HTMLDetailsElement;
    readonly summary: HTMLElement;
    readonly text: HTMLElement;
    readonly since: number;
  } | null = null;
  #said: HTMLElement | null = null;

  /** `given`: what it goes on from, for texts; null in a conversation. */
  constructor(given: string | null) {
    this.element = element("article", { className: "turn running" });
    if (given === null) this.element.append(element("h3", { text: "Answer" }));
    this.#whole = element("div", { className: given === null ? "" : "story" });
    if (given !== null) {
      this.#said = element("div", { className: "said" });
      this.#said.append(element("span", { className: "given", text: given }));
      this.#whole.append(this.#said);
    }
    this.element.append(this.#whole);
  }

  /** What goes back into a conversation. */
  get answer(): string {
    return this.#answer;
  }

  add({ pieces }: Said): void {
    for (const { stream, text } of pieces) {
      if (stream === "reasoning") this.#think(text);
      if (stream === "answer") this.#say(text);
    }
  }

  #think(text: string): void {
    if (this.#thought === null) {
      const fold = element("details", { className: "reasoning" });
      fold.open = true;
      const [summary, body] = [element("summary", { text: "Reasoning…" }), element("div", { className: "said" })];
      fold.append(summary, body);
      this.#whole.append(fold);
      this.#thought = { fold, summary, text: body, since: performance.now() };
      this.#said = null;
    }
    this.#thought.text.append(text);
  }

  #say(text: string): void {
    // Blanks between the tag and the answer are of neither.
    const shown = this.#answer === "" && this.#thought !== null ? text.trimStart() : text;
    if (shown === "") return;
    this.#endThought(true);
    if (this.#said === null) {
      this.#said = element("div", { className: "said" });
      this.#whole.append(this.#said);
    }
    this.#answer += shown;
    this.#said.append(shown);
  }

  #endThought(fold: boolean): void {
    if (this.#thought === null || this.#thought.summary.textContent !== "Reasoning…") return;
    this.#thought.summary.textContent = `Reasoned for ${secondsText((performance.now() - this.#thought.since) / 1000)}`;
    if (fold) this.#thought.fold.open = false;
  }

  /** It goes on where it ended. */
  resume(): void {
    this.element.classList.add("running");
  }

  end(): void {
    this.#endThought(false);
    this.element.classList.remove("running");
  }
}

export interface TalkActions {
  /** Throws CallError. Ends with what there is when `signal` aborts. */
  readonly generate: (ask: GenerateAsk, said: (said: Said) => void, signal: AbortSignal) => Promise<Answered>;
  readonly reset: () => Promise<unknown>;
  readonly failed: (error: unknown) => void;
  readonly answered: (answered: Answered) => void;
}

const button = (id: string): HTMLButtonElement => byId(id, HTMLButtonElement);

export class TalkView {
  readonly #actions: TalkActions;
  readonly #log = byId("log", HTMLDivElement);
  readonly #prompt = byId("prompt", HTMLTextAreaElement);
  readonly #figures = byId("figures", HTMLParagraphElement);
  #turns: ChatTurn[] = [];
  #last: AnswerView | null = null;
  #chats = false;
  #running: AbortController | null = null;

  constructor(actions: TalkActions) {
    this.#actions = actions;
    byId("ask", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#running === null) void this.#send();
    });
    byId("settings-form", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault());
    this.#prompt.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
      event.preventDefault();
      if (this.#running === null) void this.#send();
    });
    button("stop").addEventListener("click", () => this.stop());
    button("more").addEventListener("click", () => void this.#goOn());
    button("anew").addEventListener("click", () => void this.#anew());
  }

  /** After weights were loaded. */
  open({ chats, draftsMost }: { readonly chats: boolean; readonly draftsMost: number | null }): void {
    this.#chats = chats;
    this.#clear();
    byId("tab-talk", HTMLButtonElement).textContent = chats ? "Chat" : "Write";
    byId("prompt-label", HTMLLabelElement).textContent = chats ? "Message" : "A text to go on from";
    button("send").textContent = chats ? "Send" : "Write";
    byId("chat-fields", HTMLDivElement).hidden = !chats;
    byId("draft-field", HTMLDivElement).hidden = draftsMost === null;
    field("draft").max = String(draftsMost ?? 0);
    this.#prompt.value = chats ? "" : "Once upon a time";
    this.#prompt.focus();
  }

  stop(): void {
    this.#running?.abort();
  }

  #clear(): void {
    this.#turns = [];
    this.#last = null;
    this.#log.replaceChildren();
    this.#figures.textContent = "";
    byId("empty", HTMLParagraphElement).textContent = this.#chats
      ? "Say something to begin."
      : "This model has no chat template: it goes on from a text, in the voice of what it has read.";
    this.#buttons();
  }

  #buttons(): void {
    const running = this.#running !== null;
    button("send").hidden = running;
    button("stop").hidden = !running;
    button("more").hidden = running || this.#last === null;
    button("anew").hidden = running || this.#last === null;
    this.#log.setAttribute("aria-busy", String(running));
  }

  async #anew(): Promise<void> {
    this.#clear();
    this.#prompt.focus();
    await this.#actions.reset().catch(this.#actions.failed);
  }

  async #send(): Promise<void> {
    const text = this.#prompt.value;
    if (this.#chats && text.trim() === "") return;
    const view = new AnswerView(this.#chats ? null : text);
    if (!this.#chats) {
      this.#log.replaceChildren(view.element);
      await this.#answer({ kind: "text", text }, view);
      return;
    }
    const question = element("article", { className: "turn user" });
    question.append(element("h3", { text: "You" }), element("div", { className: "said", text }));
    this.#log.append(question, view.element);
    this.#prompt.value = "";
    const system = byId("system", HTMLTextAreaElement).value.trim();
    const turns: readonly ChatTurn[] = [...this.#turns, { role: "user", content: text }];
    const messages: readonly ChatTurn[] = [
      ...(system === "" ? [] : [{ role: "system" as const, content: system }]),
      ...turns,
    ];
    const done = await this.#answer({ kind: "chat", messages, thinking: field("thinking").checked }, view);
    if (done) this.#turns = [...turns, { role: "assistant", content: view.answer }];
    else {
      // As if it had not been asked: it can be sent again.
      question.remove();
      view.element.remove();
      this.#prompt.value = text;
    }
  }

  async #goOn(): Promise<void> {
    const view = this.#last;
    if (view === null || this.#running !== null) return;
    view.resume();
    if (!(await this.#answer({ kind: "more" }, view)) || !this.#chats) return;
    this.#turns = [...this.#turns.slice(0, -1), { role: "assistant", content: view.answer }];
  }

  /** Whether there is an answer, if only a part of one. */
  async #answer(from: GenerateAsk["from"], view: AnswerView): Promise<boolean> {
    const abort = new AbortController();
    this.#running = abort;
    byId("empty", HTMLParagraphElement).textContent = "";
    this.#figures.textContent = "Reading the prompt…";
    this.#buttons();
    this.#follow(true);
    const settings = readSettings();
    try {
      const answered = await this.#actions.generate(
        { from, settings },
        (said) => {
          const follows = this.#isAtEnd();
          view.add(said);
          const speed = speedText(said.tokens - 1, said.seconds);
          this.#figures.textContent = [tokensText(said.tokens), ...(speed === null ? [] : [speed])].join(" · ");
          this.#follow(follows);
        },
        abort.signal,
      );
      this.#last = view;
      this.#figures.textContent = figuresText(answered, settings);
      announce(`Done: ${tokensText(answered.tokens)}.`);
      this.#actions.answered(answered);
      return true;
    } catch (error) {
      this.#figures.textContent = "";
      this.#actions.failed(error);
      return false;
    } finally {
      this.#running = null;
      view.end();
      this.#buttons();
      this.#prompt.focus({ preventScroll: true });
    }
  }

  #isAtEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
    return scrollHeight - scrollTop - clientHeight < 48;
  }

  /** Stays at the end, unless the reader has gone back. */
  #follow(follows: boolean): void {
    if (follows) window.scrollTo({ top: document.documentElement.scrollHeight });
  }
}

const tokensText = (count: number): string => `${count} ${count === 1 ? "token" : "tokens"}`;

const stops: Readonly<Record<string, string>> = {
  "end-of-text": "it was at its end",
  "max-tokens": "stopped at the most tokens",
  "context-full": "stopped: the context is full",
  cancelled: "stopped by you",
};

function figuresText(answered: Answered, { seed, temperature }: Settings): string {
  const { tokens, seconds, promptTokens, promptSeconds, drafts, stop } = answered;
  const speed = speedText(tokens - 1, seconds);
  const read = speedText(promptTokens, promptSeconds);
  return [
    tokensText(tokens),
    ...(speed === null ? [] : [speed]),
    ...(read === null ? [] : [`prompt ${read}`]),
    ...(drafts === null || drafts.drafted === 0 ? [] : [`${drafts.accepted} of ${drafts.drafted} drafts right`]),
    ...(temperature === 0 ? [] : [`seed ${seed}`]),
    stops[stop] ?? stop,
  ].join(" · ");
}
