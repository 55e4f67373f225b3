/** What is shown when dsc itself fails: enough to report it, nothing of the user's machine. */
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import type { PackageRoot } from "./package-root.ts";
import { sourceFrame } from "./source-frame.ts";
import type { Terminal } from "./terminal.ts";

const shownFrames = 8;

export function reportBug(
  error: unknown,
  args: readonly string[],
  terminal: Terminal,
  home: PackageRoot | null,
): ExitCode {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const folders = home === null ? [] : [`file://${home.folder}/`, `${home.folder}/`];
  const frames = stack
    .split("\n")
    .filter((line) => !line.includes("node:internal"))
    .slice(0, shownFrames)
    .map(sourceFrame)
    .map((line) => folders.reduce((text, folder) => text.replaceAll(folder, ""), line));
  terminal.error(
    [
      "dsc: this is a bug in dsc, not in your file.",
      "Please report it with the text below and, if you may share it, the file that was read.",
      "",
      `  dsc ${home?.version ?? "?"}, Node ${process.version}, ${process.platform}`,
      `  command: dsc ${args.join(" ")}`,
      ...frames.map((line) => `  ${line}`),
      "",
    ].join("\n"),
  );
  return exitCodes.bug;
}
