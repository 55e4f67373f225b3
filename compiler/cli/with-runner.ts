/** From a command line to something that runs the model: a session of a backend, or one of a package. */
import type { Model } from "../../runtime/package/model.ts";
import { realsOf } from "../graph/interpret/tensor.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { type LoadedModel, withModel } from "./load-model.ts";
import { asksForPackage, withPackage } from "./load-package.ts";
import type { Runner } from "./run-loop.ts";
import type { Surroundings } from "./surroundings.ts";
import type { TapNames } from "./tap-names.ts";
import { newTapRecorder, type TapRecorder } from "./tap-recorder.ts";
import { reportFailure } from "./terminal.ts";

export interface RunnerRequest<Ready> {
  readonly taps: TapNames;
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
export function withRunner<Ready extends object>(
  line: CommandLine,
  surroundings: Surroundings,
  request: RunnerRequest<Ready>,
  use: (readied: Readied<Ready>) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { terminal } = surroundings;
  const fail = async (message: string, hint: string | null = null): Promise<ExitCode> =>
    reportFailure(terminal, new Failure(exitCodes.usage, message, hint));
  if (asksForPackage(line, terminal.cwd)) {
    if (request.taps.names.length > 0) return fail("--taps needs --backend reference");
    return runPackage(line, surroundings, request, use);
  }
  const idle = ["threads", "weights-type"].find((option) => line.value(option) !== null);
  if (idle !== undefined) return fail(`--${idle} is for packages`, "--backend wasm");
  return runSession(line, surroundings, request, use);
}

/** A model that was compiled, now or before. */
const runPackage = <Ready extends object>(
  line: CommandLine,
  surroundings: Surroundings,
  { signal, prepare }: RunnerRequest<Ready>,
  use: (readied: Readied<Ready>) => Promise<ExitCode>,
): Promise<ExitCode> =>
  withPackage(line, surroundings, { signal }, async ({ folder, config, load }) => {
    const ready = prepare(folder, config);
    if (ready instanceof Failure) return reportFailure(surroundings.terminal, ready);
    const { model } = await load();
    return use({ runner: packageRunner(model), ready, taps: null });
  });

function packageRunner(model: Model): Runner {
  const session = model.session();
  const { context, vocabulary, chunk } = model.info;
  return {
    ...{ context, vocabulary, chunk },
    next: (ids, signal) => session.forward(ids, { signal }),
    rollback: (count) => session.rollback(count),
  };
}

/** A session of a backend that runs graphs. */
function runSession<Ready extends object>(
  line: CommandLine,
  surroundings: Surroundings,
  { signal, prepare, taps }: RunnerRequest<Ready>,
  use: (readied: Readied<Ready>) => Promise<ExitCode>,
): Promise<ExitCode> {
  let ready: Ready | null = null;
  return withModel(
    line,
    surroundings,
    {
      results: ["next", "logits"],
      taps,
      signal,
      prepare: (folder, config) => {
        const made = prepare(folder, config);
        if (made instanceof Failure) return made;
        ready = made;
        return null;
      },
    },
    async (model) => {
      if (ready === null) throw new Error("nothing was prepared");
      const recorder =
        taps.names.length === 0
          ? null
          : newTapRecorder(taps, model.elaborated, model.token, () => model.session.length);
      return use({ runner: sessionRunner(model, recorder), ready, taps: recorder });
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
