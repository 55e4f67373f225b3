/** `dsc playground`: the whole compiler as a page, served here or written to a folder for any static server. */
import { resolve } from "node:path";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { onInterrupt } from "./interrupt.ts";
import { playgroundFiles } from "./playground/playground-files.ts";
import { type ServedFiles, serveFiles } from "./playground/serve-files.ts";
import { nameFrom } from "./project.ts";
import { reasonOf } from "./read-file.ts";
import { readCount } from "./read-number.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportFailure } from "./terminal.ts";
import { writePackage } from "./write-package.ts";

const usualPort = 8137;

export async function runPlayground(line: CommandLine, { terminal, home }: Surroundings): Promise<ExitCode> {
  const port = readCount(line, "port", 0) ?? usualPort;
  if (port instanceof Failure) return reportFailure(terminal, port);
  if (port > 65_535) return reportFailure(terminal, new Failure(exitCodes.usage, `--port ${port}: there are 65535`));
  const files = await playgroundFiles(home);
  if (files instanceof Failure) return reportFailure(terminal, files);
  const out = line.value("out");
  if (out !== null) {
    const folder = resolve(terminal.cwd, out);
    const shown = nameFrom(terminal.cwd, folder);
    const failure = await writePackage(folder, shown, files);
    if (failure !== null) return reportFailure(terminal, failure);
    terminal.out(
      `${shown}: the playground, ${files.length} files for any static server that answers ranges of bytes\n`,
    );
    return exitCodes.fine;
  }
  const served = await serveFiles(files, port).catch(
    (error: unknown) =>
      new Failure(exitCodes.cannotReadOrWrite, `port ${port} cannot be used: ${reasonOf(error)}`, "--port N"),
  );
  if (served instanceof Failure) return reportFailure(terminal, served);
  terminal.out(`${served.address}\n`);
  terminal.error("the playground is there until Ctrl-C\n");
  await untilInterrupt(served);
  return exitCodes.fine;
}

async function untilInterrupt(served: ServedFiles): Promise<void> {
  const { signal, release } = onInterrupt();
  await new Promise<void>((end) => signal.addEventListener("abort", () => end()));
  release();
  await served.close();
}
