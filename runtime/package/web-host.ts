/** A page, or a worker of one, as the world around a package. */
import { ReadError } from "../artifact/errors.ts";
import type { StartThread } from "../device/threads.ts";
import type { Host } from "../session/host.ts";
import type { ReadOptions } from "../weights/byte-source.ts";
import { isPage } from "../weights/http-source.ts";

/** `worker`: the script that workers run. */
export function webHost(worker: URL): Host {
  return {
    readFile: readUrl,
    openPath: null,
    startThread: startWorker(worker),
    patience: 60_000,
    cores: globalThis.navigator?.hardwareConcurrency ?? 1,
    available: () => null,
    pause: afterEvents,
  };
}

/** Null for 404 and 410, and for a page instead of the file. */
export async function readUrl(url: URL, { signal }: ReadOptions): Promise<Uint8Array<ArrayBuffer> | null> {
  const name = url.pathname.split("/").at(-1) ?? "";
  const response = await fetch(url, { signal: signal ?? null }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw new ReadError(`${name} cannot be read: ${String(cause)}`, cause);
  });
  if (response.status === 404 || response.status === 410) return null;
  if (!response.ok) throw new ReadError(`${name} cannot be read: the server answered with status ${response.status}`);
  if (!isPage(response)) return new Uint8Array(await response.arrayBuffer());
  await response.body?.cancel();
  return null;
}

/** A message to oneself: a timer would wait for milliseconds. */
export function afterEvents(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

const startWorker =
  (script: URL): StartThread =>
  ({ message, died }) => {
    const worker = new Worker(script, { type: "module" });
    worker.onmessage = (event) => message(event.data);
    worker.onerror = (event) => died(event.message ?? "its script could not be loaded");
    worker.onmessageerror = () => died("it was sent what it cannot read");
    return { post: (start) => worker.postMessage(start), end: () => worker.terminate() };
  };
