/** A runner that knows which tokens it remembers, and keeps what a new prompt has in common with them. */
import type { Runner } from "../run-loop.ts";

export interface RememberingRunner extends Runner {
  /** How many tokens it remembers. */
  readonly length: () => number;
  /** Forgets what does not begin this prompt, and at least its last token; gives how many of its tokens are left. */
  readonly keepFor: (prompt: readonly number[]) => number;
}

export function rememberingRunner(runner: Runner): RememberingRunner {
  const given: number[] = [];
  const { drafts } = runner;
  const remembered = (): ArrayLike<number> => drafts?.remembered() ?? given;
  const rollback = (count: number): void => {
    runner.rollback(count);
    given.length -= drafts === undefined ? count : 0;
  };
  return {
    ...runner,
    next: async (ids, signal) => {
      const logits = await runner.next(ids, signal);
      given.push(...ids);
      return logits;
    },
    rollback,
    length: () => remembered().length,
    keepFor: (prompt) => {
      let common = 0;
      // Logits of a prompt's last token are not kept: it is computed in any case.
      const known = remembered();
      while (common < prompt.length - 1 && known[common] === prompt[common]) common += 1;
      common = Math.min(common, known.length);
      if (known.length > common) rollback(known.length - common);
      return common;
    },
  };
}
