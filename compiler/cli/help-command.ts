import { closest } from "../../dsl/diagnostics/suggest.ts";
import { exitCodeHelp, helpOf, twoColumns } from "./command-line.ts";
import { commands, findCommand } from "./commands.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportFailure } from "./terminal.ts";

const examples = `Examples:
  dsc check models/deepseek-v3.2.ds --config config.json
  dsc graph models/deepseek-v3.2.ds --config config.json --svg model.svg
  dsc explain DS0210
`;

/** `dsc help`, `dsc help check`. */
export function runHelp(names: readonly string[], { terminal }: Surroundings): ExitCode {
  const [name, surplus] = names.filter((word) => !word.startsWith("-"));
  if (surplus !== undefined) return reportFailure(terminal, new Failure(exitCodes.usage, "dsc help takes one command"));
  if (name !== undefined && name !== "help") {
    const command = findCommand(name);
    if (command === null) return reportFailure(terminal, unknownCommand(name));
    terminal.out(helpOf(command.spec, terminal.columns));
    return exitCodes.fine;
  }
  const rows = [
    ...commands.map(({ spec }) => [spec.name, spec.about] as const),
    ["help", "this text, or that of a command: dsc help check"] as const,
  ];
  terminal.out(
    [
      "dsc: a declarative compiler for model graphs\n",
      "Usage: dsc COMMAND [options]\n",
      `Commands:\n${twoColumns(rows, terminal.columns)}`,
      "`dsc --version` prints the version. NO_COLOR and FORCE_COLOR are respected.\n",
      examples,
      exitCodeHelp(terminal.columns),
    ].join("\n"),
  );
  return exitCodes.fine;
}

export function unknownCommand(name: string): Failure {
  const near = closest(
    name,
    commands.map(({ spec }) => spec.name),
  );
  const hint = near === null ? "see `dsc help`" : `did you mean \`dsc ${near}\`? see \`dsc help\``;
  return new Failure(exitCodes.usage, `there is no command \`${name}\``, hint);
}
