/** The thread of `module-thread.ts`: proves the kernels that it is sent, makes modules of them, and sends these back when it is told to finish. */
import { parentPort, workerData } from "node:worker_threads";
import { loadTarget } from "../../../backends/registry.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { verify } from "../../kernel/verify.ts";
import type { ThreadOrder } from "./module-thread.ts";

const { target, engine } = workerData as ThreadOrder;
/** Loaded while kernels are waiting. */
const opened = loadTarget(target).then(async (packages) => {
  const writer = (await packages?.writer?.(engine)) ?? null;
  return packages === null || writer === null ? null : { writer, target: packages.target.kernel };
});

/** `null` is the end of them; the answer `null`, which counts before any other, that it cannot be done here. */
parentPort?.on("message", async (kernel: Kernel | null) => {
  try {
    const open = await opened;
    if (kernel === null || open === null) return parentPort?.postMessage(open?.writer.finish() ?? null);
    if (verify(kernel, open.target).length > 0) return parentPort?.postMessage(null);
    open.writer.add(kernel);
  } catch {
    parentPort?.postMessage(null);
  }
});
