/** A text written greedily with one draft a step, and the logits of each draft: by a backend that runs graphs, and by a package. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, vi } from "vitest";
import { backendNames, loadBackend } from "../../backends/registry.ts";
import type { Session } from "../../compiler/driver/backend.ts";
import { realsOf } from "../../compiler/graph/interpret/tensor.ts";
import { loadPackage } from "../../runtime/package/entry.ts";
import { type CallResult, TokenSession } from "../../runtime/session/token-session.ts";
import { type Commands, type Written, whole } from "./commands.ts";
import { tinyseek } from "./golden.ts";

export interface Watched extends Written {
  /** By draft: 0 is that of the second id. */
  readonly logits: ReadonlyMap<number, readonly number[]>;
}
export interface Writing {
  readonly backend: string;
  readonly prompt: readonly number[];
  readonly count: number;
}

export const watchDrafts = (commands: Commands, writing: Writing): Promise<Watched> =>
  backendNames.includes(writing.backend) ? watchSession(commands, writing) : watchPackage(commands, writing);

/** Pairs of a hidden state and the id behind it: as many as the prompt has ids, and the last one is of the first draft. */
async function watchSession(commands: Commands, { backend: name, prompt, count }: Writing): Promise<Watched> {
  const backend = await loadBackend(name);
  if (backend === null) throw new Error(`no backend ${name}`);
  const logits = new Map<number, readonly number[]>();
  const watched = (draft: Session): Session =>
    like(draft, {
      forward: (ids, options) => {
        const results = draft.forward(ids, options);
        const last = results.at(-1);
        if (last !== undefined && draft.length >= prompt.length)
          logits.set(draft.length - prompt.length, [...realsOf(last)]);
        return results;
      },
    });
  const open = backend.openSession;
  const spy = vi.spyOn(backend, "openSession").mockImplementation(async (request) => {
    const session = await open(request);
    return like(session, { draft: session.draft === null ? null : watched(session.draft) });
  });
  try {
    return { ...(await commands.write(whole, { backend: name, prompt, count, draft: 1 })), logits };
  } finally {
    spy.mockRestore();
  }
}

/** The session with some of it otherwise. */
const like = (session: Session, other: Partial<Session>): Session => ({
  get length() {
    return session.length;
  },
  forward: (ids, options) => session.forward(ids, options),
  rollback: (n) => session.rollback(n),
  reset: () => session.reset(),
  draft: session.draft,
  ...other,
});

async function watchPackage(commands: Commands, { backend, prompt, count }: Writing): Promise<Watched> {
  const place = await commands.compile(whole, backend);
  const worker = pathToFileURL(join(place, "runtime/worker.js"));
  const model = await loadPackage(pathToFileURL(`${place}/`), { weights: tinyseek, threads: 1, worker });
  const logits = new Map<number, readonly number[]>();
  const draft = TokenSession.prototype.draft;
  const spy = vi.spyOn(TokenSession.prototype, "draft").mockImplementation(async function (
    this: TokenSession,
    ...given
  ): Promise<CallResult> {
    const result = await draft.apply(this, given);
    logits.set(this.length - prompt.length, [...result.logits]);
    return result;
  });
  try {
    const session = model.session();
    const ids: number[] = [];
    for await (const { token } of session.generate(prompt, { temperature: 0, endIds: [], maxTokens: count, draft: 1 }))
      ids.push(token);
    expect(logits.size).toBe(session.statistics?.drafted);
    return { ids, statistics: session.statistics ?? {}, logits };
  } finally {
    spy.mockRestore();
    model.dispose();
  }
}
