/** Commands that stay and answer: a page and an editor ask them. */
import { type Command, flag, noOperands, takes } from "./command.ts";

export const playground: Command = {
  spec: {
    name: "playground",
    about: "the whole compiler as a page: edit a text, see diagnostics, graph, kernels and what it says",
    usage: "[options]",
    operands: noOperands,
    options: {
      port: takes("N", "of this machine; 8137 if not given, 0 for one that is free"),
      out: takes("DIR", "writes the page's folder instead of serving it"),
    },
    notes: [
      "The address goes to standard output. The page needs no server but one that hands out its files and answers ranges of bytes; all of the " +
        "compiler runs in it. It opens with the model that dsc brings along, and has the library and all models.",
    ],
  },
  load: async () => (await import("../playground-command.ts")).runPlayground,
};

export const languageServer: Command = {
  spec: {
    name: "lsp",
    about: "the language server for editors, on standard input and output",
    usage: "",
    operands: noOperands,
    options: { stdio: flag("what editors pass; there is no other way") },
    notes: [],
  },
  load: async () => (await import("../lsp-command.ts")).runLsp,
};
