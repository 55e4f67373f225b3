/** A session of a backend that runs graphs, with the loop that drafts. */
import { setImmediate as afterEvents } from "node:timers/promises";
import { choicesAfter, newChoices } from "../../runtime/sampling/check-guess.ts";
import { DraftCounts } from "../../runtime/session/draft-counts.ts";
import { DraftMemory } from "../../runtime/session/draft-memory.ts";
import { speculate } from "../../runtime/session/speculate.ts";
import type { DraftEntry } from "./draft-entry.ts";
import type { LoadedModel } from "./load-model.ts";
import type { Drafts, Runner } from "./run-loop.ts";
import { sessionDrafts } from "./session-drafts.ts";

/** `count`: tokens to guess at a time. */
export function draftingRunner(
  { session, elaborated, context, vocabulary, width }: LoadedModel,
  { decl, checks, elaborated: draftElaborated }: DraftEntry,
  count: number,
  progress: (doing: string) => void,
): Runner {
  if (session.draft === null) throw new Error("the session has no entry that drafts");
  const model = sessionDrafts({
    ...{ session, draft: session.draft, decl, elaborated, draftElaborated },
    context,
    width,
    checks,
  });
  const memory = new DraftMemory();
  let counts = new DraftCounts();
  const usual = 32;
  const drafts: Drafts = {
    async *tokens({ prompt, earlier, random, sampling, maxTokens, chunk, signal }) {
      counts = new DraftCounts();
      const end = model.length + prompt.length;
      const before = async (): Promise<void> => {
        await afterEvents();
        signal.throwIfAborted();
        if (model.length < end) progress(`prompt: ${model.length - earlier.length} of ${prompt.length} tokens`);
      };
      model.use({ chunk: chunk ?? usual, signal, before });
      const choices = choicesAfter(earlier, newChoices(random, sampling));
      const push = (): { readonly stop: null } => ({ stop: null });
      const order = { prompt, model, memory, choices, push, draft: count, maxTokens, counts, signal };
      for await (const { id } of speculate(order)) yield id;
    },
    remembered: model.tokens,
    statistics: () => counts.statistics(),
  };
  return {
    ...{ context, vocabulary, chunk: usual, drafts },
    next: async (ids) => (await model.advance(ids, "next")).logits,
    rollback: (count) => model.rollback(count),
  };
}
