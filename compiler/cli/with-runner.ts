/** From a command line to something that runs the model: a session of a backend, or one of a package. */
import { type DraftInfo, draftOf } from "../../runtime/package/draft-option.ts";
import type { Model } from "../../runtime/package/model.ts";
import type { Session } from "../../runtime/package/session.ts";
import { realsOf } from "../graph/interpret/tensor.ts";
import type { CommandLine } from "./command-line.ts";
import { draftingRunner } from "./drafting-runner.ts";
import type { ExitCode } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { runtimeFailure } from "./known-failures.ts";
import { type LoadedModel, withModel } from "./load-model.ts";
import { withPackage } from "./load-package.ts";
import type { Drafts, Runner } from "./run-loop.ts";
import { runsPackage } from "./runs-package.ts";
import type { Surroundings } from "./surroundings.ts";
import type { TapNames } from "./tap-names.ts";
import { newTapRecorder, type TapRecorder } from "./tap-recorder.ts";
import { reportFailure } from "./terminal.ts";

export interface RunnerRequest<Ready> {
  readonly taps: TapNames;
  /** Tokens to guess at a time; 0 for none, null as the model likes. */
  readonly draft: number | null;
  /** Most prompt tokens of a call; null as what runs it likes. */
  readonly chunk: number | null;
  /** Ends what is read before the model runs. */
  readonly signal: AbortSignal;
  /** Called with the checkpoint's folder and the text of the config before any weight is read: what is wrong there should not wait. */
  readonly prepare: (folder: string, config: string) => Ready | Failure;
}

export interface Readied<Ready> {
  readonly runner: Runner;
  readonly ready: Ready;
  /** Null where no values were asked for. */
  readonly taps: TapRecorder | null;
}

/** Whatever fails is told and answered with its exit code. */
export async function withRunner<Ready>(
  line: CommandLine,
  surroundings: Surroundings,
  request: RunnerRequest<Ready>,
  use: (readied: Readied<Ready>) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { terminal } = surroundings;
  const packaged = runsPackage(line, terminal.cwd, request.taps);
  if (packaged instanceof Failure) return reportFailure(terminal, packaged);
  return packaged ? runPackage(line, surroundings, request, use) : runSession(line, surroundings, request, use);
}

/** A model that was compiled, now or before. */
const runPackage = <Ready>(
  line: CommandLine,
  surroundings: Surroundings,
  { signal, prepare, draft, chunk }: RunnerRequest<Ready>,
  use: (readied: Readied<Ready>) => Promise<ExitCode>,
): Promise<ExitCode> =>
  withPackage(line, surroundings, { signal, chunk, draft: draft !== 0 }, async ({ folder, config, load }) => {
    const ready = prepare(folder, config);
    if (ready instanceof Failure) return reportFailure(surroundings.terminal, ready);
    const { model } = await load();
    const count = chosenDraft(draft, draftInfo(model));
    if (count instanceof Failure) return reportFailure(surroundings.terminal, count);
    return use({ runner: packageRunner(model, count), ready, taps: null });
  });

/** 0 where nothing is drafted. */
function chosenDraft(wanted: number | null, info: DraftInfo): number | Failure {
  try {
    return draftOf(wanted ?? undefined, info);
  } catch (error) {
    const failure = runtimeFailure(error);
    if (failure === null) throw error;
    return failure;
  }
}

/** Packages of earlier versions say nothing of it. */
const draftInfo = ({ info }: { readonly info: Partial<Model["info"]> }): DraftInfo =>
  info.draft ?? { available: false, reason: "no-entry" };

function packageRunner(model: Model, draft: number): Runner {
  const session = model.session();
  const { context, vocabulary, chunk } = model.info;
  const runner: Runner = {
    ...{ context, vocabulary, chunk },
    next: (ids, signal) => session.forward(ids, { signal }),
    rollback: (count) => session.rollback(count),
  };
  return draft === 0 ? runner : { ...runner, drafts: packageDrafts(session, draft) };
}

const packageDrafts = (session: Session, draft: number): Drafts => ({
  async *tokens({ prompt, sampling, random, maxTokens, signal }) {
    // What ends a text is known to who reads it.
    const plain = { endIds: [], reasoning: false, maxTokens, signal } as const;
    const options = { ...sampling, ...plain, draft, seed: random.nextInteger() };
    for await (const { token } of session.generate(prompt, options)) yield token;
  },
  remembered: () => session.tokens,
  statistics: () => session.statistics,
});

/** A session of a backend that runs graphs. */
function runSession<Ready>(
  line: CommandLine,
  surroundings: Surroundings,
  { signal, prepare, taps, draft }: RunnerRequest<Ready>,
  use: (readied: Readied<Ready>) => Promise<ExitCode>,
): Promise<ExitCode> {
  return withModel(
    line,
    surroundings,
    { results: ["next", "logits"], taps, drafts: draft !== 0, signal, prepare },
    async (model, ready) => {
      const recorder =
        taps.names.length === 0
          ? null
          : newTapRecorder(taps, model.elaborated, model.token, () => model.session.length);
      const { drafts } = model;
      const drafting = typeof drafts !== "string";
      const count = chosenDraft(
        draft,
        drafting ? { available: true, most: drafts.checks - 1 } : { available: false, reason: drafts },
      );
      if (count instanceof Failure) return reportFailure(surroundings.terminal, count);
      const { progress } = surroundings.terminal;
      const runner =
        count > 0 && drafting ? draftingRunner(model, drafts, count, progress) : sessionRunner(model, recorder);
      return use({ runner, ready, taps: recorder });
    },
  );
}

function sessionRunner({ session, context, vocabulary, width }: LoadedModel, taps: TapRecorder | null): Runner {
  const observe = taps === null ? {} : { observe: taps.observe };
  return {
    ...{ context, vocabulary, chunk: 32 },
    next: async (ids, signal) => {
      const [result] = session.forward(ids, { ...observe, signal });
      if (result === undefined) throw new Error("the entry has given no result");
      return realsOf(result).subarray(-width);
    },
    rollback: (count) => session.rollback(count),
  };
}
