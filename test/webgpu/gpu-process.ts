/** A process with Dawn in it: a driver that crashes takes no test with it. Answers messages in their order. */
import type { DeviceCall } from "../../backends/wgsl/device-runner.ts";
import { type Adapter, type OpenRunner, openRunner, refusals } from "./open-runner.ts";

export type Asked =
  /** `options`: of Dawn. */
  | { readonly kind: "open"; readonly options: readonly string[] }
  | { readonly kind: "check"; readonly text: string }
  | { readonly kind: "run"; readonly call: DeviceCall };
const { create, globals } = await import("webgpu");
Object.assign(globalThis, globals);

/** Dawn ends the process when it is collected. */
let dawn: ReturnType<typeof create> | null = null;
let opened: OpenRunner | null = null;

async function open(options: readonly string[]): Promise<Adapter | null> {
  dawn = create([...options]);
  opened = await openRunner(dawn);
  return opened?.adapter ?? null;
}

async function answer(asked: Asked): Promise<unknown> {
  switch (asked.kind) {
    case "open":
      return open(asked.options);
    case "check":
      if (opened === null) throw new Error("there is no device");
      return refusals(opened.device, asked.text);
    case "run":
      if (opened === null) throw new Error("there is no device");
      return opened.runner.run(asked.call);
    default:
      return asked satisfies never;
  }
}

let last = Promise.resolve();
process.on("message", ({ id, asked }: { readonly id: number; readonly asked: Asked }) => {
  last = last.then(async () => {
    try {
      process.send?.({ id, value: await answer(asked) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });
});
process.on("disconnect", () => process.exit()); // Dawn would keep it alive
process.send?.("ready");
