/** Drafting with a session of a package. */
import type { DraftDecl } from "../artifact/program.ts";
import { choicesAfter, newChoices } from "../sampling/check-guess.ts";
import type { RandomSource } from "../sampling/random.ts";
import { checkOptions, type SamplingOptions } from "../sampling/sampling-options.ts";
import type { DraftMemory } from "./draft-memory.ts";
import type { DraftingModel, Numbers, Told } from "./drafting-model.ts";
import type { Generated, StopStepLike } from "./generate.ts";
import { type SpeculateOptions, speculate } from "./speculate.ts";
import type { CallResult, TokenSession } from "./token-session.ts";

export interface DraftTokensOptions<Step extends StopStepLike>
  extends Omit<SpeculateOptions<Step>, "model" | "memory" | "choices"> {
  readonly session: TokenSession;
  readonly decl: DraftDecl;
  /** Of the session, from one text to the next. */
  readonly memory: DraftMemory;
  readonly context: number;
  readonly chunk: number;
  readonly checks: number;
  readonly random: RandomSource;
  readonly sampling: SamplingOptions;
  /** Ids before the prompt, for the repetition penalty. */
  readonly earlier: readonly number[];
}

export function draftTokens<Step extends StopStepLike>(
  options: DraftTokensOptions<Step>,
): AsyncGenerator<Generated<Step>, void, undefined> {
  const { earlier, random, sampling } = options;
  const choices = choicesAfter(earlier, newChoices(random, sampling));
  return speculate({ ...options, model: modelOf(options), choices });
}

function modelOf(options: DraftTokensOptions<StopStepLike>): DraftingModel {
  const { session, decl, context, chunk, checks, signal } = options;
  const sampling = checkOptions(options.sampling);
  const first = decl.feeds.map((f) => f.first);
  const told = ({ logits, best, rows }: CallResult, names: readonly string[]): Told => ({
    ...{ logits, best },
    rows: names.map((name) => rows.get(name) ?? new Float32Array(0)),
  });
  return {
    ...{ context, chunk, checks },
    get length() {
      return session.length;
    },
    get drafted() {
      return session.drafted;
    },
    tokens: () => session.tokens(),
    advance: async (ids, logits) => told(await session.advance(ids, logits, first, { signal, sampling }), first),
    again: async (count) => told(await session.again(count, first, { signal }), first).rows,
    draft: async (ids, rows) => {
      const given = new Map(decl.feeds.map(({ input }, i) => [input, asFloats(rows[i])] as const));
      const result = await session.draft(ids, given, { signal, sampling });
      return told(
        result,
        decl.feeds.map((f) => f.then),
      );
    },
    // What was disposed meanwhile has nothing to forget.
    rollback: (count) => (session.disposed ? undefined : session.rollback(count)),
    undraft: (count) => (session.disposed ? undefined : session.undraft(count)),
  };
}

const asFloats = (rows: Numbers | undefined): Float32Array =>
  rows instanceof Float32Array ? rows : Float32Array.from(rows ?? []);
