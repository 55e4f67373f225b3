/** Commands about the compiler: its passes, its packages, and whether what it makes is right. */
import { type Command, flag, noOperands, oneFile, projectNote, takes, takesMany } from "./command.ts";
import { checkpoint, entry, schedule, sizes, target, verify, weightsType } from "./options.ts";

export const opt: Command = {
  spec: {
    name: "opt",
    about: "runs passes over a tensor graph and prints it",
    usage: "FILE.dsg|MODEL.ds [options]",
    operands: oneFile,
    options: {
      pass: takesMany("NAME", "a pass to run, in the order given; all of them without it"),
      "print-after": takesMany("PASS", "prints the graph as it is after this pass, after `elaborate`, or after `all`"),
      phase: takes("NAME", "what plans are made for: decode (the default), verify or prefill"),
      size: takesMany("NAME=number", "a size that plans are made for, over that of the phase"),
      target: takes("NAME", "the machine that plans are made for: gpu (the default) or cpu"),
      report: flag("says behind the graph what was decided, and why"),
      out: takes("FILE.dsg", "where the result goes; standard output without it"),
      ...sizes,
      ...entry,
    },
    notes: [
      "Of a model it takes the entry that is sampled. A graph is printed so that it can be read back.",
      projectNote,
    ],
  },
  load: async () => (await import("../opt-command.ts")).runOpt,
};

export const compile: Command = {
  spec: {
    name: "compile",
    about: "writes a package that runs a model in Node and in browsers",
    usage: "MODEL.ds [--config config.json] [--out DIR] [options]",
    operands: oneFile,
    options: {
      ...sizes,
      ...schedule,
      ...target,
      out: takes("DIR", "the package's folder; without it, one named as the file, here"),
      ...weightsType,
      ...entry,
      page: flag("brings a page along, index.html, that loads weights and talks with the model"),
      "page-weights": takes(
        "URL",
        "what the page offers to load: a folder, which ends with /, or a file; from the page on",
      ),
      text: takes(
        "chat|plain|none",
        "what the package reads of texts: none where it is called with ids of tokens alone; without it chat",
      ),
      without: takes(
        "cache,node",
        "what the package is not to have: what keeps weights in a browser, what reads files of Node",
      ),
      ...verify,
      json: flag("one JSON object: what was written, how large it is, and how long it took"),
    },
    notes: [
      "A folder appears with all of its files or none. What is no package, or holds more than one, is not replaced.",
      "The same text, config and options give the same bytes. Weights are no part of a package: it reads checkpoints.",
      projectNote,
    ],
  },
  load: async () => (await import("../compile-command.ts")).runCompile,
};

export const diff: Command = {
  spec: {
    name: "diff",
    about: "runs a model on two backends and names the first definition that differs",
    usage: "MODEL.ds --weights DIR --ids 1,2,3 [options]",
    operands: oneFile,
    options: {
      ...checkpoint,
      ...schedule,
      a: takes("NAME", "what is right: reference"),
      b: takes("NAME", "what is held to it: wasm, if not given"),
      ids: takes("1,2,3", "the tokens; all but the last in one call, then the last alone"),
      tokens: takes("FILE.json", "the same from a file; `-` is standard input"),
      tolerance: takes(
        "X",
        "most difference, as a share of a definition's largest value; without it 1e-4, and a rounding where numerics round",
      ),
      ...weightsType,
      ...entry,
      out: takes("DIR", "where the repro of a difference goes; dsc-diff if not given"),
    },
    notes: [
      "The graph of each phase runs in f64, and every kernel's result is held against it. The repro are the definition alone " +
        "(node.dsg), its kernel (kernel.dsk), and the numbers that it was given and has computed (values.json).",
      "Where all agree the logits are held against the text as it stands, which shows what the passes change.",
      projectNote,
    ],
  },
  load: async () => (await import("../diff-command.ts")).runDiff,
};

export const conform: Command = {
  spec: {
    name: "conform",
    about: "runs the conformance suite of a backend on this machine",
    usage: "[--backend NAME] [options]",
    operands: noOperands,
    options: {
      backend: takes(
        "NAME",
        "what is held to the reference: wasm, if not given; webgpu, an adapter with all that it has; webgpu-plain, without",
      ),
      only: takes("TEXT", "only what has this in its name: `softmax`, `std/norm`"),
      full: flag("all shapes, and more random programs; without it what a minute has room for"),
      json: flag("one JSON object at the end instead of a table"),
    },
    notes: [
      "A row is a primitive or a block of the library with sizes and a type of weights. Its error is a share of what arithmetic " +
        "in that precision may be off by there: more than 1 fails.",
    ],
  },
  load: async () => (await import("../conform-command.ts")).runConform,
};
