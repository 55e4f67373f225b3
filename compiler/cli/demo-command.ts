/** `dsc demo`: a story from the model that dsc brings along, and what to try next. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { downloadedConfig } from "./checkpoint-config.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { readModelTable } from "./import/model-table.ts";
import { nameFrom } from "./project.ts";
import { runRun } from "./run-command.ts";
import { readRunOptions } from "./run-options.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportFailure } from "./terminal.ts";

/** Where the command line says nothing. */
const defaults: Readonly<Record<string, string>> = {
  prompt: "Once upon a time",
  temperature: "0.5",
  seed: "16",
  "max-tokens": "400",
  backend: "wasm",
};

export async function runDemo(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal, home } = surroundings;
  const table = readModelTable(home.folder);
  const text = join(table.folder, table.default);
  if (!existsSync(join(dirname(text), "model.safetensors")))
    return reportFailure(
      terminal,
      new Failure(exitCodes.cannotReadOrWrite, `${nameFrom(terminal.cwd, dirname(text))} has no model.safetensors`),
    );
  const shown = nameFrom(terminal.cwd, text);
  const running = runLine(line, text);
  const options = readRunOptions(running); // before anything is written
  if (options instanceof Failure) return reportFailure(terminal, options);
  terminal.error(`${shown} on ${running.value("backend")}\n\n`);
  const code = await runRun(running, surroundings, running.value("prompt") ?? "");
  if (code === exitCodes.fine)
    terminal.error(next(shown, nameFrom(terminal.cwd, join(dirname(text), downloadedConfig))));
  return code;
}

/** The line of `dsc run` that this stands for. */
function runLine(line: CommandLine, text: string): CommandLine {
  const value = (option: string): string | null =>
    line.value(option) ?? (Object.hasOwn(defaults, option) ? (defaults[option] ?? null) : null);
  return {
    operands: [text],
    value,
    has: (option) => value(option) !== null || line.has(option),
    values: (option) => {
      const found = value(option);
      return found === null ? [] : [found];
    },
  };
}

const next = (text: string, config: string): string =>
  [
    "",
    "Next:",
    `  npx dsc run ${text} --backend wasm --temperature 0.5 --prompt "The little dragon"`,
    `  npx dsc graph ${text} --config ${config} --svg tinyseek.svg`,
    `  npx dsc compile ${text} --config ${config} --out package`,
    "",
  ].join("\n");
