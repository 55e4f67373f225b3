/** Checks what an edit touches and shows the outcome for every file of the project, not only the open one. */
import {
  DiagnosticSeverity,
  DiagnosticTag,
  type Diagnostic as EditorDiagnostic,
  type PublishDiagnosticsParams,
} from "vscode-languageserver/node";
import type { Diagnostic } from "../../dsl/diagnostics/diagnostic.ts";
import { rangeOf } from "./documents.ts";
import { type Checked, isLibraryPath, type Workspace } from "./workspace.ts";

export function toEditor(workspace: Workspace, checked: Checked, diagnostic: Diagnostic): EditorDiagnostic {
  const { code, severity, title, primary, secondary, help } = diagnostic;
  const lines = [title, primary.text === title ? "" : primary.text, help === null ? "" : `help: ${help}`];
  const shown: EditorDiagnostic = {
    range: rangeOf(primary.span),
    severity: severity === "error" ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    source: "dsc",
    code,
    message: lines.filter((line) => line !== "").join("\n"),
  };
  if (code === "DS0107") shown.tags = [DiagnosticTag.Unnecessary];
  if (secondary.length > 0) {
    shown.relatedInformation = secondary.map(({ span, text }) => ({
      location: workspace.locate(checked, span),
      message: text === "" ? title : text,
    }));
  }
  return shown;
}

/** Milliseconds without an edit before a text is checked. */
const quiet = 50;

export interface Publisher {
  send(params: PublishDiagnosticsParams): void;
  failed(what: string, error: unknown): void;
}

/**
 * Open files are entries. An edit makes those entries stale that read the edited file; they are checked again once the
 * typing rests, the edited file first, with a breath between two so that requests are answered in the meantime.
 */
export class DiagnosticsService {
  private readonly workspace: Workspace;
  private readonly publisher: Publisher;
  private readonly version: (path: string) => number | undefined;
  private readonly entries = new Map<string, Checked>();
  private readonly stale = new Set<string>();
  private readonly published = new Map<string, string>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private round = 0;

  constructor(workspace: Workspace, publisher: Publisher, version: (path: string) => number | undefined) {
    this.workspace = workspace;
    this.publisher = publisher;
    this.version = version;
  }

  opened(path: string): void {
    this.stale.add(path);
    this.changed(path);
  }

  /** A text is another one now, in the editor or on disk. */
  changed(path: string): void {
    for (const [entry, checked] of this.entries) if (checked.reads.has(path)) this.stale.add(entry);
    // the file that is being edited comes last here and first in `work`
    if (this.stale.delete(path)) this.stale.add(path);
    this.wait();
  }

  /** A file is no entry any more; what it alone reported goes. */
  closed(path: string): void {
    this.entries.delete(path);
    this.stale.delete(path);
    this.changed(path);
    this.publish();
  }

  /** Everything may be different: folders came or went. */
  changedAll(): void {
    for (const entry of this.entries.keys()) this.stale.add(entry);
    this.wait();
  }

  dispose(): void {
    this.round += 1;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private wait(): void {
    this.round += 1;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.work(this.round).catch((error: unknown) => this.publisher.failed("diagnostics", error));
    }, quiet);
  }

  private async work(round: number): Promise<void> {
    for (const entry of [...this.stale].reverse()) {
      if (round !== this.round) return; // edited again: the new round does what is left
      try {
        this.entries.set(entry, this.workspace.check(entry));
      } catch (error) {
        this.entries.delete(entry);
        this.publisher.failed(`check ${entry}`, error);
      }
      this.stale.delete(entry);
      this.publish();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private publish(): void {
    const wanted = new Map<string, Map<string, EditorDiagnostic>>();
    for (const [entry, checked] of this.entries) {
      for (const diagnostic of checked.result.diagnostics) {
        const { path } = diagnostic.primary.span.source;
        if (isLibraryPath(path)) continue;
        const file = this.workspace.fileOf(checked, path);
        // said about another text: its positions mean nothing any more
        if (this.stale.has(entry) && this.workspace.read(file) !== checked.reads.get(file)) continue;
        const shown = toEditor(this.workspace, checked, diagnostic);
        const list = wanted.get(file) ?? new Map<string, EditorDiagnostic>();
        // two entries that share a file report the same about it
        wanted.set(file, list.set(JSON.stringify([shown.code, shown.range, shown.message]), shown));
      }
    }
    for (const entry of this.entries.keys()) if (!wanted.has(entry)) wanted.set(entry, new Map());
    for (const file of this.published.keys()) if (!wanted.has(file)) wanted.set(file, new Map());
    for (const [file, list] of wanted) this.publishFile(file, [...list.values()]);
  }

  private publishFile(file: string, diagnostics: EditorDiagnostic[]): void {
    const uri = this.workspace.uriOf(file);
    const version = this.version(file);
    const state = JSON.stringify([uri, version, diagnostics]);
    if (this.published.get(file) === state) return;
    const isOpen = version !== undefined;
    if (diagnostics.length === 0 && !isOpen && !this.published.has(file)) return;
    if (diagnostics.length === 0 && !isOpen) this.published.delete(file);
    else this.published.set(file, state);
    this.publisher.send(isOpen ? { uri, version, diagnostics } : { uri, diagnostics });
  }
}
