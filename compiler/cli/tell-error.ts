/** Errors that are no bugs of dsc, told as failures. */
import { resolve } from "node:path";
import type { ExitCode } from "./exit-codes.ts";
import type { Failure } from "./failure.ts";
import { knownFailure } from "./known-failures.ts";
import { projectOf, shownPath } from "./project.ts";
import { reportFailure, type Terminal } from "./terminal.ts";

/** What may be known of an error beside `knownFailure`; null for all else. */
type Knows = (error: unknown) => Failure | null;

/** `file`: whose text the command is about. Throws on what nobody knows, which is a bug. */
export function tellError(error: unknown, file: string, terminal: Terminal, knows: Knows = () => null): ExitCode {
  const project = projectOf(resolve(terminal.cwd, file));
  const failure = knows(error) ?? knownFailure(error, (path) => shownPath(project, path, terminal.cwd));
  if (failure === null) throw error;
  return reportFailure(terminal, failure);
}
