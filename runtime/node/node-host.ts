/** Node as the world around a package. */
import { readFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { setImmediate as afterEvents } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { ReadError } from "../artifact/errors.ts";
import type { StartThread } from "../device/threads.ts";
import type { Host, OpenedWeights } from "../session/host.ts";
import type { ReadOptions } from "../weights/byte-source.ts";
import { isMissing } from "./file-source.ts";
import { openWeights } from "./open-weights.ts";

/** `worker`: the file that workers run. */
export function nodeHost(worker: URL): Host {
  return {
    readFile: readFileUrl,
    openPath,
    startThread: startWorker(worker),
    patience: 60_000,
    cores: availableParallelism(),
    available,
    pause: () => afterEvents(),
  };
}

async function readFileUrl(url: URL, { signal }: ReadOptions): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return new Uint8Array(await readFile(url, { signal }));
  } catch (error) {
    signal?.throwIfAborted();
    if (isMissing(error)) return null;
    throw new ReadError(`${url.pathname.split("/").at(-1)} cannot be read: ${String(error)}`, error);
  }
}

async function openPath(given: string | URL, options: ReadOptions): Promise<OpenedWeights> {
  const path = typeof given === "string" ? given : fileURLToPath(given);
  const weights = await openWeights(path, options);
  const folder = /\.(safetensors|json)$/i.test(path) ? dirname(path) : path;
  return { weights, readText: (name) => readText(join(folder, name), name) };
}

async function readText(path: string, name: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw new ReadError(`${name} cannot be read: ${String(error)}`, error);
  }
}

/** Linux alone says how much can be had; elsewhere "free" leaves out what the system would give back. */
function available(): number {
  return process.platform === "linux" && typeof process.availableMemory === "function"
    ? process.availableMemory()
    : totalmem();
}

const startWorker =
  (file: URL): StartThread =>
  ({ message, died }) => {
    // Flags of this process, such as loaders, are not for a file that needs none.
    const worker = new Worker(file, { execArgv: [] });
    worker.on("message", (answer) => {
      worker.unref(); // it waits for calls, which is no reason for the process to stay
      message(answer);
    });
    worker.on("error", (error) => died(error.message));
    worker.on("exit", (code) => died(`exit code ${code}`));
    return { post: (start) => worker.postMessage(start), end: () => void worker.terminate() };
  };
