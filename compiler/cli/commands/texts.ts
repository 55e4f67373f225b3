/** Commands about a text: whether it is right, how it looks, what it says, what it would become. */
import { type Command, flag, oneFile, projectNote, takes } from "./command.ts";
import { entry, json, schedule, sizes, verify, weightsType } from "./options.ts";

export const check: Command = {
  spec: {
    name: "check",
    about: "says whether files are right, and what is wrong with them",
    usage: "FILE… [options]",
    operands: { least: 1, most: Number.POSITIVE_INFINITY, word: "file" },
    options: {
      ...sizes,
      weights: takes(
        "header.json",
        "compares with a checkpoint: a safetensors header as JSON, or model.safetensors.index.json",
      ),
      captures: flag("lists what each `..` filled in"),
      unproved: flag("lists the conditions that could be neither proved nor refuted"),
      ...json,
    },
    notes: ["Errors go to standard error, one line for each file without errors to standard output.", projectNote],
  },
  load: async () => (await import("../check-command.ts")).runCheck,
};

export const format: Command = {
  spec: {
    name: "fmt",
    about: "formats files in place",
    usage: "[FILE|FOLDER…] [options]",
    operands: { least: 0, most: Number.POSITIVE_INFINITY, word: "file" },
    options: {
      check: flag("changes nothing; lists the files that are not formatted, and exits with 1 for any"),
      explicit: flag("prints the file with every inferred sum and range written out"),
      flat: flag("prints the file's model as written out: what it extends is merged into it"),
      stdin: flag("formats standard input to standard output"),
      ...json,
    },
    notes: [
      "Without a name it formats the working folder. Folders are searched for .ds files; node_modules, dist and hidden folders are left out.",
      "A file is replaced in one step, and only when it changes. A file with syntax errors is never touched.",
    ],
  },
  load: async () => (await import("../fmt-command.ts")).runFmt,
};

export const explain: Command = {
  spec: {
    name: "explain",
    about: "explains the code of a diagnostic, or every kernel that a model becomes",
    usage: "[CODE | MODEL.ds] [options]",
    operands: { least: 0, most: 1, word: "code" },
    options: {
      target: takes("NAME", "what it is planned for: wasm (the default), webgpu or webgpu-subgroups"),
      phase: takes("NAME", "one phase of the model; all without it"),
      kernel: takes("NAME", "the text of one kernel, as the target has it, and nothing else"),
      ...sizes,
      ...schedule,
      ...weightsType,
      ...entry,
      ...verify,
      ...json,
    },
    notes: [
      "Without a code it lists all. Of a model it says what became one kernel and why, its bytes and FLOPs, its time by the roofline and its share.",
    ],
  },
  load: async () => (await import("../explain-command.ts")).runExplain,
};

export const graph: Command = {
  spec: {
    name: "graph",
    about: "shows the blocks, sizes and weights of a model, as text and as a picture",
    usage: "FILE [options]",
    operands: oneFile,
    options: {
      ...sizes,
      svg: takes("out.svg", "writes the picture; `-` is standard output"),
      text: flag("prints the tree; this is the default"),
      ...json,
    },
    notes: ["It shows the last model of the file. With a config, sizes and parameters are counted.", projectNote],
  },
  load: async () => (await import("../graph-command.ts")).runGraph,
};

export const params: Command = {
  spec: {
    name: "params",
    about: "counts the parameters of a model, those that a token activates, and the memory it takes",
    usage: "FILE --config config.json [options]",
    operands: oneFile,
    options: {
      ...sizes,
      kv: takes("format", "in which states are kept that say no format: f32, e4m3, …; without it bf16"),
      ...json,
    },
    notes: [
      "It counts the last model of the file, block by block. Optional parts, such as a draft module, stand apart.",
      "A token activates every parameter but the members of a family that a call leaves out, as most experts, and but " +
        "tables of which it fetches rows at computed places. An embedding, whose row an input names, is activated, and " +
        "told apart.",
      projectNote,
    ],
  },
  load: async () => (await import("../params-command.ts")).runParams,
};
