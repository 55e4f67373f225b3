/** Whether a device is still there, and waiting for it in vain. */
import { DeviceLostError, DisposedError, KernelError } from "../artifact/errors.ts";

export class Watch {
  #ended: DeviceLostError | DisposedError | null = null;
  /** What went wrong outside of what is asked for: the first of it. */
  #fault: string | null = null;
  readonly #gone: Promise<never>;

  constructor(device: GPUDevice) {
    this.#gone = device.lost.then(({ message, reason }) => {
      this.#ended ??= new DeviceLostError(message === "" ? (reason ?? "unknown") : message);
      throw this.#ended;
    });
    this.#gone.catch(() => undefined);
    device.addEventListener("uncapturederror", (event) => {
      if ("error" in event) this.#fault ??= (event as GPUUncapturedErrorEvent).error.message;
    });
  }

  /** It goes because the model does: what waits is told so. */
  dispose(): void {
    this.#ended ??= new DisposedError("model");
  }

  /** Throws DeviceLostError, DisposedError and KernelError. */
  check(): void {
    if (this.#ended !== null) throw this.#ended;
    if (this.#fault !== null) throw new KernelError(this.#fault);
  }

  /** Ends with the device. Throws DeviceLostError and DisposedError. */
  async until<T>(work: Promise<T>): Promise<T> {
    try {
      return await Promise.race([work, this.#gone]);
    } catch (error) {
      // A device that goes ends what waits for it first, and says so after.
      await afterEvents();
      throw this.#ended ?? error;
    }
  }
}

const afterEvents = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
