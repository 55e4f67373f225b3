/** The commands, as their help tells them. What they do is loaded when it is asked for. */
import type { CommandLine, CommandSpec, OptionSpec } from "./command-line.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { Surroundings } from "./surroundings.ts";

export interface Command {
  readonly spec: CommandSpec;
  readonly load: () => Promise<(line: CommandLine, surroundings: Surroundings) => ExitCode | Promise<ExitCode>>;
}

const config: OptionSpec = {
  value: "config.json",
  about: "the model's config.json: sizes become numbers, and its conditions are checked",
};
const json: OptionSpec = { value: null, about: "one JSON object on standard output instead of text" };
const settings: OptionSpec = {
  value: "name=value",
  repeats: true,
  about: "an option of the model, a `param` of its own; may be given for each",
};

const projectNote =
  "The project of a file is the nearest folder above it with a package.json or a .git, else the file's own folder. " +
  'Imports may not leave it; "std/…" is the library that comes with dsc.';

const check: Command = {
  spec: {
    name: "check",
    about: "says whether files are right, and what is wrong with them",
    usage: "FILE… [options]",
    operands: { least: 1, most: Number.POSITIVE_INFINITY, word: "file" },
    options: {
      config,
      set: settings,
      weights: {
        value: "header.json",
        about: "compares with a checkpoint: a safetensors header as JSON, or model.safetensors.index.json",
      },
      captures: { value: null, about: "lists what each `..` filled in" },
      unproved: { value: null, about: "lists the conditions that could be neither proved nor refuted" },
      json,
    },
    notes: ["Errors go to standard error, one line for each file without errors to standard output.", projectNote],
  },
  load: async () => (await import("./check-command.ts")).runCheck,
};

const format: Command = {
  spec: {
    name: "fmt",
    about: "formats files in place",
    usage: "[FILE|FOLDER…] [options]",
    operands: { least: 0, most: Number.POSITIVE_INFINITY, word: "file" },
    options: {
      check: {
        value: null,
        about: "changes nothing; lists the files that are not formatted, and exits with 1 for any",
      },
      explicit: { value: null, about: "prints the file with every inferred sum and range written out" },
      flat: { value: null, about: "prints the file's model as written out: what it extends is merged into it" },
      stdin: { value: null, about: "formats standard input to standard output" },
      json,
    },
    notes: [
      "Without a name it formats the working folder. Folders are searched for .ds files; node_modules, dist and hidden folders are left out.",
      "A file is replaced in one step, and only when it changes. A file with syntax errors is never touched.",
    ],
  },
  load: async () => (await import("./fmt-command.ts")).runFmt,
};

const explain: Command = {
  spec: {
    name: "explain",
    about: "explains the code of a diagnostic; lists all codes without one",
    usage: "[CODE] [options]",
    operands: { least: 0, most: 1, word: "code" },
    options: { json },
    notes: [],
  },
  load: async () => (await import("./explain-command.ts")).runExplain,
};

const graph: Command = {
  spec: {
    name: "graph",
    about: "shows the blocks, sizes and weights of a model, as text and as a picture",
    usage: "FILE [options]",
    operands: { least: 1, most: 1, word: "file" },
    options: {
      config,
      set: settings,
      svg: { value: "out.svg", about: "writes the picture; `-` is standard output" },
      text: { value: null, about: "prints the tree; this is the default" },
      json,
    },
    notes: ["It shows the last model of the file. With a config, sizes and parameters are counted.", projectNote],
  },
  load: async () => (await import("./graph-command.ts")).runGraph,
};

const params: Command = {
  spec: {
    name: "params",
    about: "counts the parameters of a model, those that a token activates, and the memory it takes",
    usage: "FILE --config config.json [options]",
    operands: { least: 1, most: 1, word: "file" },
    options: {
      config,
      set: settings,
      kv: { value: "format", about: "in which states are kept that say no format: f32, e4m3, …; without it bf16" },
      json,
    },
    notes: [
      "It counts the last model of the file, block by block. Optional parts, such as a draft module, stand apart.",
      "A token activates every parameter but the members of a family that a call leaves out, as most experts, and but " +
        "tables of which it fetches rows at computed places. An embedding, whose row an input names, is activated, and " +
        "told apart.",
      projectNote,
    ],
  },
  load: async () => (await import("./params-command.ts")).runParams,
};

const languageServer: Command = {
  spec: {
    name: "lsp",
    about: "the language server for editors, on standard input and output",
    usage: "",
    operands: { least: 0, most: 0, word: "" },
    options: { stdio: { value: null, about: "what editors pass; there is no other way" } },
    notes: [],
  },
  load: async () => (await import("./lsp-command.ts")).runLsp,
};

export const commands: readonly Command[] = [check, format, explain, graph, params, languageServer];

export const findCommand = (name: string): Command | null => commands.find(({ spec }) => spec.name === name) ?? null;
