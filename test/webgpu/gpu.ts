/** Dawn in a process of its own, on the driver that is asked for; null where this machine does not have it, and why. */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RunCall } from "../../backends/wgsl/device-runner.ts";
import type { Asked } from "./gpu-process.ts";
import type { Adapter } from "./open-runner.ts";

/** `icd`: the file that names it. */
export interface VulkanDriver {
  readonly icd: string;
  readonly environment?: Readonly<Record<string, string>>;
}
/** null: Tint alone, which runs nothing. */
export type Driver = "null" | VulkanDriver;

/** A process of its own with Dawn in it. */
export interface Dawn<Asked> {
  readonly ask: (asked: Asked) => Promise<unknown>;
  readonly close: () => void;
}

/** `script`: answers messages as gpu-process.ts does. A text is why it cannot be had. */
export async function startDawn<A>(driver: Driver, script: string): Promise<Dawn<A> | string> {
  if (driver !== "null" && !existsSync(driver.icd)) return `there is no ${driver.icd}`;
  const files = driver === "null" ? {} : { VK_DRIVER_FILES: driver.icd, VK_ICD_FILENAMES: driver.icd };
  const libraries = [process.env["LD_LIBRARY_PATH"], "/usr/lib/chromium"].filter((x) => x !== undefined).join(":");
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), {
    execArgv: ["--import", "tsx"],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: {
      ...process.env,
      ...files,
      LD_LIBRARY_PATH: libraries,
      XDG_RUNTIME_DIR: process.env["XDG_RUNTIME_DIR"] ?? "/tmp",
      ...(driver === "null" ? {} : driver.environment),
    },
  });
  const { ask, ready } = asking<A>(child);
  const failed = await ready;
  if (failed !== null) return failed;
  const close = (): void => {
    if (child.connected) child.disconnect();
  };
  return { ask, close };
}

/** What Dawn is told to have that driver alone. */
export const dawnOptions = (driver: Driver): readonly string[] => (driver === "null" ? ["backend=null"] : []);

/** What kernels are run on. */
export interface RunningGpu {
  readonly adapter: Adapter;
  readonly run: RunCall;
}

export class Gpu implements RunningGpu {
  readonly adapter: Adapter;
  readonly #dawn: Dawn<Asked>;
  private constructor(adapter: Adapter, dawn: Dawn<Asked>) {
    this.adapter = adapter;
    this.#dawn = dawn;
  }

  static async open(driver: Driver): Promise<Gpu | string> {
    const dawn = await startDawn<Asked>(driver, "./gpu-process.ts");
    if (typeof dawn === "string") return dawn;
    const adapter = (await dawn.ask({ kind: "open", options: dawnOptions(driver) })) as Adapter | null;
    if (adapter !== null) return new Gpu(adapter, dawn);
    dawn.close();
    return "Dawn finds no adapter there";
  }

  /** What is wrong with a module. */
  check(text: string): Promise<readonly string[]> {
    return this.#dawn.ask({ kind: "check", text }) as Promise<readonly string[]>;
  }
  readonly run: RunCall = (call) => this.#dawn.ask({ kind: "run", call }) as ReturnType<RunCall>;
  close(): void {
    this.#dawn.close();
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

function asking<A>(child: ChildProcess): {
  readonly ask: (asked: A) => Promise<unknown>;
  /** Null, or why the process cannot be used. */
  readonly ready: Promise<string | null>;
} {
  const waiting = new Map<number, Waiting>();
  let [next, ended, said] = [0, null as string | null, ""];
  let begin: (failed: string | null) => void = () => {};
  const ready = new Promise<string | null>((resolve) => {
    begin = resolve;
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-4000);
  });
  child.on("message", (message: "ready" | { id: number; value?: unknown; error?: string }) => {
    if (message === "ready") return begin(null);
    const { resolve, reject } = waiting.get(message.id) ?? {};
    waiting.delete(message.id);
    if (message.error === undefined) resolve?.(message.value);
    else reject?.(new Error(message.error));
  });
  child.on("close", (code, signal) => {
    ended = `the process with Dawn ended with ${signal ?? code}: ${said}`;
    begin(ended);
    for (const { reject } of waiting.values()) reject(new Error(ended));
  });
  const ask = (asked: A): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (ended !== null) return reject(new Error(ended));
      next += 1;
      waiting.set(next, { resolve, reject });
      child.send({ id: next, asked });
    });
  return { ask, ready };
}
