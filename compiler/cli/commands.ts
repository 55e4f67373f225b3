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

const checkpoint: OptionSpec = {
  value: "DIR",
  about: "the checkpoint: its folder, a .safetensors file or a .safetensors.index.json",
};
const ownConfig: OptionSpec = { value: "config.json", about: "the model's config; without it, the one in the folder" };
const anyBackend: OptionSpec = {
  value: "NAME",
  about:
    "what runs the model: reference (f64, slow, and what is right), wasm, which compiles it first, or webgpu, the same for a GPU (in Node with the package webgpu)",
};
const threads: OptionSpec = { value: "N", about: "threads of a package; without it half of the cores, at most 4" };
const target: OptionSpec = { value: "NAME", about: "what it is made for: wasm, or webgpu; wasm if not given" };
const weightsType: OptionSpec = {
  value: "f32|bf16|f16",
  about: "how real weights are kept in memory, whatever the checkpoint has; f32 if not given",
};
const schedule: OptionSpec = {
  value: "FILE.ds",
  about: "a file of schedules for the model, beside those in its own: how definitions are computed",
};
const entry: OptionSpec = {
  value: "NAME",
  about: "the entry to run; without it, the one that a loop of the model samples",
};
const taps: OptionSpec = {
  value: "NAME,…",
  about: "values of definitions as well, by path in the text, in each layer: layer.y, layer.attn.q, norm.*",
};

