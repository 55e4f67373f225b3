/** An editor as the server meets one: a process with a pipe each way, open texts with versions, a folder on disk. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  createProtocolConnection,
  type Diagnostic,
  type InitializeResult,
  type Position,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
  type Range,
  StreamMessageReader,
  StreamMessageWriter,
  type TextEdit,
  type WorkspaceEdit,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";

export interface StartOptions {
  readonly files: Readonly<Record<string, string>>;
  /** Whether `initialize` names the folder as a workspace folder. */
  readonly withFolder?: boolean;
}

export class Editor {
  readonly folder: string;
  readonly process: ChildProcessWithoutNullStreams;
  readonly connection: ProtocolConnection;
  private versions = 0;
  readonly published: PublishDiagnosticsParams[] = [];
  readonly logged: string[] = [];
  /** What initialize answered. */
  answer: InitializeResult = { capabilities: {} };
  private readonly documents = new Map<string, TextDocument>();
  private readonly listeners = new Set<() => void>();

  private constructor(files: Readonly<Record<string, string>>) {
    // a blank and a bracket in the name: addresses are escaped on the way
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), "dsc editor (")));
    for (const [path, text] of Object.entries(files)) this.writeToDisk(path, text);
    const script = fileURLToPath(new URL("./start-server.ts", import.meta.url));
    this.process = spawn(process.execPath, ["--import", "tsx", script], { stdio: "pipe" });
    this.process.stderr.on("data", (data: Buffer) => this.logged.push(data.toString()));
    this.connection = createProtocolConnection(
      new StreamMessageReader(this.process.stdout),
      new StreamMessageWriter(this.process.stdin),
    );
    this.connection.onNotification("textDocument/publishDiagnostics", (params: PublishDiagnosticsParams) => {
      this.published.push(params);
      for (const listener of this.listeners) listener();
    });
    this.connection.onNotification("window/logMessage", ({ message }: { message: string }) => {
      this.logged.push(message);
    });
    this.connection.onError(() => undefined);
    this.connection.listen();
  }

  static async start({ files, withFolder = true }: StartOptions): Promise<Editor> {
    const editor = new Editor(files);
    const uri = pathToFileURL(editor.folder).href;
    editor.answer = await editor.connection.sendRequest("initialize", {
      processId: process.pid,
      rootUri: null,
      capabilities: { textDocument: { publishDiagnostics: { relatedInformation: true, versionSupport: true } } },
      workspaceFolders: withFolder ? [{ uri, name: "project" }] : null,
    });
    await editor.connection.sendNotification("initialized", {});
    return editor;
  }

  /** Shuts the server down as the protocol asks and gives its exit code. */
  async stop(): Promise<number | null> {
    await this.connection.sendRequest("shutdown");
    const ended = this.ended();
    await this.connection.sendNotification("exit");
    const code = await ended;
    this.clean();
    return code;
  }

  ended(): Promise<number | null> {
    return new Promise((resolve) => this.process.once("exit", (code) => resolve(code)));
  }

  clean(): void {
    this.connection.dispose();
    this.process.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  writeToDisk(path: string, text: string): void {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  uri(path: string): string {
    return pathToFileURL(join(this.folder, path)).href;
  }

  text(path: string): string {
    return this.document(path).getText();
  }

  document(path: string): TextDocument {
    const document = this.documents.get(path);
    if (document === undefined) throw new Error(`${path} is not open`);
    return document;
  }

  async open(path: string, text: string): Promise<void> {
    // Versions never repeat, so that what was published for an earlier opening is not taken for this one.
    this.versions += 1;
    const document = TextDocument.create(this.uri(path), "dsc", this.versions, text);
    this.documents.set(path, document);
    const textDocument = { uri: document.uri, languageId: "dsc", version: document.version, text };
    await this.connection.sendNotification("textDocument/didOpen", { textDocument });
  }

  async close(path: string): Promise<void> {
    this.documents.delete(path);
    await this.connection.sendNotification("textDocument/didClose", { textDocument: { uri: this.uri(path) } });
  }

  /** Replaces the first `old` by `fresh`, sent as an incremental change. */
  async edit(path: string, old: string, fresh: string): Promise<void> {
    const start = this.text(path).indexOf(old);
    if (start < 0) throw new Error(`${path} has no ${JSON.stringify(old)}`);
    const document = this.document(path);
    const range: Range = { start: document.positionAt(start), end: document.positionAt(start + old.length) };
    await this.change(path, [{ range, text: fresh }]);
  }

  async change(path: string, contentChanges: { readonly range: Range; readonly text: string }[]): Promise<void> {
    const document = this.document(path);
    this.versions += 1;
    const version = this.versions;
    TextDocument.update(document, contentChanges, version);
    const textDocument = { uri: document.uri, version };
    await this.connection.sendNotification("textDocument/didChange", { textDocument, contentChanges });
  }

  /** Applies what a rename or a repair answered: to open texts through the server, to others on disk. */
  async apply(edit: WorkspaceEdit, readFromDisk: (path: string) => string): Promise<void> {
    for (const [uri, edits] of Object.entries(edit.changes ?? {})) {
      const path = decodeURIComponent(uri).slice(decodeURIComponent(pathToFileURL(this.folder).href).length + 1);
      if (this.documents.has(path)) await this.change(path, inReverse(edits));
      else
        this.writeToDisk(path, TextDocument.applyEdits(TextDocument.create(uri, "dsc", 1, readFromDisk(path)), edits));
    }
  }

  /** The position of the first `needle`, moved on by `by` characters. */
  at(
    path: string,
    needle: string,
    by = 0,
  ): { readonly textDocument: { readonly uri: string }; readonly position: Position } {
    const start = this.text(path).indexOf(needle);
    if (start < 0) throw new Error(`${path} has no ${JSON.stringify(needle)}`);
    return { textDocument: { uri: this.uri(path) }, position: this.document(path).positionAt(start + by) };
  }

  request<T>(method: string, params: unknown): Promise<T> {
    return this.connection.sendRequest<T>(method, params);
  }

  /** Writes messages at once, past the connection, and gives the answer that bears `id`. */
  raw(id: string, messages: readonly object[]): Promise<unknown> {
    const answer = new Promise<unknown>((resolve) => {
      let text = "";
      const listener = (data: Buffer): void => {
        text += data.toString();
        for (const body of text.split(/Content-Length: \d+\r\n\r\n/)) {
          if (!body.includes(`"id":${JSON.stringify(id)}`) || !body.endsWith("}")) continue;
          this.process.stdout.off("data", listener);
          resolve(JSON.parse(body));
        }
      };
      this.process.stdout.on("data", listener);
    });
    const frames = messages.map((message) => {
      const body = JSON.stringify({ jsonrpc: "2.0", ...message });
      return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    });
    this.process.stdin.write(frames.join(""));
    return answer;
  }

  /** The diagnostics of a file once they were published for its version now (or, for a file that is not open, at all). */
  diagnostics(path: string): Promise<readonly Diagnostic[]> {
    const version = this.documents.get(path)?.version;
    const seen = this.published.length;
    return this.until(() => {
      const list = version === undefined ? this.published.slice(seen) : this.published;
      return list.findLast((one) => one.uri === this.uri(path) && (version === undefined || one.version === version))
        ?.diagnostics;
    }, `diagnostics of ${path}`);
  }

  /** Waits for a state of the published diagnostics; fails with what was there instead. */
  until<T>(look: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const listener = (): void => {
        const found = look();
        if (found === undefined) return;
        clearTimeout(timer);
        this.listeners.delete(listener);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.listeners.delete(listener);
        reject(
          new Error(
            `no ${what}; published: ${JSON.stringify(this.published.slice(-3))}; log: ${this.logged.join("\n")}`,
          ),
        );
      }, 8000);
      this.listeners.add(listener);
      listener();
    });
  }

  /** The diagnostics last published for a file. */
  last(path: string): readonly Diagnostic[] {
    return this.published.findLast((one) => one.uri === this.uri(path))?.diagnostics ?? [];
  }
}

/** Edits of one text from its end, so that each leaves the positions of the next as they are. */
const inReverse = (edits: readonly TextEdit[]): { readonly range: Range; readonly text: string }[] =>
  [...edits]
    .sort((a, b) => b.range.start.line - a.range.start.line || b.range.start.character - a.range.start.character)
    .map(({ range, newText }) => ({ range, text: newText }));
