/**
 * Calls of a worker by a page, as messages. A call has a number, may tell of its progress, gives an answer or a fault, and may be cancelled.
 * `C` is an interface of calls: by name what is asked, what is told meanwhile, and what is answered. All of it can be cloned.
 */
import { type Fault, faultOf } from "./fault.ts";

export interface Call<Ask, Event, Answer> {
  readonly ask: Ask;
  /** Told meanwhile. */
  readonly event: Event;
  readonly answer: Answer;
}

type Shape<C> = { readonly [N in keyof C]: Call<unknown, unknown, unknown> };

export type ToWorker<C extends Shape<C>> =
  | {
      [N in keyof C]: { readonly kind: "call"; readonly id: number; readonly name: N; readonly ask: C[N]["ask"] };
    }[keyof C]
  | { readonly kind: "cancel"; readonly id: number };

export type FromWorker =
  | { readonly kind: "event"; readonly id: number; readonly event: unknown }
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly fault: Fault };

export interface CallContext<Event> {
  readonly tell: (event: Event) => void;
  readonly signal: AbortSignal;
}

export type Handlers<C extends Shape<C>> = {
  readonly [N in keyof C]: (ask: C[N]["ask"], context: CallContext<C[N]["event"]>) => Promise<C[N]["answer"]>;
};

/** What a worker does: answers the messages that it gets. */
export function serveCalls<C extends Shape<C>>(handlers: Handlers<C>): void {
  const running = new Map<number, AbortController>();
  const post = (message: FromWorker): void => globalThis.postMessage(message);
  const serve = async <N extends keyof C>(id: number, name: N, ask: C[N]["ask"]): Promise<void> => {
    const abort = new AbortController();
    running.set(id, abort);
    try {
      const tell = (event: C[N]["event"]): void => post({ kind: "event", id, event });
      post({ kind: "answer", id, answer: await handlers[name](ask, { tell, signal: abort.signal }) });
    } catch (error) {
      post({ kind: "failed", id, fault: faultOf(error) });
    } finally {
      running.delete(id);
    }
  };
  globalThis.onmessage = ({ data: message }: MessageEvent<ToWorker<C>>) => {
    if (message.kind === "cancel") running.get(message.id)?.abort();
    else void serve(message.id, message.name, message.ask);
  };
}
