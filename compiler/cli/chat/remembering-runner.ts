/** A runner that knows which tokens it remembers, and keeps what a new prompt has in common with them. */
import type { Runner } from "../run-loop.ts";

export interface RememberingRunner extends Runner {
  /** How many tokens it remembers. */
  readonly length: () => number;
  /** Forgets what does not begin this prompt, and at least its last token; gives how many of its tokens are left. */
  readonly keepFor: (prompt: readonly number[]) => number;
}

export function rememberingRunner(runner: Runner): RememberingRunner {
  const remembered: number[] = [];
  return {
    ...runner,
    next: async (ids, signal) => {
      const logits = await runner.next(ids, signal);
      remembered.push(...ids);
      return logits;
    },
    rollback: (count) => {
      runner.rollback(count);
      remembered.length -= count;
    },
    length: () => remembered.length,
    keepFor: (prompt) => {
      let common = 0;
      // Logits of a prompt's last token are not kept: it is computed in any case.
      while (common < prompt.length - 1 && remembered[common] === prompt[common]) common += 1;
      common = Math.min(common, remembered.length);
      if (remembered.length > common) {
        runner.rollback(remembered.length - common);
        remembered.length = common;
      }
      return common;
    },
  };
}
