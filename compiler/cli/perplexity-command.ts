/** `dsc perplexity`: how well a model predicts a text. */
import { scoreText } from "../../runtime/scoring/score-text.ts";
import { ScoringError } from "../../runtime/scoring/scoring-error.ts";
import { checkPlan, longestStride, type WindowPlan } from "../../runtime/scoring/windows.ts";
import type { Tokenizer } from "../../runtime/text/tokenizer.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { interruptible } from "./interrupt.ts";
import { openText } from "./open-text.ts";
import { type Documents, openDocuments } from "./perplexity/documents.ts";
import { type PerplexityOptions, readPerplexityOptions } from "./perplexity/read-options.ts";
import {
  type DocumentScore,
  type PerplexityResult,
  perplexityJson,
  perplexityText,
  speedLine,
  sumsOf,
} from "./perplexity/report.ts";
import { unknownToken } from "./read-tokens.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportFailure, type Terminal } from "./terminal.ts";
import { type Scorer, withScorer } from "./with-scorer.ts";

export async function runPerplexity(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  const options = readPerplexityOptions(line);
  if (options instanceof Failure) return reportFailure(terminal, options);
  return interruptible((signal) =>
    withScorer(
      line,
      surroundings,
      { chunk: options.chunk, signal, prepare: (folder, config) => makeReady(options, folder, config, terminal.cwd) },
      async (scorer, ready) => {
        const plan = planOf(options, scorer, ready.documents.prefix);
        if (plan instanceof Failure) return reportFailure(terminal, plan);
        const result = await scoreDocuments({ scorer, plan, ...ready, terminal, signal });
        return result instanceof Failure ? reportFailure(terminal, result) : say(result, options, terminal);
      },
    ),
  );
}

/** What is read before any weight is. */
interface Ready {
  readonly documents: Documents;
  readonly tokenizer: Tokenizer | null;
}

function makeReady(options: PerplexityOptions, folder: string, config: string, cwd: string): Ready | Failure {
  const text = openText(folder, config, cwd);
  if (text instanceof Failure) return text;
  const { tokenizer } = text;
  const documents = openDocuments(options, tokenizer, cwd);
  return documents instanceof Failure ? documents : { documents, tokenizer };
}

function planOf(
  { context: wanted, stride, cut }: PerplexityOptions,
  { context: most }: Scorer,
  prefix: readonly number[],
): WindowPlan | Failure {
  const context = wanted ?? most;
  if (context > most) return new Failure(exitCodes.usage, `--context ${context}: the model remembers ${most}`);
  const plan = { context, prefix, cut, stride: stride ?? longestStride(context, prefix) };
  try {
    checkPlan(plan);
    return plan;
  } catch (error) {
    if (!(error instanceof ScoringError)) throw error;
    return new Failure(exitCodes.usage, error.message, "--context N, --stride N");
  }
}

interface Scoring extends Ready {
  readonly scorer: Scorer;
  readonly plan: WindowPlan;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** What is scored when it is interrupted is kept. */
async function scoreDocuments(scoring: Scoring): Promise<PerplexityResult | Failure> {
  const { documents, tokenizer, scorer, plan, terminal, signal } = scoring;
  const started = performance.now();
  // The score of a document grows while it is scored.
  const scores = new Map<number, DocumentScore>();
  let interrupted = false;
  const count = documents.list.length;
  for (const [i, { index, ids: encode }] of documents.list.entries()) {
    const ids = encode();
    const unknown = unknownToken([...plan.prefix, ...ids], scorer.vocabulary);
    if (unknown !== null) return within(index, unknown);
    const decoder = tokenizer?.newDecoder() ?? null;
    try {
      for await (const score of scoreText(scorer, { ids, plan, decoder })) {
        scores.set(index, { document: index, tokens: ids.length, score });
        terminal.progress(`document ${i + 1} of ${count}: ${score.predictions} of ${ids.length} tokens`);
      }
    } catch (error) {
      if (error instanceof ScoringError) return within(index, new Failure(exitCodes.errorsFound, error.message));
      if (error !== signal.reason || !signal.aborted) throw error;
      interrupted = true;
      break;
    }
  }
  const { context, stride, cut } = plan;
  const seconds = (performance.now() - started) / 1000;
  return { documents: [...scores.values()], context, stride, cut, interrupted, seconds };
}

const within = (document: number, { exitCode, message, hint }: Failure): Failure =>
  new Failure(exitCode, `document ${document}: ${message}`, hint);

function say(result: PerplexityResult, { json }: PerplexityOptions, terminal: Terminal): ExitCode {
  const { interrupted } = result;
  const { predictions } = sumsOf(result);
  if (predictions === 0 && !interrupted)
    return reportFailure(
      terminal,
      new Failure(
        exitCodes.errorsFound,
        "there is nothing to predict: no document has a token that another stands before",
      ),
    );
  if (json) terminal.out(perplexityJson(result));
  else {
    if (predictions > 0) terminal.out(perplexityText(result));
    terminal.error(speedLine(result));
  }
  return interrupted ? exitCodes.interrupted : exitCodes.fine;
}
