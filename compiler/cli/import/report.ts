/** What `dsc import` has found, for people and for machines. */
import type { Diagnostic } from "../../../dsl/diagnostics/diagnostic.ts";
import { printable } from "../../../dsl/diagnostics/display.ts";
import { type JsonDiagnostic, toJson } from "../../../dsl/diagnostics/render-json.ts";
import { positionAt, type Span } from "../../../dsl/diagnostics/source.ts";
import { shortCount } from "../../../dsl/graph-view/format-count.ts";
import type { ReasoningTags } from "../../../runtime/text/streams.ts";
import { byteText } from "../../package/number-words.ts";
import type { DtypeFacts, EntryFacts, OptionalPart } from "./checkpoint-facts.ts";

export interface ImportReport {
  /** Whether the text describes the checkpoint, and nothing that it needs is missing. */
  readonly ok: boolean;
  readonly folder: string;
  /** `type`: the config's model_type. */
  readonly model: { readonly file: string; readonly name: string | null; readonly type: string | null };
  /** Name of the file that is read as the config. */
  readonly config: string;
  readonly weights: {
    readonly files: readonly string[];
    readonly tensors: number;
    readonly bytes: number;
    readonly dtypes: readonly DtypeFacts[];
  } | null;
  /** As the text counts them, optional parts included. */
  readonly parameters: number | null;
  readonly entries: readonly EntryFacts[];
  readonly optional: readonly OptionalPart[];
  readonly tokenizer: { readonly ids: number; readonly bos: string | null; readonly eos: string | null } | null;
  readonly templates: readonly string[];
  /** Tags around what the model writes to itself before it answers. */
  readonly reasoning: ReasoningTags | null;
  readonly ends: readonly { readonly id: number; readonly token: string | null }[];
  readonly constants: {
    readonly notes: readonly string[];
    readonly files: readonly {
      readonly name: string;
      readonly state: "written" | "replaced" | "same" | "kept";
      readonly holds: readonly string[];
    }[];
  };
  /** What is wrong or not supported, a line each. */
  readonly problems: readonly string[];
  readonly diagnostics: readonly JsonDiagnostic[];
  /** Commands to go on with. */
  readonly next: readonly string[];
}

/** `not supported: here scaling = "dynamic" (config.json:14)` */
export function problemLine({ code, title, primary, secondary }: Diagnostic): string {
  const at = ({ source, start }: Span): string => `${source.path}:${positionAt(source, start).line}`;
  const place = secondary.find(({ span }) => span.source.path.endsWith(".json"))?.span ?? primary.span;
  const what = code === "DS0124" || code === "DS0123" ? "not supported" : title;
  return `${what}: ${primary.text} (${at(place)})`;
}

export const errorsAsJson = (diagnostics: readonly Diagnostic[]): readonly JsonDiagnostic[] => diagnostics.map(toJson);

const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;

/** A line a subject: what it is called, and what is there. */
export function reportText(report: ImportReport): string {
  const { model, weights, tokenizer, constants } = report;
  const rows: (readonly [string, string])[] = [
    ["model", `${model.file}${model.type === null ? "" : ` (model_type ${model.type})`}`],
    ["config", report.config],
    ["weights", weights === null ? "none that can be read" : weightsText(weights)],
    ...(report.parameters === null ? [] : [["parameters", shortCount(report.parameters)] as const]),
    ...report.entries.map((entry) => ["entry", entryText(entry)] as const),
    ...report.optional.map(
      ({ name, present }) =>
        ["optional", `${name}: ${present ? "in the checkpoint" : "not in the checkpoint"}`] as const,
    ),
    ["tokenizer", tokenizer === null ? "none" : tokenizerText(tokenizer)],
    ["chat template", report.templates.length === 0 ? "none" : report.templates.join(", ")],
    ["reasoning", report.reasoning === null ? "none" : `${report.reasoning.open} … ${report.reasoning.close}`],
    ["end of text", report.ends.length === 0 ? "no id is named" : report.ends.map(endText).join(", ")],
    ...constants.notes.map((note) => ["constants", note] as const),
    ...constants.files.map(
      ({ name, state, holds }) => ["constants", `${name} ${stateTexts[state]}: ${holds.join(", ")}`] as const,
    ),
    ...report.problems.map((problem) => ["problem", problem] as const),
  ];
  const verdict = report.ok ? "can be used" : `${count(report.problems.length, "problem")}`;
  const lines = rows.map(([name, text]) => `  ${name.padEnd(13)}  ${printable(text)}\n`);
  const next = report.next.length === 0 ? "" : `\nNext:\n${report.next.map((command) => `  ${command}\n`).join("")}`;
  return `${printable(report.folder)}: ${verdict}\n${lines.join("")}${next}`;
}

const stateTexts = {
  written: "has been written",
  replaced: "has been replaced",
  same: "was there already",
  kept: "is there with something else and stays (--force replaces it)",
} as const;

function weightsText({ files, tensors, bytes, dtypes }: NonNullable<ImportReport["weights"]>): string {
  const [first = ""] = files;
  const named = files.length === 1 ? first : count(files.length, "file");
  const types = dtypes.map(({ dtype, elements }) => `${dtype} ${shortCount(elements)}`);
  return `${named}, ${byteText(bytes)}, ${count(tensors, "tensor")}: ${types.join(", ")}`;
}

function entryText({ name, signature, lacks, role }: EntryFacts): string {
  const roles = role === "sampled" ? ", sampled" : role === "drafts" ? ", drafts" : "";
  const cannot = lacks.length === 0 ? "" : `; cannot run: the checkpoint has no ${lacks.join(", ")}`;
  return `${name}${signature}${roles}${cannot}`;
}

function tokenizerText({ ids, bos, eos }: NonNullable<ImportReport["tokenizer"]>): string {
  const named = [bos === null ? [] : [`BOS ${bos}`], eos === null ? [] : [`EOS ${eos}`]].flat();
  return [count(ids, "id"), ...named].join(", ");
}

const endText = ({ id, token }: ImportReport["ends"][number]): string => (token === null ? `${id}` : `${id} ${token}`);
