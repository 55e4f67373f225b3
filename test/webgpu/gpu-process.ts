/** A process with Dawn in it: a driver that crashes takes no test with it. Answers messages in their order. */
import type { DeviceCall } from "../../backends/wgsl/device-runner.ts";
import { type Adapter, type OpenRunner, openRunner } from "./open-runner.ts";

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

/** What the compiler and the limits of a pipeline say against a module; the entry points are found in it. */
async function check(text: string): Promise<readonly string[]> {
  if (opened === null) throw new Error("there is no device");
  const { device } = opened;
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code: text });
  const { messages } = await module.getCompilationInfo();
  await device.popErrorScope();
  const errors = messages.filter((m) => m.type === "error").map((m) => `${m.lineNum}:${m.linePos}: ${m.message}`);
  if (errors.length > 0) return errors;
  device.pushErrorScope("validation");
  const pipeline = device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const refused = await pipeline.then(
    () => null,
    (error: unknown) => String(error),
  );
  const found = await device.popErrorScope();
  return [refused, found?.message ?? null].filter((m) => m !== null);
}

async function answer(asked: Asked): Promise<unknown> {
  switch (asked.kind) {
    case "open":
      return open(asked.options);
    case "check":
      return check(asked.text);
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
