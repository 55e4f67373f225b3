/** From a command line to something that gives the logits of all tokens: a session of a backend, or one of a package. */
import { setImmediate as afterEvents } from "node:timers/promises";
import type { Model } from "../../runtime/package/model.ts";
import type { ScoredModel } from "../../runtime/scoring/score-text.ts";
import { realsOf } from "../graph/interpret/tensor.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { type LoadedModel, withModel } from "./load-model.ts";
import { withPackage } from "./load-package.ts";
import { runsPackage } from "./runs-package.ts";
import type { Surroundings } from "./surroundings.ts";
import { noTaps } from "./tap-names.ts";
import { reportFailure } from "./terminal.ts";

/** What scores texts. Throws the signal's reason between calls. */
export interface Scorer extends ScoredModel {
  /** How many tokens fit. */
  readonly context: number;
  /** Ids are below it. */
  readonly vocabulary: number;
}

export interface ScorerRequest<Ready> {
  /** Most tokens of a call; null as what runs it likes. */
  readonly chunk: number | null;
  readonly signal: AbortSignal;
  /** Called with the checkpoint's folder and the text of the config before any weight is read: what is wrong there should not wait. */
  readonly prepare: (folder: string, config: string) => Ready | Failure;
}

/** Whatever fails is told and answered with its exit code. */
export async function withScorer<Ready>(
  line: CommandLine,
  surroundings: Surroundings,
  { chunk, signal, prepare }: ScorerRequest<Ready>,
  use: (scorer: Scorer, ready: Ready) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { terminal } = surroundings;
  const packaged = runsPackage(line, terminal.cwd, noTaps);
  if (packaged instanceof Failure) return reportFailure(terminal, packaged);
  if (!packaged) {
    const request = { results: ["logits"], taps: noTaps, signal, prepare };
    return withModel(line, surroundings, request, (model, ready) => use(sessionScorer(model, chunk, signal), ready));
  }
  return withPackage(line, surroundings, { signal, chunk, draft: false }, async ({ folder, config, load }) => {
    const ready = prepare(folder, config);
    if (ready instanceof Failure) return reportFailure(terminal, ready);
    const { model, numbers } = await load();
    // Other phases would do, one token at a time: nobody waits for that.
    if (numbers.cost["score"] === undefined) return reportFailure(terminal, noScores);
    return use(packageScorer(model, signal), ready);
  });
}

const noScores = new Failure(
  exitCodes.errorsFound,
  "the package has no phase that gives the logits of all tokens of a call",
  "compile it from a text whose entry has a result `logits: [T, V]`",
);

function packageScorer(model: Model, signal: AbortSignal): Scorer {
  const session = model.session();
  const { context, vocabulary, chunk } = model.info;
  return {
    ...{ context, vocabulary, chunk },
    forward: (ids) => session.forward(ids, { all: true, signal }),
    reset: () => session.reset(),
  };
}

/** Tokens of one call: between calls one can interrupt. */
const usualChunk = 32;

function sessionScorer(
  { session, context, vocabulary }: LoadedModel,
  chunk: number | null,
  signal: AbortSignal,
): Scorer {
  return {
    ...{ context, vocabulary, chunk: chunk ?? usualChunk },
    forward: async (ids) => {
      // Ctrl-C is heard between calls only.
      await afterEvents();
      signal.throwIfAborted();
      const [logits] = session.forward(ids, { signal });
      if (logits === undefined) throw new Error("the entry has given no result");
      return realsOf(logits);
    },
    reset: () => session.reset(),
  };
}
