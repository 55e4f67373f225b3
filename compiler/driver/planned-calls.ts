/** The calls that a program is made for: those that a loop of the text makes of its entries. */
import type { Entry } from "../../dsl/ast/nodes.ts";
import type { BoundModel } from "../../dsl/checker/check-project.ts";
import type { DraftDecl, DraftFeed } from "../../runtime/artifact/program.ts";
import { callKinds } from "../directives/phase-calls.ts";
import { UnsupportedError } from "../program/unsupported.ts";

export interface PlannedCall {
  readonly name: string;
  readonly entry: string;
  /** One of them `next` or `logits`. */
  readonly results: readonly string[];
  /** How many tokens, both ends included. */
  readonly from: number;
  readonly to: number;
  /** What it is planned for: tokens, and rows before them. */
  readonly tokens: number;
  readonly before: number;
  /**
   * Whether it is made once for all of its calls, wherever plans change: code and time to compile go to calls that come for every
   * token or with every prompt, and to all layers.
   */
  readonly once: boolean;
  /** Whether tokens are chosen by its logits. */
  readonly chooses: boolean;
}
export interface PlannedCalls {
  readonly calls: readonly PlannedCall[];
  /** Null where the text drafts nothing. */
  readonly draft: DraftDecl | null;
}

type Kind = Omit<PlannedCall, "entry">;
const any = Number.POSITIVE_INFINITY;
/** Behind a text, and at its start. */
const one = { from: 1, to: 1, tokens: 1, before: 511, once: false, chooses: true };
const many = { from: 2, to: any, tokens: 128, before: 0, once: false, chooses: true };
/** Parts of a text, most of which have a usual context before them. */
const parts = { ...many, before: 4096 - many.tokens, once: true };
/** Tokens of a call that checks what was drafted: a few. */
const checked = 4;

/** Of the entry, and of the one that a loop drafts with for it. */
export function plannedCalls(model: BoundModel, entry: string): PlannedCalls {
  const results = resultsOf(model, entry);
  const given = (kinds: readonly Kind[], of: string, names: readonly string[]): readonly PlannedCall[] =>
    kinds.filter((k) => k.results.every((r) => names.includes(r))).map((k) => ({ ...k, entry: of }));
  const drafting = draftOf(model, entry);
  const rows = drafting?.feeds.map((f) => f.first) ?? [];
  const calls = given(
    [
      { name: "decode", results: ["next"], ...one },
      { name: "prefill", results: [...rows, "next"], ...many },
      { name: "score", results: ["logits"], ...parts, from: 1, chooses: false },
    ],
    entry,
    results,
  );
  if (drafting === null) return { calls, draft: null };
  const most = mostChecked(model, entry);
  const check: Kind = {
    name: "verify",
    results: [...rows, "logits"],
    from: 1,
    to: most,
    tokens: checked,
    before: 511,
    once: false,
    chooses: true,
  };
  const names = resultsOf(model, drafting.entry);
  const guess = [...drafting.feeds.map((f) => f.then), names.includes("next") ? "next" : "logits"];
  const guesses: readonly Kind[] = [
    { name: "draft", results: guess, ...one, once: true },
    { name: "draft_prompt", results: guess, ...parts },
  ];
  const all = [...calls, ...given([check], entry, results), ...given(guesses, drafting.entry, names)];
  return { calls: all, draft: drafting };
}

const entryOf = (model: BoundModel, name: string): Entry | null => model.path.entries.get(name)?.decl ?? null;
const resultsOf = (model: BoundModel, entry: string): readonly string[] =>
  entryOf(model, entry)?.results.map((r) => r.name.text) ?? [];

/** Most tokens of a call that checks what was drafted. */
export const mostChecked = (model: BoundModel, entry: string): number =>
  callKinds(entry, model).find((c) => c.phase === "verify")?.to ?? any;

/** How a loop drafts for this entry; null where none does. An output feeds the input of its name; `z_next` is what feeds `z` the next time. */
export function draftOf(model: BoundModel, sampled: string): DraftDecl | null {
  const loops = model.path.items.flatMap(({ item }) => (item.kind === "loop" ? [item] : []));
  const loop = loops.find((l) => l.verb.text === "sample" && l.entry.text === sampled && l.draft !== null);
  const name = loop?.draft?.text;
  const entry = name === undefined ? null : entryOf(model, name);
  if (name === undefined || entry === null) return null;
  const results = resultsOf(model, name);
  const fed = entry.params.filter((p) => p.type.scalar?.kind !== "index-type").flatMap((p) => p.names);
  const feeds = fed.map(({ text: input }): DraftFeed => {
    const then = [`${input}_next`, input].find((n) => results.includes(n));
    if (then === undefined)
      throw new UnsupportedError(`${name} gives no ${input}_next, which feeds ${input} of its next call`);
    return { input, first: input, then };
  });
  return { entry: name, feeds };
}
