/** A session of a backend, and that of the entry that drafts for it, as the loop that drafts wants them. */
import type { DraftDecl } from "../../runtime/artifact/program.ts";
import type { DraftingModel, Numbers, Told } from "../../runtime/session/drafting-model.ts";
import type { ForwardOptions, Session } from "../driver/backend.ts";
import type { Elaborated } from "../elaborate/elaborate.ts";
import { realsOf, type Tensor } from "../graph/interpret/tensor.ts";

export interface DraftedSession {
  readonly session: Session;
  readonly draft: Session;
  readonly decl: DraftDecl;
  /** Of the entry that is checked: all logits, and what the other is fed. */
  readonly elaborated: Elaborated;
  readonly draftElaborated: Elaborated;
  readonly context: number;
  /** Length of a row of logits. */
  readonly width: number;
  readonly checks: number;
}

export interface SessionDrafts extends DraftingModel {
  /** For the calls that follow. */
  readonly use: (options: SessionDraftOptions) => void;
}

export interface SessionDraftOptions {
  readonly chunk: number;
  readonly signal: AbortSignal;
  /** Awaited before each call. */
  readonly before: () => Promise<void>;
}

export function sessionDrafts(of: DraftedSession): SessionDrafts {
  const { session, draft, decl, width } = of;
  const ids: number[] = [];
  let options: SessionDraftOptions = { chunk: 1, signal: new AbortController().signal, before: async () => undefined };
  const named = (results: readonly Tensor[], { results: names }: Elaborated, wanted: string): Numbers => {
    const found = results[names.indexOf(wanted)];
    if (found === undefined) throw new Error(`the entry has given no ${wanted}`);
    return realsOf(found);
  };
  const rowsOf = (results: readonly Tensor[]): readonly Numbers[] =>
    decl.feeds.map(({ first }) => named(results, of.elaborated, first));
  const added = (more: readonly number[], how: ForwardOptions): readonly Tensor[] => {
    const results = session.forward(more, how);
    ids.push(...more);
    return results;
  };
  return {
    ...{ context: of.context, checks: of.checks },
    use: (given) => {
      options = given;
    },
    get chunk() {
      return options.chunk;
    },
    get length() {
      return session.length;
    },
    get drafted() {
      return draft.length;
    },
    tokens: () => ids,
    advance: async (more, wanted) => {
      await options.before();
      const results = added(more, { signal: options.signal });
      const logits = named(results, of.elaborated, "logits");
      return { logits: wanted === "logits" ? logits : logits.subarray(-width), rows: rowsOf(results) };
    },
    again: async (count) => {
      const last = ids.splice(ids.length - count);
      session.rollback(count);
      return rowsOf(added(last, {}));
    },
    rollback: (count) => {
      session.rollback(count);
      ids.length -= count;
    },
    draft: async (more, rows): Promise<Told> => {
      await options.before();
      const given = new Map(decl.feeds.map(({ input }, i) => [input, Float64Array.from(rows[i] ?? [])] as const));
      const results = draft.forward(more, { signal: options.signal, given });
      const names = of.draftElaborated.results;
      const logits = named(results, of.draftElaborated, names.includes("next") ? "next" : "logits");
      return {
        logits: logits.subarray(-width),
        rows: decl.feeds.map(({ then }) => named(results, of.draftElaborated, then)),
      };
    },
    undraft: (count) => draft.rollback(count),
  };
}
