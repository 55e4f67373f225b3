/** Calls of the worker. One that dies is replaced, and its calls fail. */
import type { Call, FromWorker, ToWorker } from "./calls.ts";
import { CallError } from "./fault.ts";

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: CallError) => void;
  readonly event: (event: unknown) => void;
}

export interface CallOptions<Event> {
  readonly onEvent?: (event: Event) => void;
  readonly signal?: AbortSignal;
}

export class Client<C extends { readonly [N in keyof C]: Call<unknown, unknown, unknown> }> {
  readonly #script: URL;
  readonly #died: () => void;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #calls = 0;

  /** `died`: told after the calls have failed; what was loaded is gone. */
  constructor(script: URL, died: () => void) {
    this.#script = script;
    this.#died = died;
  }

  /** Throws CallError. */
  call<N extends keyof C>(
    name: N,
    ask: C[N]["ask"],
    { onEvent, signal }: CallOptions<C[N]["event"]> = {},
  ): Promise<C[N]["answer"]> {
    const worker = this.#running();
    const id = this.#calls;
    this.#calls += 1;
    const post = (message: ToWorker<C>): void => worker.postMessage(message);
    const cancel = (): void => post({ kind: "cancel", id });
    const answer = new Promise<C[N]["answer"]>((resolve, reject) => {
      const event = (told: C[N]["event"]): void => onEvent?.(told);
      this.#waiting.set(id, { resolve, reject, event } as Waiting);
      post({ kind: "call", id, name, ask } as ToWorker<C>);
      signal?.addEventListener("abort", cancel);
    });
    return answer.finally(() => signal?.removeEventListener("abort", cancel));
  }

  #running(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = new Worker(this.#script, { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    worker.onerror = (event) => {
      event.preventDefault(); // the page tells it
      this.#die(event.message ?? "its script could not be loaded");
    };
    worker.onmessageerror = () => this.#die("its answer cannot be read");
    this.#worker = worker;
    return worker;
  }

  #hear(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id);
    if (message.kind === "event") {
      waiting?.event(message.event);
      return;
    }
    this.#waiting.delete(message.id);
    if (message.kind === "answer") waiting?.resolve(message.answer);
    else waiting?.reject(new CallError(message.fault));
  }

  #die(why: string): void {
    this.#worker?.terminate();
    this.#worker = null;
    const fault = {
      name: "WorkerError",
      code: "worker-died",
      message: `the worker that holds the model has ended: ${why}`,
    };
    for (const { reject } of this.#waiting.values()) reject(new CallError(fault));
    this.#waiting.clear();
    this.#died();
  }
}
