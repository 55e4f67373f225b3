/** The commands, in the order of their help. */

import { importFolder, quantize, tiny } from "./commands/checkpoints.ts";
import type { Command } from "./commands/command.ts";
import { compile, conform, diff, opt } from "./commands/compiling.ts";
import { chat, demo, run } from "./commands/generation.ts";
import { bench, logits, perplexity } from "./commands/measures.ts";
import { languageServer, playground } from "./commands/services.ts";
import { check, explain, format, graph, params } from "./commands/texts.ts";

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
