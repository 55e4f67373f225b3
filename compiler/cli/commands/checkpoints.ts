/** Commands that read or write checkpoints, and run nothing. */
import { type Command, flag, oneFile, projectNote, takes, takesMany } from "./command.ts";
import { checkpoint, replaceFiles, sizes } from "./options.ts";

export const tiny: Command = {
  spec: {
    name: "tiny",
    about: "makes a toy twin of a model: its config with small sizes, and weights from a seed",
    usage: "FILE --config config.json --out DIR [options]",
    operands: oneFile,
    options: {
      ...sizes,
      out: takes("DIR", "the folder for config.json and model.safetensors"),
      seed: takes("N", "another seed gives other weights; without it 0"),
      dtype: takes("f32|bf16", "how numbers are stored whose type is left open; without it f32"),
      dim: takesMany(
        "path=value",
        "a value of config.json as it shall be, as JSON: `hidden_size=64`, `rope_scaling.factor=4`",
      ),
      ...replaceFiles,
    },
    notes: [
      "Which values of config.json are sizes follows from the model's text. They shrink in step, and where a condition of " +
        "the text then fails, one after the other is changed until it holds.",
      "The same input gives the same bytes. All values are exact in bf16, so both types hold the same numbers. `dsc quantize` " +
        "goes on from there.",
      projectNote,
    ],
  },
  load: async () => (await import("../tiny-command.ts")).runTiny,
};

export const importFolder: Command = {
  spec: {
    name: "import",
    about: "says what a downloaded model is, whether it can be used, and works out what its files leave out",
    usage: "DIR [options]",
    operands: { least: 1, most: 1, word: "folder" },
    options: {
      model: takes("FILE.ds", "the text that describes it; without it, the one for the config's model_type"),
      force: flag("replaces files of constants that hold something else"),
      json: flag("one JSON object with all that was found"),
    },
    notes: [
      "Config, tensor headers and tokenizer are held against the text; no number of a tensor is read. Which text describes " +
        "which model_type stands in models/models.json.",
      "Constants that the config lacks are written beside it, as config.dsc.json, and tensors that the checkpoint lacks as " +
        "extra.dsc.safetensors: all commands read both from then on. What was downloaded is never changed.",
    ],
  },
  load: async () => (await import("../import-command.ts")).runImport,
};

export const quantize: Command = {
  spec: {
    name: "quantize",
    about: "writes a checkpoint in a storage format of the model's text, from one that is not quantised",
    usage: "MODEL.ds --weights DIR --out DIR [options]",
    operands: oneFile,
    options: {
      ...checkpoint,
      format: takes("NAME", "the element type of a `storage` line: e4m3; the one that the text has if not given"),
      out: takes("DIR", "the folder to write"),
      only: takesMany("PATTERN", "these tensors, whatever the text says; `*` is any text"),
      keep: takesMany("PATTERN", "tensors that stay as they are"),
      scales: takes(
        "largest|pow2",
        "multipliers: a block's largest over that of the type, or the next power of two; if not given, as the config says",
      ),
      ...replaceFiles,
      json: flag("one JSON object with the error of each tensor"),
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
  load: async () => (await import("../quantize-command.ts")).runQuantize,
};