/** What runs a model with its weights. */
const running: CommandSpec["options"] = {
  weights: checkpoint,
  config: ownConfig,
  set: settings,
  schedule,
  backend: anyBackend,
  threads,
  "weights-type": weightsType,
};
const draft: CommandSpec["options"][string] = {
  value: "N|off",
  about: "tokens to guess at a time where the model drafts; 1 if not given; what is said stays the same",
};
/** How its tokens are chosen, and what is made of them. */
const generation: CommandSpec["options"] = {
  temperature: {
    value: "X",
    about: "0, the best token always, if not given; 1 chooses as likely as the model says",
  },
  "top-k": { value: "N", about: "chooses among the N best tokens" },
  "top-p": { value: "X", about: "chooses among the best tokens whose probabilities reach X" },
  "min-p": { value: "X", about: "leaves out tokens below X times the best one's probability" },
  "repetition-penalty": { value: "X", about: "above 1 makes tokens less likely that were there before" },
  seed: { value: "N", about: "of the choice; the same seed gives the same text; 0 if not given" },
  stop: { value: "TEXT", repeats: true, about: "ends before this text; one in reasoning does not count" },
  "end-ids": { value: "1,2", about: "ids that end the text, instead of those that the checkpoint names" },
  draft,
  chunk: { value: "N", about: "most prompt tokens of one call; 32 if not given, 256 from a package" },
  template: {
    value: "name=value",
    repeats: true,
    about: "what the chat template reads besides messages, as JSON or text: thinking=true",
  },
  "chat-template": { value: "FILE.jinja", about: "the chat template; without it, the one beside the weights" },
  "no-reasoning": { value: null, about: "does not show what the model writes to itself before it answers" },
  "reasoning-tags": {
    value: "TAGS",
    about: 'what is around that: "<think> </think>" where the files speak of it; none: all text is the answer',
  },
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
    about: "explains the code of a diagnostic, or every kernel that a model becomes",
    usage: "[CODE | MODEL.ds] [options]",
    operands: { least: 0, most: 1, word: "code" },
    options: {
      target: { value: "NAME", about: "what it is planned for: wasm (the default), webgpu or webgpu-subgroups" },
      phase: { value: "NAME", about: "one phase of the model; all without it" },
      kernel: { value: "NAME", about: "the text of one kernel, as the target has it, and nothing else" },
      config,
      set: settings,
      schedule,
      "weights-type": weightsType,
      entry,
      verify: { value: null, about: "checks every intermediate result; a mistake found is a bug in dsc" },
      json,
    },
    notes: [
      "Without a code it lists all. Of a model it says what became one kernel and why, its bytes and FLOPs, its time by the roofline and its share.",
    ],
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

const importFolder: Command = {
  spec: {
    name: "import",
    about: "says what a downloaded model is, whether it can be used, and works out what its files leave out",
    usage: "DIR [options]",
    operands: { least: 1, most: 1, word: "folder" },
    options: {
      model: { value: "FILE.ds", about: "the text that describes it; without it, the one for the config's model_type" },
      force: { value: null, about: "replaces files of constants that hold something else" },
      json: { value: null, about: "one JSON object with all that was found" },
    },
    notes: [
      "Config, tensor headers and tokenizer are held against the text; no number of a tensor is read. Which text describes " +
        "which model_type stands in models/models.json.",
      "Constants that the config lacks are written beside it, as config.dsc.json, and tensors that the checkpoint lacks as " +
        "extra.dsc.safetensors: all commands read both from then on. What was downloaded is never changed.",
    ],
  },
  load: async () => (await import("./import-command.ts")).runImport,
};

const run: Command = {
  spec: {
    name: "run",
    about: "generates text with a model and its weights",
    usage: "MODEL.ds|PACKAGE --weights DIR [options]",
    operands: { least: 1, most: 1, word: "file" },
    options: {
      ...running,
      prompt: { value: "TEXT", about: "what to go on from; without it and --ids, standard input" },
      ids: {
        value: "1,2,3",
        about: "the prompt as ids of tokens; needs no tokenizer, and prints ids where there is none",
      },
      chat: { value: null, about: "the prompt is a user's message, put into the checkpoint's chat template" },
      "max-tokens": { value: "N", about: "most tokens to generate; 256 if not given" },
      ...generation,
      entry,
      taps: { ...taps, about: `${taps.about}; with --json` },
      json: { value: null, about: "one JSON object at the end: ids, text, why it stopped, statistics" },
    },
    notes: [
      "The text goes to standard output as it comes, statistics to standard error. Ids that surround a prompt (BOS) are " +
        "those that the tokenizer's files configure; the text ends at eos_token_id of generation_config.json, else of " +
        "config.json, else at the tokenizer's.",
      "Ctrl-C ends it after the token that is being computed; what was written stays. A second one ends it at once.",
      "With --backend wasm a .ds file is compiled into a cache (DSC_CACHE, else where the system keeps caches) and found there " +
        "the next time; the folder of a package runs as it is.",
      projectNote,
    ],
  },
  load: async () => (await import("./run-command.ts")).runRun,
};

const chat: Command = {
  spec: {
    name: "chat",
    about: "a conversation with a model, in the terminal or through a pipe",
    usage: "MODEL.ds|PACKAGE --weights DIR [options]",
    operands: { least: 1, most: 1, word: "file" },
    options: {
      ...running,
      system: { value: "TEXT", about: "what the conversation begins with" },
      "max-tokens": { value: "N", about: "most tokens of an answer; without it, as many as the model remembers" },
      ...generation,
      entry,
      json: {
        value: null,
        about: "one JSON object an answer; a line that begins with { is one with the message as `content`",
      },
    },
    notes: [
      "A line is a message; the checkpoint's chat template makes prompts of them. Of an answer, what the model writes to itself " +
        "stays out of the conversation. What a prompt has in common with the one before is not computed again.",
      "/reset, /undo, /system TEXT, /save FILE, /stats, /help and /quit are commands. Ctrl-C stops an answer, and leaves where none " +
        "is written; a second one ends the program at once.",
      projectNote,
    ],
  },
  load: async () => (await import("./chat-command.ts")).runChat,
};

const logits: Command = {
  spec: {
    name: "logits",
    about: "writes the logits of every position of given tokens",
    usage: "MODEL.ds|PACKAGE --weights DIR --tokens FILE.json --out FILE.json [options]",
    operands: { least: 1, most: 1, word: "file" },
    options: {
      weights: checkpoint,
      config: ownConfig,
      set: settings,
      backend: anyBackend,
      threads,
      "weights-type": weightsType,
      tokens: {
        value: "FILE.json",
        about: "ids: [0, 17, 4], or an object with them under `tokens`; `-` is standard input",
      },
      out: { value: "FILE.json", about: "where the result goes; `-` is standard output" },
      chunk: { value: "N", about: "most tokens of one call; without it, as many as the model takes" },
      entry,
      taps,
    },
    notes: [
      'The result is {"logits": [[…], …]}, a row a position; with --taps also {"taps": {"layer.y": [{"layer": 0, ' +
        '"position": 0, "dims": [14, 32], "values": […]}, …]}}: values are flat, row-major. Numbers read back exactly; ' +
        'NaN and infinities are the texts "NaN", "Infinity" and "-Infinity".',
      projectNote,
    ],
  },
  load: async () => (await import("./logits-command.ts")).runLogits,
};

const perplexity: Command = {
  spec: {
    name: "perplexity",
    about: "measures how well a model predicts a text: loss per token and per byte",
    usage: "MODEL.ds|PACKAGE --weights DIR --text FILE [options]",
    operands: { least: 1, most: 1, word: "file" },
    options: {
      ...running,
      text: { value: "FILE", about: "the text, UTF-8; `-` is standard input" },
      tokens: {
        value: "FILE.json",
        about:
          "one document as ids instead: [0, 17, 4], or an object with them under `tokens`; none is put before them",
      },
      separator: {
        value: "TEXT",
        about: "what stands between documents, line breaks around it included; without it the file is one document",
      },
      first: { value: "N", about: "only the first N documents" },
      last: { value: "N", about: "only the last N documents" },
      context: { value: "N", about: "ids of a window, BOS included; without it as many as the model remembers" },
      stride: {
        value: "N",
        about: "ids that a window counts; those before them in it are context. Without it as many as there can be",
      },
      cut: { value: null, about: "only the first window of each document: the rest of it is left out" },
      chunk: { value: "N", about: "most tokens of one call; 32 if not given, 256 from a package" },
      entry,
      json: { value: null, about: "one JSON object: the sums, and the loss of each document" },
    },
    notes: [
      "Each document begins with what the tokenizer puts before a prompt (BOS), and each later window of it does again, at " +
        "position 0. Every id of a document's text is predicted once, from those before it in its window; BOS is not. Where nothing " +
        "is put before texts, the first id of a document is predicted by nothing and not counted.",
      "Nats per token is the mean of -ln p, ± its standard error over documents; perplexity is e to it. Bytes are those of the text " +
        "that the counted ids decode to, in UTF-8.",
      "--backend wasm is the fast way. Ctrl-C ends it after the call that is computed and tells what was counted until then.",
      projectNote,
    ],
  },
  load: async () => (await import("./perplexity-command.ts")).runPerplexity,
};

const tiny: Command = {
  spec: {
    name: "tiny",
    about: "makes a toy twin of a model: its config with small sizes, and weights from a seed",
    usage: "FILE --config config.json --out DIR [options]",
    operands: { least: 1, most: 1, word: "file" },
    options: {
      config,
      set: settings,
      out: { value: "DIR", about: "the folder for config.json and model.safetensors" },
      seed: { value: "N", about: "another seed gives other weights; without it 0" },
      dtype: { value: "f32|bf16", about: "how numbers are stored whose type is left open; without it f32" },
      dim: {
        value: "path=value",
        repeats: true,
        about: "a value of config.json as it shall be, as JSON: `hidden_size=64`, `rope_scaling.factor=4`",
      },
      force: { value: null, about: "replaces files that are there" },
    },
    notes: [
      "Which values of config.json are sizes follows from the model's text. They shrink in step, and where a condition of " +
        "the text then fails, one after the other is changed until it holds.",
      "The same input gives the same bytes. All values are exact in bf16, so both types hold the same numbers. `dsc quantize` " +
        "goes on from there.",
      projectNote,
    ],
  },
  load: async () => (await import("./tiny-command.ts")).runTiny,
};

const quantize: Command = {
  spec: {
    name: "quantize",
    about: "writes a checkpoint in a storage format of the model's text, from one that is not quantised",
    usage: "MODEL.ds --weights DIR --out DIR [options]",
    operands: { least: 1, most: 1, word: "file" },
    options: {
      weights: checkpoint,
      config: ownConfig,
      set: settings,
      format: {
        value: "NAME",
        about: "the element type of a `storage` line: e4m3; the one that the text has if not given",
      },
      out: { value: "DIR", about: "the folder to write" },
      only: { value: "PATTERN", repeats: true, about: "these tensors, whatever the text says; `*` is any text" },
      keep: { value: "PATTERN", repeats: true, about: "tensors that stay as they are" },
      scales: {
        value: "largest|pow2",
        about:
          "multipliers: a block's largest over that of the type, or the next power of two; if not given, as the config says",
      },
      force: { value: null, about: "replaces files that are there" },
      json: { value: null, about: "one JSON object with the error of each tensor" },
    },
    notes: [
      "It packs the matrices of layers. What stays: weights of a type of their own, such as f32 of a router; those of which rows " +
        "are fetched, as embeddings and tables; those along the vocabulary, as the head; and what the storage line names behind " +
        "`not at`. Norms and biases have no two axes.",
      "What was written is decoded by the text's own block and held against the checkpoint before it takes its place: all files " +
        "appear, or none. Tokenizer, templates and licences come along, and config.json says how the weights are stored.",
      "The largest error is a share of the tensor's largest magnitude, the mean the sum of all differences over the sum of all " +
        "magnitudes. The same input gives the same bytes.",
      projectNote,
    ],
  },
  load: async () => (await import("./quantize-command.ts")).runQuantize,
};

const opt: Command = {
  spec: {
    name: "opt",
    about: "runs passes over a tensor graph and prints it",
    usage: "FILE.dsg|MODEL.ds [options]",
    operands: { least: 1, most: 1, word: "file" },
    options: {
      pass: { value: "NAME", repeats: true, about: "a pass to run, in the order given; all of them without it" },
      "print-after": {
        value: "PASS",
        repeats: true,
        about: "prints the graph as it is after this pass, after `elaborate`, or after `all`",
      },
      phase: { value: "NAME", about: "what plans are made for: decode (the default), verify or prefill" },
      size: { value: "NAME=number", repeats: true, about: "a size that plans are made for, over that of the phase" },
      target: { value: "NAME", about: "the machine that plans are made for: gpu (the default) or cpu" },
      report: { value: null, about: "says behind the graph what was decided, and why" },
      out: { value: "FILE.dsg", about: "where the result goes; standard output without it" },
      config,
      set: settings,
      entry,
    },
    notes: [
      "Of a model it takes the entry that is sampled. A graph is printed so that it can be read back.",
      projectNote,
    ],
  },
  load: async () => (await import("./opt-command.ts")).runOpt,
};

const compile: Command = {
  spec: {
    name: "compile",
    about: "writes a package that runs a model in Node and in browsers",
    usage: "MODEL.ds [--config config.json] [--out DIR] [options]",
    operands: { least: 1, most: 1, word: "file" },
    options: {
      config,
      set: settings,
      schedule,
      target,
      out: { value: "DIR", about: "the package's folder; without it, one named as the file, here" },
      "weights-type": weightsType,
      entry,
      page: { value: null, about: "brings a page along, index.html, that loads weights and talks with the model" },
      "page-weights": {
        value: "URL",
        about: "what the page offers to load: a folder, which ends with /, or a file; from the page on",
      },
      verify: { value: null, about: "checks every intermediate result; a mistake found is a bug in dsc" },
      json: { value: null, about: "one JSON object: what was written, how large it is, and how long it took" },
    },
    notes: [
      "A folder appears with all of its files or none. What is no package, or holds more than one, is not replaced.",
      "The same text, config and options give the same bytes. Weights are no part of a package: it reads checkpoints.",
      projectNote,
    ],
  },
  load: async () => (await import("./compile-command.ts")).runCompile,
};

const bench: Command = {
  spec: {
    name: "bench",
    about: "measures how fast a model runs here, beside what this machine gives",
    usage: "MODEL.ds|PACKAGE --weights DIR [options]",
    operands: { least: 1, most: 1, word: "file" },
    options: {
      weights: checkpoint,
      config: ownConfig,
      set: settings,
      schedule,
      target,
      threads,
      "weights-type": weightsType,
      entry,
      prompt: { value: "N", about: "tokens of the prompt; 128 if not given" },
      tokens: { value: "N", about: "tokens computed one by one behind it; 64 if not given" },
      draft: { ...draft, about: "tokens to guess at a time where the model drafts, beside none; 1 if not given" },
      runs: { value: "N", about: "how often, after a first time that does not count; 5 if not given" },
      json: { value: null, about: "one JSON object with all that was measured" },
    },
    notes: [
      "The limits are measured twice between the runs, in the same process and with as many threads: bytes read far beyond the " +
        "caches in several streams, and multiply-adds in registers, both by WebAssembly. A share is what the model moves or " +
        "computes for its tokens, as planned, by the median time.",
      projectNote,
    ],
  },
  load: async () => (await import("./bench-command.ts")).runBench,
};

const diff: Command = {
  spec: {
    name: "diff",
    about: "runs a model on two backends and names the first definition that differs",
    usage: "MODEL.ds --weights DIR --ids 1,2,3 [options]",
    operands: { least: 1, most: 1, word: "file" },
    options: {
      weights: checkpoint,
      config: ownConfig,
      set: settings,
      schedule,
      a: { value: "NAME", about: "what is right: reference" },
      b: { value: "NAME", about: "what is held to it: wasm, if not given" },
      ids: { value: "1,2,3", about: "the tokens; all but the last in one call, then the last alone" },
      tokens: { value: "FILE.json", about: "the same from a file; `-` is standard input" },
      tolerance: {
        value: "X",
        about:
          "most difference, as a share of a definition's largest value; without it 1e-4, and a rounding where numerics round",
      },
      "weights-type": weightsType,
      entry,
      out: { value: "DIR", about: "where the repro of a difference goes; dsc-diff if not given" },
    },
    notes: [
      "The graph of each phase runs in f64, and every kernel's result is held against it. The repro are the definition alone " +
        "(node.dsg), its kernel (kernel.dsk), and the numbers that it was given and has computed (values.json).",
      "Where all agree the logits are held against the text as it stands, which shows what the passes change.",
      projectNote,
    ],
  },
  load: async () => (await import("./diff-command.ts")).runDiff,
};

const conform: Command = {
  spec: {
    name: "conform",
    about: "runs the conformance suite of a backend on this machine",
    usage: "[--backend NAME] [options]",
    operands: { least: 0, most: 0, word: "" },
    options: {
      backend: {
        value: "NAME",
        about:
          "what is held to the reference: wasm, if not given; webgpu, an adapter with all that it has; webgpu-plain, without",
      },
      only: { value: "TEXT", about: "only what has this in its name: `softmax`, `std/norm`" },
      full: { value: null, about: "all shapes, and more random programs; without it what a minute has room for" },
      json: { value: null, about: "one JSON object at the end instead of a table" },
    },
    notes: [
      "A row is a primitive or a block of the library with sizes and a type of weights. Its error is a share of what arithmetic " +
        "in that precision may be off by there: more than 1 fails.",
    ],
  },
  load: async () => (await import("./conform-command.ts")).runConform,
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

const demo: Command = {
  spec: {
    name: "demo",
    about: "writes a story with the small model that dsc brings along",
    usage: "[options]",
    operands: { least: 0, most: 0, word: "file" },
    options: {
      prompt: { value: "TEXT", about: "what the story begins with; Once upon a time if not given" },
      temperature: {
        value: "X",
        about: "0, the best token always, to 1, as likely as the model says; 0.5 if not given",
      },
      seed: { value: "N", about: "the same seed gives the same story; 16 if not given" },
      "max-tokens": { value: "N", about: "most tokens to generate; 400 if not given" },
      draft,
      backend: { ...anyBackend, about: `${anyBackend.about}; wasm if not given` },
      threads,
    },
    notes: [
      "The story goes to standard output as it comes, statistics and what to try next to standard error. The model is compiled into " +
        "a cache (DSC_CACHE, else where the system keeps caches) and found there the next time.",
    ],
  },
  load: async () => (await import("./demo-command.ts")).runDemo,
};

const playground: Command = {
  spec: {
    name: "playground",
    about: "the whole compiler as a page: edit a text, see diagnostics, graph, kernels and what it says",
    usage: "[options]",
    operands: { least: 0, most: 0, word: "" },
    options: {
      port: { value: "N", about: "of this machine; 8137 if not given, 0 for one that is free" },
      out: { value: "DIR", about: "writes the page's folder instead of serving it" },
    },
    notes: [
      "The address goes to standard output. The page needs no server but one that hands out its files and answers ranges of bytes; all of the " +
        "compiler runs in it. It opens with the model that dsc brings along, and has the library and all models.",
    ],
  },
  load: async () => (await import("./playground-command.ts")).runPlayground,
};

export const commands: readonly Command[] = [
  check,
  format,
  explain,
  graph,
  params,
  tiny,
  importFolder,
  quantize,
  demo,
  run,
  chat,
  logits,
  perplexity,
  opt,
  compile,
  bench,
  diff,
  conform,
  playground,
  languageServer,
];

export const findCommand = (name: string): Command | null => commands.find(({ spec }) => spec.name === name) ?? null;
