/** A command in a process of its own, as a user types it. */
import { spawn } from "node:child_process";

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** `env`: added to a clean one, without what a test runner leaves to its children. */
export function runCommand(
  command: string,
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Ended> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:npm_|NODE_|VITEST|DSC_)/.test(name));
  const child = spawn(command, args, { cwd, env: { ...Object.fromEntries(kept), ...env } });
  const out: Buffer[] = [];
  const error: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => error.push(chunk));
  child.stdin.end();
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code, out: Buffer.concat(out).toString("utf8"), error: Buffer.concat(error).toString("utf8") }),
    );
  });
}

/** As above; a command that fails is an error. */
export async function mustRun(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, out, error } = await runCommand(command, args, { cwd });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} has ended with ${code}:\n${error}${out}`);
  return out;
}
