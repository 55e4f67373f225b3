import type { ExitCode } from "./exit-codes.ts";

/** Why a command cannot go on, as a value: a line for the user, more where there are several mistakes, a hint where there is one, and the exit code. */
export class Failure {
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly hint: string | null;

  constructor(exitCode: ExitCode, message: string, hint: string | null = null) {
    this.exitCode = exitCode;
    this.message = message;
    this.hint = hint;
  }
}
