import type { CommandLine } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { asksForPackage } from "./load-package.ts";
import type { TapNames } from "./tap-names.ts";

/** Whether a package runs the command's model, and not a session of a backend; a failure where an option is given that it then lacks. */
export function runsPackage(line: CommandLine, cwd: string, taps: TapNames): boolean | Failure {
  if (asksForPackage(line, cwd))
    return taps.names.length === 0 || new Failure(exitCodes.usage, "--taps needs --backend reference");
  const idle = ["threads", "weights-type"].find((option) => line.value(option) !== null);
  return idle !== undefined && new Failure(exitCodes.usage, `--${idle} is for packages`, "--backend wasm");
}
