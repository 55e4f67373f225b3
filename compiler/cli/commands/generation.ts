/** Commands that write text with a model. */
import type { CommandSpec } from "../command-line.ts";
import { type Command, flag, noOperands, oneFile, projectNote, takes, takesMany } from "./command.ts";
import { backend, draft, entry, running, taps, threads } from "./options.ts";

/** How its tokens are chosen, and what is made of them. */
const generation: CommandSpec["options"] = {
  temperature: takes("X", "0, the best token always, if not given; 1 chooses as likely as the model says"),
  "top-k": takes("N", "chooses among the N best tokens"),
  "top-p": takes("X", "chooses among the best tokens whose probabilities reach X"),
  "min-p": takes("X", "leaves out tokens below X times the best one's probability"),
  "repetition-penalty": takes("X", "above 1 makes tokens less likely that were there before"),
  seed: takes("N", "of the choice; the same seed gives the same text; 0 if not given"),
  stop: takesMany("TEXT", "ends before this text; one in reasoning does not count"),
  "end-ids": takes("1,2", "ids that end the text, instead of those that the checkpoint names"),
  ...draft,
  chunk: takes("N", "most prompt tokens of one call; 32 if not given, 256 from a package"),
  template: takesMany("name=value", "what the chat template reads besides messages, as JSON or text: thinking=true"),
  "chat-template": takes("FILE.jinja", "the chat template; without it, the one beside the weights"),
  "no-reasoning": flag("does not show what the model writes to itself before it answers"),
  "reasoning-tags": takes(
    "TAGS",
    'what is around that: "<think> </think>" where the files speak of it; none: all text is the answer',
  ),
};

export const demo: Command = {
  spec: {
    name: "demo",
    about: "writes a story with the small model that dsc brings along",
    usage: "[options]",
    operands: noOperands,
    options: {
      prompt: takes("TEXT", "what the story begins with; Once upon a time if not given"),
      temperature: takes("X", "0, the best token always, to 1, as likely as the model says; 0.5 if not given"),
      seed: takes("N", "the same seed gives the same story; 16 if not given"),
      "max-tokens": takes("N", "most tokens to generate; 400 if not given"),
      ...draft,
      backend: { ...backend.backend, about: `${backend.backend.about}; wasm if not given` },
      ...threads,
    },
    notes: [
      "The story goes to standard output as it comes, statistics and what to try next to standard error. The model is compiled into " +
        "a cache (DSC_CACHE, else where the system keeps caches) and found there the next time.",
    ],
  },
  load: async () => (await import("../demo-command.ts")).runDemo,
};

export const run: Command = {
  spec: {
    name: "run",
    about: "generates text with a model and its weights",
    usage: "MODEL.ds|PACKAGE --weights DIR [options]",
    operands: oneFile,
    options: {
      ...running,
      prompt: takes("TEXT", "what to go on from; without it and --ids, standard input"),
      ids: takes("1,2,3", "the prompt as ids of tokens; needs no tokenizer, and prints ids where there is none"),
      chat: flag("the prompt is a user's message, put into the checkpoint's chat template"),
      "max-tokens": takes("N", "most tokens to generate; 256 if not given"),
      ...generation,
      ...entry,
      taps: { ...taps.taps, about: `${taps.taps.about}; with --json` },
      json: flag("one JSON object at the end: ids, text, why it stopped, statistics"),
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
  load: async () => (await import("../run-command.ts")).runRun,
};

export const chat: Command = {
  spec: {
    name: "chat",
    about: "a conversation with a model, in the terminal or through a pipe",
    usage: "MODEL.ds|PACKAGE --weights DIR [options]",
    operands: oneFile,
    options: {
      ...running,
      system: takes("TEXT", "what the conversation begins with"),
      "max-tokens": takes("N", "most tokens of an answer; without it, as many as the model remembers"),
      ...generation,
      ...entry,
      json: flag("one JSON object an answer; a line that begins with { is one with the message as `content`"),
    },
    notes: [
      "A line is a message; the checkpoint's chat template makes prompts of them. Of an answer, what the model writes to itself " +
        "stays out of the conversation. What a prompt has in common with the one before is not computed again.",
      "/reset, /undo, /system TEXT, /save FILE, /stats, /help and /quit are commands. Ctrl-C stops an answer, and leaves where none " +
        "is written; a second one ends the program at once.",
      projectNote,
    ],
  },
  load: async () => (await import("../chat-command.ts")).runChat,
};
