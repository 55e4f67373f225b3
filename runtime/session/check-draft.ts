/** A program that drafts can be played to its end: what feeds the drafting entry is had from every call, and fits. */
import { CorruptPackageError } from "../artifact/errors.ts";
import type { Phase, Program, SizeExpr } from "../artifact/program.ts";
import { programFile } from "../artifact/read-value.ts";
import { evalSize } from "../artifact/size-expr.ts";
import { unplayed } from "../calls/choose-phase.ts";

/** `most`: tokens of a call; `context`: rows that are remembered. Throws CorruptPackageError. */
export function checkDraft(
  { phases, draft, entry, sizes, tokens, vocabulary }: Program,
  most: number,
  context: number,
): void {
  if (draft === undefined) return;
  const wrong = (message: string): CorruptPackageError => new CorruptPackageError(programFile, message);
  if (draft.entry === entry) throw wrong(`${entry} cannot draft for itself`);
  const first = draft.feeds.map((f) => f.first);
  const then = draft.feeds.map((f) => f.then);
  for (const logits of ["next", "logits"] as const)
    if (unplayed(phases, most, context, { entry, logits, rows: first }) !== null)
      throw wrong(`no phase of a single token gives ${[...first, logits].join(", ")}`);
  if (unplayed(phases, most, context, { entry: draft.entry, logits: "next", rows: then }) !== null)
    throw wrong(`no phase of a single token drafts`);

  /** Numbers of each token. */
  const width = (
    { from, to }: Phase,
    { name, dims }: { readonly name: string; readonly dims: readonly SizeExpr[] },
  ) => {
    const [rows, ...row] = dims;
    if (rows !== tokens && !(rows === from && from === to)) throw wrong(`${name} has no row for each token`);
    try {
      return row.reduce<number>((n, d) => n * evalSize(d, (size) => sizes[size]), 1);
    } catch {
      throw wrong(`the rows of ${name} differ in length`);
    }
  };
  const widths = new Map<string, number>();
  const same = (feed: string, found: number): void => {
    const known = widths.get(feed) ?? found;
    widths.set(feed, known);
    if (known !== found) throw wrong(`${feed} is fed rows of ${known} and of ${found} numbers`);
  };
  for (const phase of phases)
    for (const feed of draft.feeds) {
      const own = phase.entry === draft.entry;
      if (!own && phase.entry !== entry) continue;
      for (const one of phase.outputs)
        if (one.name === (own ? feed.then : feed.first)) same(feed.input, width(phase, one));
      if (own) for (const one of phase.inputs) if (one.name === feed.input) same(feed.input, width(phase, one));
    }
  for (const phase of phases.filter((p) => p.entry === draft.entry))
    for (const { name, dims } of phase.outputs)
      if ((name === "next" || name === "logits") && dims.at(-1) !== vocabulary)
        throw wrong(`${name} of ${phase.name} is not of all ${vocabulary} ids`);
}
