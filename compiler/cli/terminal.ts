/** The streams, and what may be written on two of them. */
import { printable } from "../../dsl/diagnostics/display.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import type { Failure } from "./failure.ts";
import { type InputLines, inputLines } from "./input-lines.ts";

export interface Terminal {
  readonly cwd: string;
  /** Columns to wrap prose to. */
  readonly columns: number;
  readonly colour: { readonly out: boolean; readonly error: boolean };
  /** Results. Text is written as it is. */
  readonly out: (text: string) => void;
  /** Everything else. */
  readonly error: (text: string) => void;
  /** What is being done; shown only when the command has run for a second, and only to a person. */
  readonly progress: (doing: string) => void;
  /** What is said to the command, line by line; `prompt` stands before a line that a person types. */
  readonly lines: (prompt: string) => InputLines;
}

const patience = 1000;

/** NO_COLOR and FORCE_COLOR as no-color.org and force-color.org have them: an empty value counts as unset. */
function mayColour(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean {
  const force = env["FORCE_COLOR"] ?? "";
  if (force !== "") return force !== "0" && force !== "false";
  if ((env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb") return false;
  return stream.isTTY === true;
}

export function openTerminal(process: NodeJS.Process): Terminal {
  const { stdout, stderr, env } = process;
  const started = performance.now();
  let shown = false;
  const clear = (): void => {
    if (shown) stderr.write("\r\u001b[K");
    shown = false;
  };
  return {
    cwd: process.cwd(),
    columns: Math.max(40, Math.min(stdout.columns ?? 80, 100)),
    colour: { out: mayColour(stdout, env), error: mayColour(stderr, env) },
    out: (text) => {
      clear();
      stdout.write(text);
    },
    error: (text) => {
      clear();
      stderr.write(text);
    },
    progress: (doing) => {
      if (stderr.isTTY !== true || performance.now() - started < patience) return;
      const width = Math.max(10, (stderr.columns ?? 80) - 1);
      stderr.write(`\r\u001b[K${[...printable(doing)].slice(0, width).join("")}`);
      shown = true;
    },
    lines: (prompt) => inputLines(process, prompt),
  };
}

/** Says what is wrong and answers with its exit code. */
export function reportFailure(terminal: Terminal, failure: Failure): ExitCode {
  const { message, hint, exitCode } = failure;
  const label = terminal.colour.error ? "\u001b[1;31mdsc:\u001b[0m" : "dsc:";
  const lines = message.split("\n").map((line) => printable(line.trim()));
  terminal.error(`${label} ${lines.join("\n  ")}\n${hint === null ? "" : `  ${printable(hint)}\n`}`);
  return exitCode;
}

/** A reader that goes away (`dsc explain | head`) is no error: the rest is not wanted. */
export function endQuietlyOnClosedPipe(process: NodeJS.Process): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(process.exitCode ?? exitCodes.fine);
      throw error;
    });
  }
}
