export interface Interruption {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Ctrl-C is then what it was. */
  readonly release: () => void;
}

/**
 * Listens for one Ctrl-C. A second one ends the process as ever: work that never comes back to the event loop cannot be
 * asked to stop.
 */
export function onInterrupt(): Interruption {
  const abort = new AbortController();
  const stop = (): void => abort.abort(new Error("interrupted"));
  process.once("SIGINT", stop);
  return { signal: abort.signal, release: () => process.removeListener("SIGINT", stop) };
}

/** Gives a signal that Ctrl-C aborts. */
export async function interruptible<T>(use: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, release } = onInterrupt();
  try {
    return await use(signal);
  } finally {
    release();
  }
}
