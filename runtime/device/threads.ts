/** Workers that share the memory of a model and wait for its calls. */
import { ThreadError } from "../artifact/errors.ts";
import { stop, type ThreadAnswer, type ThreadStart, word } from "./thread-main.ts";

/** A worker of the host, loaded with code that answers a `ThreadStart` (`runtime/package/worker.ts`). */
export interface HostThread {
  readonly post: (start: ThreadStart) => void;
  readonly end: () => void;
}

export interface ThreadEvents {
  readonly message: (answer: ThreadAnswer) => void;
  /** It has ended, or could not start. */
  readonly died: (why: string) => void;
}

export type StartThread = (events: ThreadEvents) => HostThread;

export class Threads {
  readonly #threads: HostThread[] = [];
  readonly #words: Int32Array;
  #failure: ThreadError | null = null;
  #ended = false;

  private constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Resolves when all of them wait for calls. `starts`: for each worker. Throws ThreadError. */
  static async start(words: Int32Array, starts: readonly ThreadStart[], startThread: StartThread): Promise<Threads> {
    const threads = new Threads(words);
    try {
      await Promise.all(starts.map((start) => threads.#startOne(start, startThread)));
      return threads;
    } catch (error) {
      threads.end();
      throw error;
    }
  }

  #startOne(start: ThreadStart, startThread: StartThread): Promise<void> {
    return new Promise((resolve, reject) => {
      const died = (why: string): void => {
        if (this.#ended) return;
        this.#failure ??= new ThreadError(`worker ${start.thread} has ended: ${why}`);
        reject(this.#failure);
      };
      const message = (answer: ThreadAnswer): void => (answer.kind === "ready" ? resolve() : died(answer.message));
      try {
        const thread = startThread({ message, died });
        this.#threads.push(thread);
        thread.post(start);
      } catch (error) {
        died(error instanceof Error ? error.message : String(error));
      }
    });
  }

  /** Throws where one has ended. */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** One did not come in time: none of them is asked again. */
  lose(): ThreadError {
    this.#failure ??= new ThreadError("a worker does not answer; the model has to be loaded again");
    this.end();
    return this.#failure;
  }

  /** Wakes them for a phase; its values are written already. */
  call(phase: number): void {
    const words = this.#words;
    Atomics.store(words, word.failed, 0);
    Atomics.store(words, word.command, phase);
    Atomics.add(words, word.call, 1);
    Atomics.notify(words, word.call);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.call(stop);
    for (const thread of this.#threads) thread.end();
  }
}
