/** `dsc bench`: how fast a model runs here, beside what this machine gives. */
import { draftOf } from "../../runtime/package/draft-option.ts";
import type { Session } from "../../runtime/package/session.ts";
import { measureLimits } from "./bench/limits.ts";
import { type BenchResult, benchText } from "./bench/report.ts";
import { medianOf, secondsOf } from "./bench/stopwatch.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { readDraft } from "./generation-options.ts";
import { interruptible } from "./interrupt.ts";
import { type LoadedPackage, withPackage } from "./load-package.ts";
import { readCount } from "./read-number.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportFailure, type Terminal } from "./terminal.ts";

interface BenchOptions {
  readonly prompt: number;
  readonly tokens: number;
  readonly runs: number;
  /** Tokens to guess at a time; null as the model likes. */
  readonly draft: number | null;
}

export async function runBench(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  const options = readOptions(line);
  if (options instanceof Failure) return reportFailure(terminal, options);
  return interruptible((signal) =>
    withPackage(line, surroundings, { signal, fresh: true, draft: options.draft !== 0 }, async ({ load }) => {
      const loaded = await load();
      const { context } = loaded.model.info;
      if (options.prompt + options.tokens > context) {
        const message = `${options.prompt} tokens of a prompt and ${options.tokens} more are beyond the context of ${context}`;
        return reportFailure(terminal, new Failure(exitCodes.usage, message, "--prompt N, --tokens N"));
      }
      const result = await bench(loaded, options, { terminal, signal });
      terminal.out(line.has("json") ? `${JSON.stringify(result)}\n` : benchText(result));
      return exitCodes.fine;
    }),
  );
}

function readOptions(line: CommandLine): BenchOptions | Failure {
  const numbers = [readCount(line, "prompt", 1), readCount(line, "tokens", 1), readCount(line, "runs", 1)] as const;
  const wrong = numbers.find((n) => n instanceof Failure);
  if (wrong instanceof Failure) return wrong;
  const [prompt, tokens, runs] = numbers.map((n) => (typeof n === "number" ? n : null));
  const draft = readDraft(line);
  if (draft instanceof Failure) return draft;
  return { prompt: prompt ?? 128, tokens: tokens ?? 64, runs: runs ?? 5, draft };
}

interface Benching {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

async function bench(
  loaded: LoadedPackage,
  options: BenchOptions,
  { terminal, signal }: Benching,
): Promise<BenchResult> {
  const { model, found, numbers } = loaded;
  const { info } = model;
  const { simd, gpu } = info;
  const { prompt, tokens, runs } = options;
  const count = draftOf(options.draft ?? undefined, info.draft);
  const session = model.session();
  const ids = Array.from({ length: prompt + tokens }, (_, i) => (i * 2654435761) % info.vocabulary);
  const prefill: number[] = [];
  const decode: number[] = [];
  const said = { plain: [] as number[], drafted: [] as number[] };
  const rounds = async (from: number, to: number): Promise<void> => {
    for (let run = from; run < to; run += 1) {
      terminal.progress(`run ${run} of ${runs}`);
      session.reset();
      const taken = await secondsOf(() => session.forward(ids.slice(0, prompt), { signal }));
      const each = await secondsOf(() => oneByOne(session, ids.slice(prompt), signal));
      const text = { prompt: ids.slice(0, prompt), tokens, signal };
      const [plain, drafted] =
        count === 0 ? [0, 0] : [await secondsOfText(session, text, 0), await secondsOfText(session, text, count)];
      if (run === 0) continue; // for the engine: it compiles what is called often
      prefill.push(taken);
      decode.push(each);
      said.plain.push(plain);
      said.drafted.push(drafted);
    }
  };
  const half = Math.ceil((runs + 1) / 2);
  await rounds(0, half);
  // Before the machine is measured, which takes memory of its own.
  const processBytes = process.resourceUsage().maxRSS * 1024;
  const limits = async (): Promise<BenchResult["limits"]> => {
    if (simd === null) return null;
    terminal.progress("measuring the machine");
    return measureLimits(info.threads, simd);
  };
  const before = await limits();
  await rounds(half, runs + 1);
  const after = await limits();
  return {
    model: info.name,
    node: process.version,
    threads: info.threads,
    simd,
    gpu: gpu === null ? null : { adapter: gpu.adapter, variant: gpu.variant },
    compileSeconds: found.seconds,
    loadSeconds: loaded.seconds,
    prompt,
    tokens,
    prefillSeconds: { median: medianOf(prefill), best: Math.min(...prefill) },
    decodeSeconds: { median: medianOf(decode), best: Math.min(...decode) },
    drafts:
      count === 0
        ? null
        : {
            draft: count,
            plainSeconds: { median: medianOf(said.plain), best: Math.min(...said.plain) },
            draftedSeconds: { median: medianOf(said.drafted), best: Math.min(...said.drafted) },
            drafted: session.statistics?.drafted ?? 0,
            accepted: session.statistics?.accepted ?? 0,
          },
    memory: {
      model: info.memory.fixed,
      session: info.memory.session,
      arena: info.memory.arena,
      arenaPeak: info.memory.arenaPeak,
      process: processBytes,
    },
    limits:
      before === null || after === null
        ? null
        : {
            bytesPerSecond: Math.max(before.bytesPerSecond, after.bytesPerSecond),
            flopsPerSecond: Math.max(before.flopsPerSecond, after.flopsPerSecond),
          },
    cost: numbers.cost,
    tokenBytes: numbers.memory.token,
  };
}

/** Of the tokens after the first: the best ones, which are the same with drafts and without. */
async function secondsOfText(
  session: Session,
  {
    prompt,
    tokens,
    signal,
  }: { readonly prompt: readonly number[]; readonly tokens: number; readonly signal: AbortSignal },
  draft: number,
): Promise<number> {
  session.reset();
  let first: number | null = null;
  const options = { temperature: 0, endIds: [], reasoning: false, maxTokens: tokens + 1, draft, signal } as const;
  for await (const _ of session.generate(prompt, options)) first ??= performance.now();
  return (performance.now() - (first ?? 0)) / 1000;
}

async function oneByOne(session: Session, ids: readonly number[], signal: AbortSignal): Promise<void> {
  for (const id of ids) await session.forward([id], { signal });
}
