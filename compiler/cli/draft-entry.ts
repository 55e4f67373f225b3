/** The entry that drafts for another, as a graph, where the checkpoint has its weights. */
import type { NoDraftReason } from "../../runtime/artifact/errors.ts";
import type { DraftDecl } from "../../runtime/artifact/program.ts";
import { narrowFormats } from "../directives/read-directives.ts";
import { draftOf, mostChecked } from "../driver/planned-calls.ts";
import { type Elaborated, type ElaborateOptions, elaborate } from "../elaborate/elaborate.ts";

export interface DraftEntry {
  readonly decl: DraftDecl;
  /** Most tokens of a call that checks. */
  readonly checks: number;
  readonly elaborated: Elaborated;
}

type Drafting = Pick<ElaborateOptions, "model" | "declared" | "entry">;

/** That a checkpoint has a part of the weights was told when the text was held against it. */
export function draftEntry(
  { model, declared, entry }: Drafting,
  { tensors }: { readonly tensors: { readonly has: (name: string) => boolean } },
): DraftEntry | NoDraftReason {
  const decl = draftOf(model, entry);
  const results = model.path.entries.get(decl?.entry ?? "")?.decl.results.map((r) => r.name.text) ?? [];
  if (decl === null) return "no-entry";
  const elaborated = elaborate({
    ...{ model, declared, entry: decl.entry, format: narrowFormats(model, decl.entry) },
    results: [...decl.feeds.map((f) => f.then), results.includes("next") ? "next" : "logits"],
  });
  const lacking = [...elaborated.weights.values()].some(
    (w) => w.constant === null && w.tensors.some((names) => !names.some((name) => tensors.has(name))),
  );
  return lacking ? "no-weights" : { decl, checks: mostChecked(model, entry), elaborated };
}
