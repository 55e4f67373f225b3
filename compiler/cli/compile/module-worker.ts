/** The thread of `module-thread.ts`: makes modules of the kernels that it is sent, and sends them back when it is told to finish. */
import { parentPort, workerData } from "node:worker_threads";
import { loadTarget } from "../../../backends/registry.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { ThreadOrder } from "./module-thread.ts";

const { target, engine } = workerData as ThreadOrder;
/** Loaded while kernels are waiting. */
const writer = loadTarget(target).then((packages) => packages?.writer?.(engine) ?? null);

/** `null` is the end of them; the answer `null`, which counts before any other, that it cannot be done here. */
parentPort?.on("message", async (kernel: Kernel | null) => {
  try {
    const open = await writer;
    if (kernel !== null) open?.add(kernel);
    else parentPort?.postMessage(open?.finish() ?? null);
  } catch {
    parentPort?.postMessage(null);
  }
});
