/** Dawn in a process of its own, on the driver that is asked for; null where this machine does not have it, and why. */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RunCall } from "../../backends/wgsl/device-runner.ts";
import type { Adapter, Asked } from "./gpu-process.ts";

/** null: Tint alone, which runs nothing. Others are files that name a Vulkan driver. */
export type Driver = "null" | { readonly icd: string; readonly environment?: Readonly<Record<string, string>> };

export class Gpu {
  readonly adapter: Adapter;
  readonly #ask: (asked: Asked) => Promise<unknown>;
  readonly #child: ChildProcess;
  private constructor(adapter: Adapter, child: ChildProcess, ask: (asked: Asked) => Promise<unknown>) {
    this.adapter = adapter;
    this.#child = child;
    this.#ask = ask;
  }

  static async open(driver: Driver): Promise<Gpu | string> {
    if (driver !== "null" && !existsSync(driver.icd)) return `there is no ${driver.icd}`;
    const files = driver === "null" ? {} : { VK_DRIVER_FILES: driver.icd, VK_ICD_FILENAMES: driver.icd };
    const libraries = [process.env["LD_LIBRARY_PATH"], "/usr/lib/chromium"].filter((x) => x !== undefined).join(":");
    const child = fork(fileURLToPath(new URL("./gpu-process.ts", import.meta.url)), {
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
    const { ask, ready } = asking(child);
    const failed = await ready;
    if (failed !== null) return failed;
    const adapter = (await ask({ kind: "open", options: driver === "null" ? ["backend=null"] : [] })) as Adapter | null;
    if (adapter !== null) return new Gpu(adapter, child, ask);
    child.disconnect();
    return "Dawn finds no adapter there";
  }

  /** What is wrong with a module. */
  check(text: string): Promise<readonly string[]> {
    return this.#ask({ kind: "check", text }) as Promise<readonly string[]>;
  }
  readonly run: RunCall = (call) => this.#ask({ kind: "run", call }) as ReturnType<RunCall>;
  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

function asking(child: ChildProcess): {
  readonly ask: (asked: Asked) => Promise<unknown>;
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
  const ask = (asked: Asked): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (ended !== null) return reject(new Error(ended));
      next += 1;
      waiting.set(next, { resolve, reject });
      child.send({ id: next, asked });
    });
  return { ask, ready };
}
