/** Commands that run a model and tell numbers. */
import { type Command, flag, oneFile, projectNote, takes } from "./command.ts";
import { backend, checkpoint, draft, entry, running, schedule, taps, target, threads, weightsType } from "./options.ts";

export const logits: Command = {
  spec: {
    name: "logits",
    about: "writes the logits of every position of given tokens",
    usage: "MODEL.ds|PACKAGE --weights DIR --tokens FILE.json --out FILE.json [options]",
    operands: oneFile,
    options: {
      ...checkpoint,
      ...backend,
      ...threads,
      ...weightsType,
      tokens: takes("FILE.json", "ids: [0, 17, 4], or an object with them under `tokens`; `-` is standard input"),
      out: takes("FILE.json", "where the result goes; `-` is standard output"),
      chunk: takes("N", "most tokens of one call; without it, as many as the model takes"),
      ...entry,
      ...taps,
    },
    notes: [
      'The result is {"logits": [[…], …]}, a row a position; with --taps also {"taps": {"layer.y": [{"layer": 0, ' +
        '"position": 0, "dims": [14, 32], "values": […]}, …]}}: values are flat, row-major. Numbers read back exactly; ' +
        'NaN and infinities are the texts "NaN", "Infinity" and "-Infinity".',
      projectNote,
    ],
  },
  load: async () => (await import("../logits-command.ts")).runLogits,
};

export const perplexity: Command = {
  spec: {
    name: "perplexity",
    about: "measures how well a model predicts a text: loss per token and per byte",
    usage: "MODEL.ds|PACKAGE --weights DIR --text FILE [options]",
    operands: oneFile,
    options: {
      ...running,
      text: takes("FILE", "the text, UTF-8; `-` is standard input"),
      tokens: takes(
        "FILE.json",
        "one document as ids instead: [0, 17, 4], or an object with them under `tokens`; none is put before them",
      ),
      separator: takes(
        "TEXT",
        "what stands between documents, line breaks around it included; without it the file is one document",
      ),
      first: takes("N", "only the first N documents"),
      last: takes("N", "only the last N documents"),
      context: takes("N", "ids of a window, BOS included; without it as many as the model remembers"),
      stride: takes(
        "N",
        "ids that a window counts; those before them in it are context. Without it as many as there can be",
      ),
      cut: flag("only the first window of each document: the rest of it is left out"),
      chunk: takes("N", "most tokens of one call; 32 if not given, 256 from a package"),
      ...entry,
      json: flag("one JSON object: the sums, and the loss of each document"),
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
  load: async () => (await import("../perplexity-command.ts")).runPerplexity,
};

export const bench: Command = {
  spec: {
    name: "bench",
    about: "measures how fast a model runs here, beside what this machine gives",
    usage: "MODEL.ds|PACKAGE --weights DIR [options]",
    operands: oneFile,
    options: {
      ...checkpoint,
      ...schedule,
      ...target,
      ...threads,
      ...weightsType,
      ...entry,
      prompt: takes("N", "tokens of the prompt; 128 if not given"),
      tokens: takes("N", "tokens computed one by one behind it; 64 if not given"),
      draft: { ...draft.draft, about: "tokens to guess at a time where the model drafts, beside none; 1 if not given" },
      runs: takes("N", "how often, after a first time that does not count; 5 if not given"),
      json: flag("one JSON object with all that was measured"),
    },
    notes: [
      "The limits are measured twice between the runs, in the same process and with as many threads: bytes read far beyond the " +
        "caches in several streams, and multiply-adds in registers, both by WebAssembly. A share is what the model moves or " +
        "computes for its tokens, as planned, by the median time.",
      projectNote,
    ],
  },
  load: async () => (await import("../bench-command.ts")).runBench,
};
