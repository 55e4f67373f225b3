/** Runs the command line as a user does: a process of its own, in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished, vi } from "vitest";

// A process starts in less than a second, but not on a machine that is busy with all the other tests.
vi.setConfig({ testTimeout: 60_000 });

const main = fileURLToPath(new URL("../../compiler/cli/main.ts", import.meta.url));
const loader = import.meta.resolve("tsx");

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  /** The shell's limit for files that the process writes, in its blocks of 512 or 1,024 bytes; no Windows has it. */
  readonly fileBlocks?: number;
}

export function startDsc(args: readonly string[], { cwd, env = {}, fileBlocks }: RunOptions): ChildProcess {
  const { NO_COLOR: _no, FORCE_COLOR: _force, NODE_OPTIONS: _options, ...rest } = process.env;
  const options = { cwd, env: { ...rest, ...env } };
  const whole = ["--import", loader, main, ...args];
  if (fileBlocks === undefined) return spawn(process.execPath, whole, options);
  const limited = `ulimit -f ${fileBlocks}; exec "$0" "$@"`;
  return spawn("sh", ["-c", limited, process.execPath, ...whole], options);
}

export function dsc(args: readonly string[], options: RunOptions): Promise<Ran> {
  const child = startDsc(args, options);
  const out: Buffer[] = [];
  const error: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => error.push(chunk));
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.input ?? "");
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code, out: Buffer.concat(out).toString("utf8"), error: Buffer.concat(error).toString("utf8") }),
    );
  });
}

/** A folder with a package.json, so that it is a project, and these files; gone after the test. */
export function project(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), "dsc-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries({ "package.json": "{}", ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}
