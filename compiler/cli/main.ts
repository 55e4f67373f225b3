#!/usr/bin/env node
/** `dsc`: finds the command and leaves the rest to it. */
import { readCommandLine } from "./command-line.ts";
import { findCommand } from "./commands.ts";
import { settleEngine } from "./engine-settings.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { isGpuOpen } from "./gpu/open-gpu.ts";
import { findPackageRoot, type PackageRoot } from "./package-root.ts";
import { reportBug } from "./report-bug.ts";
import type { Surroundings } from "./surroundings.ts";
import { endQuietlyOnClosedPipe, openTerminal, reportFailure } from "./terminal.ts";

async function run(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { terminal, home } = surroundings;
  const [name, ...rest] = args;
  if (name === "--version" || name === "-V") {
    terminal.out(`${home.version}\n`);
    return exitCodes.fine;
  }
  const command = name === undefined ? null : findCommand(name);
  const asked = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length);
  if (name === undefined || command === null || asked.includes("--help") || asked.includes("-h")) {
    const { runHelp, unknownCommand } = await import("./help-command.ts");
    if (name === undefined) {
      runHelp([], { ...surroundings, terminal: { ...terminal, out: terminal.error } });
      return exitCodes.usage;
    }
    if (name === "help") return runHelp(rest, surroundings);
    if (name === "--help" || name === "-h") return runHelp([], surroundings);
    if (command !== null) return runHelp([name], surroundings);
    return reportFailure(terminal, unknownCommand(name));
  }
  const line = readCommandLine(command.spec, rest);
  if (line instanceof Failure) return reportFailure(terminal, line);
  const runCommand = await command.load();
  return runCommand(line, surroundings);
}

async function main(): Promise<void> {
  settleEngine(process.versions.node);
  endQuietlyOnClosedPipe(process);
  const terminal = openTerminal(process);
  const args = process.argv.slice(2);
  let home: PackageRoot | null = null;
  try {
    home = findPackageRoot();
    process.exitCode = await run(args, { terminal, home });
  } catch (error) {
    process.exitCode = reportBug(error, args, terminal, home);
  }
}

await main();
if (isGpuOpen()) process.stdout.write("", () => process.exit());
