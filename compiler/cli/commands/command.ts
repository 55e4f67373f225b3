/** What a command is told as: the words of its help, which are also what its line is read by. */
import type { CommandLine, CommandSpec, OptionSpec } from "../command-line.ts";
import type { ExitCode } from "../exit-codes.ts";
import type { Surroundings } from "../surroundings.ts";

export interface Command {
  readonly spec: CommandSpec;
  /** What it does, loaded when it is asked for: help and other commands don't wait for it. */
  readonly load: () => Promise<(line: CommandLine, surroundings: Surroundings) => ExitCode | Promise<ExitCode>>;
}

/** An option without a value. */
export const flag = (about: string): OptionSpec => ({ value: null, about });

/** An option with a value that `word` stands for: `config.json`. */
export const takes = (word: string, about: string): OptionSpec => ({ value: word, about });

/** As `takes`, and may be given several times. */
export const takesMany = (word: string, about: string): OptionSpec => ({ value: word, repeats: true, about });

export const oneFile: CommandSpec["operands"] = { least: 1, most: 1, word: "file" };

export const noOperands: CommandSpec["operands"] = { least: 0, most: 0, word: "" };

export const projectNote =
  "The project of a file is the nearest folder above it with a package.json or a .git, else the file's own folder. " +
  'Imports may not leave it; "std/…" is the library that comes with dsc.';
