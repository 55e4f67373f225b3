/** A command run inside this process: what many small cases are told with, where a process each would take minutes. */
import { readCommandLine } from "../../compiler/cli/command-line.ts";
import { findCommand } from "../../compiler/cli/commands.ts";
import { Failure } from "../../compiler/cli/failure.ts";
import type { InputLine } from "../../compiler/cli/input-lines.ts";
import { reportFailure, type Terminal } from "../../compiler/cli/terminal.ts";
import { root } from "../conformance/bind-text.ts";
import type { Ran } from "./run-dsc.ts";

/** `args` begin with the command; `input` is what its lines are asked of, and `progress` is told
 * what has been written when. What is thrown is a bug, and thrown on. */
export async function runInside(
  args: readonly string[],
  cwd: string,
  input: readonly string[] = [],
  progress: (doing: string, out: string) => void = () => undefined,
): Promise<Ran> {
  let [out, error] = ["", ""];
  const terminal: Terminal = {
    cwd,
    columns: 80,
    colour: { out: false, error: false },
    out: (text) => {
      out += text;
    },
    error: (text) => {
      error += text;
    },
    progress: (doing) => progress(doing, out),
    lines: () => {
      const rest = [...input];
      const next = async (): Promise<InputLine> => {
        const text = rest.shift();
        return text === undefined ? { kind: "end" } : { kind: "line", text };
      };
      return { typed: false, next, close: () => undefined };
    },
  };
  const [name = "", ...rest] = args;
  const command = findCommand(name);
  if (command === null) throw new Error(`no command ${name}`);
  const line = readCommandLine(command.spec, rest);
  if (line instanceof Failure) return { code: reportFailure(terminal, line), out, error };
  const run = await command.load();
  const code = await run(line, { terminal, home: { folder: root, version: "0" } });
  return { code, out, error };
}
