/**
 * A thread that proves kernels and makes modules of them while the program is still being planned: what makes them takes a third of a
 * second to load, and proofs are a third of planning. Where there is no such thread, or it fails, or a kernel is not proved, all of it is
 * done in the main thread, which takes another plan, or tells what is wrong.
 */
import { Worker } from "node:worker_threads";
import type { Emitted } from "../../driver/package-target.ts";
import type { Kernel } from "../../kernel/kernel.ts";

/** What a thread is started with. */
export interface ThreadOrder {
  readonly target: string;
  readonly engine?: string;
}

export interface ModuleThread {
  readonly add: (kernel: Kernel) => void;
  /** Of all that were added; null where one of them is not proved, or the thread has failed. */
  readonly finish: () => Promise<Pick<Emitted, "modules" | "texts"> | null>;
  readonly close: () => void;
}

/** Null where dsc runs from its sources, which a thread by itself cannot read. */
export const openModuleThread = (order: ThreadOrder): ModuleThread | null =>
  import.meta.url.endsWith(".ts")
    ? null
    : moduleThread(new Worker(new URL("./module-worker.js", import.meta.url), { workerData: order }));

/** `worker`: one that runs `module-worker.ts`. */
export function moduleThread(worker: Worker): ModuleThread {
  const made = new Promise<Pick<Emitted, "modules" | "texts"> | null>((resolve) => {
    // The first that comes counts.
    worker.once("message", resolve);
    worker.once("error", () => resolve(null));
    worker.once("exit", () => resolve(null));
  });
  return {
    add: (kernel) => worker.postMessage(kernel),
    finish: () => {
      worker.postMessage(null);
      return made;
    },
    close: () => void worker.terminate(),
  };
}
