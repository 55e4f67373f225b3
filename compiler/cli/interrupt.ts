/**
 * Gives a signal that Ctrl-C aborts. A second Ctrl-C ends the process as ever: work that never comes back to the event
 * loop cannot be asked to stop.
 */
export async function interruptible<T>(use: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const stop = (): void => abort.abort(new Error("interrupted"));
  process.once("SIGINT", stop);
  try {
    return await use(abort.signal);
  } finally {
    process.removeListener("SIGINT", stop);
  }
}
