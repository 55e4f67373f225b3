/**
 * `dsc lsp`: the language server over standard input and output. Each request is answered from a check of the texts as
 * they are at that moment; only publishing diagnostics waits for a pause in typing. Nothing a client sends ends the
 * process: what fails is logged and answered with nothing.
 */
import {
  type CancellationToken,
  CodeActionKind,
  type Connection,
  createConnection,
  DidChangeWatchedFilesNotification,
  type InitializeParams,
  type InitializeResult,
  LSPErrorCodes,
  ResponseError,
  type TextDocumentPositionParams,
  TextDocumentSyncKind,
  TextDocuments,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { makeSource, type Source } from "../../dsl/diagnostics/source.ts";
import { parse } from "../../dsl/parser/parse.ts";
import { codeActions } from "./code-actions.ts";
import { complete } from "./completion.ts";
import { definitionAt } from "./definition.ts";
import { DiagnosticsService } from "./diagnostics.ts";
import { findLibraryFolder, realDisk } from "./disk.ts";
import { OpenDocuments, offsetOf, pathOfUri } from "./documents.ts";
import { formatEdits } from "./format.ts";
import { resynchronising } from "./framing.ts";
import { hoverAt } from "./hover.ts";
import { inlayHints } from "./inlay-hints.ts";
import { highlightsAt, referencesAt } from "./references.ts";
import { prepareRename, type Renaming, rename } from "./rename.ts";
import { legend, semanticTokens } from "./semantic-tokens.ts";
import { outline } from "./symbols.ts";
import { type Checked, Workspace } from "./workspace.ts";

export function startLanguageServer(): void {
  const connection = createConnection(process.stdin.pipe(resynchronising()), process.stdout, {
    // a request that still waits in line when it is cancelled is never begun
    connectionStrategy: {
      cancelUndispatched: (message) => ({
        jsonrpc: "2.0",
        id: "id" in message && (typeof message.id === "number" || typeof message.id === "string") ? message.id : null,
        error: { code: LSPErrorCodes.RequestCancelled, message: "cancelled" },
      }),
    },
  });
  const failed = (what: string, error: unknown): void => connection.console.error(`${what}: ${stackOf(error)}`);
  process.on("uncaughtException", (error) => failed("uncaught", error));
  process.on("unhandledRejection", (error) => failed("unhandled", error));
  serve(connection, failed);
}

type Failed = (what: string, error: unknown) => void;

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** A file as a request finds it: the text at the cursor, and the check of exactly that text. */
interface At {
  readonly path: string;
  readonly source: Source;
  readonly checked: Checked;
  readonly offset: number;
}

function serve(connection: Connection, failed: Failed): void {
  const open = new OpenDocuments();
  const workspace = new Workspace(open, realDisk, findLibraryFolder());
  const versionOf = (path: string): number | undefined => open.get(path)?.version;
  const service = new DiagnosticsService(
    workspace,
    {
      send: (params) => void connection.sendDiagnostics(params).catch((error: unknown) => failed("publish", error)),
      failed,
    },
    versionOf,
  );
  /** By path, the last check of a file without syntax errors: completion's memory. */
  const lastGood = new Map<string, Checked>();

  serveLifecycle(connection, { open, workspace, service, failed });
  serveDocuments(connection, { open, service, lastGood });

  const check = (path: string): Checked => {
    const checked = workspace.check(path);
    const isWhole = !checked.result.diagnostics.some(
      (one) => one.code.startsWith("DS00") && one.primary.span.source.path === checked.entry,
    );
    if (isWhole) lastGood.set(path, checked);
    return checked;
  };
  const at = ({ textDocument, position }: TextDocumentPositionParams): At | null => {
    const path = pathOfUri(textDocument.uri);
    const source = workspace.source(path);
    if (source === null) return null;
    return { path, source, checked: check(path), offset: offsetOf(source, position) };
  };
  const checkedOf = (uri: string): { readonly checked: Checked; readonly source: Source } | null => {
    const source = workspace.source(pathOfUri(uri));
    return source === null ? null : { checked: check(pathOfUri(uri)), source };
  };
  const guarded = guard(failed);

  connection.onHover(
    guarded("hover", null, (params) => {
      const here = at(params);
      return here === null ? null : hoverAt(here.checked.result, here.checked.entry, here.offset);
    }),
  );
  connection.onDefinition(
    guarded("definition", null, (params) => {
      const here = at(params);
      return here === null ? null : definitionAt(workspace, here.checked, here.offset);
    }),
  );
  connection.onReferences(
    guarded("references", [], async (params, token) => {
      const here = at(params);
      if (here === null) return [];
      const options = { withDeclaration: params.context.includeDeclaration, pause: pauseUnless(token) };
      return [...(await referencesAt(workspace, here.checked, here.offset, options))];
    }),
  );
  connection.onDocumentHighlight(
    guarded("highlight", [], (params) => {
      const here = at(params);
      return here === null ? [] : [...highlightsAt(here.checked, here.offset)];
    }),
  );
  connection.onPrepareRename(
    guarded("prepare rename", null, (params) => {
      const here = at(params);
      return here === null ? null : accepted(prepareRename(workspace, here.checked, here.offset));
    }),
  );
  connection.onRenameRequest(
    guarded("rename", null, async (params, token) => {
      const here = at(params);
      if (here === null) return null;
      return accepted(
        await rename(workspace, here.checked, here.offset, { newName: params.newName, pause: pauseUnless(token) }),
      );
    }),
  );
  connection.onCompletion(
    guarded("completion", [], (params) => {
      const here = at(params);
      if (here === null) return [];
      const { checked, source, offset, path } = here;
      return [...complete({ workspace, checked, text: source.text, offset, lastGood: lastGood.get(path) ?? null })];
    }),
  );
  connection.onDocumentFormatting(
    guarded("format", [], (params) => {
      const source = workspace.source(pathOfUri(params.textDocument.uri));
      return source === null ? [] : [...formatEdits(source)];
    }),
  );
  connection.onDocumentSymbol(
    guarded("outline", [], (params) => {
      const path = pathOfUri(params.textDocument.uri);
      const text = workspace.read(path);
      return text === null ? [] : [...outline(parse(makeSource(path, text)).file)];
    }),
  );
  connection.onCodeAction(
    guarded("code action", [], (params) => {
      const here = checkedOf(params.textDocument.uri);
      if (here === null) return [];
      const { start, end } = params.range;
      return [...codeActions(workspace, here.checked, offsetOf(here.source, start), offsetOf(here.source, end))];
    }),
  );
  connection.languages.inlayHint.on(
    guarded("inlay hints", [], (params) => {
      const here = checkedOf(params.textDocument.uri);
      if (here === null) return [];
      return [
        ...inlayHints(here.checked, offsetOf(here.source, params.range.start), offsetOf(here.source, params.range.end)),
      ];
    }),
  );
  connection.languages.semanticTokens.on(
    guarded("semantic tokens", { data: [] }, (params) => {
      const here = checkedOf(params.textDocument.uri);
      return here === null ? { data: [] } : semanticTokens(here.checked);
    }),
  );
  connection.listen();
}

const accepted = <T>(renaming: Renaming<T>): T => {
  if ("refused" in renaming) throw new ResponseError(LSPErrorCodes.RequestFailed, renaming.refused);
  return renaming.ok;
};

/** Lets other messages in, a cancellation among them. */
const pauseUnless = (token: CancellationToken) => async (): Promise<boolean> => {
  await new Promise((resolve) => setImmediate(resolve));
  if (token.isCancellationRequested) throw new ResponseError(LSPErrorCodes.RequestCancelled, "cancelled");
  return true;
};

/** A handler that fails is logged and answers `nothing`; refusals reach the user as they are. */
const guard =
  (failed: Failed) =>
  <P, R>(what: string, nothing: R, handle: (params: P, token: CancellationToken) => R | Promise<R>) =>
  async (params: P, token: CancellationToken): Promise<R | ResponseError<void>> => {
    if (token.isCancellationRequested) return new ResponseError(LSPErrorCodes.RequestCancelled, "cancelled");
    try {
      return await handle(params, token);
    } catch (error) {
      if (error instanceof ResponseError) return new ResponseError(error.code, error.message);
      failed(what, error);
      return nothing;
    }
  };

interface Documents {
  readonly open: OpenDocuments;
  readonly service: DiagnosticsService;
  readonly lastGood: Map<string, Checked>;
}

function serveDocuments(connection: Connection, { open, service, lastGood }: Documents): void {
  const documents = new TextDocuments(TextDocument);
  documents.onDidOpen(({ document }) => service.opened(open.put(document)));
  documents.onDidChangeContent(({ document }) => service.changed(open.put(document)));
  documents.onDidClose(({ document }) => {
    const path = open.drop(document.uri);
    lastGood.delete(path);
    service.closed(path);
  });
  documents.listen(connection);
}

interface Lifecycle {
  readonly open: OpenDocuments;
  readonly workspace: Workspace;
  readonly service: DiagnosticsService;
  readonly failed: Failed;
}

function serveLifecycle(connection: Connection, { open, workspace, service, failed }: Lifecycle): void {
  let folders = new Set<string>();
  let canWatch = false;
  let canFolders = false;
  connection.onInitialize((params: InitializeParams): InitializeResult => {
    canWatch = params.capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration === true;
    canFolders = params.capabilities.workspace?.workspaceFolders === true;
    const given = params.workspaceFolders?.map((folder) => folder.uri) ?? (params.rootUri ? [params.rootUri] : []);
    folders = new Set(given.map((uri) => open.putFolder(uri)));
    workspace.setFolders([...folders]);
    return { capabilities, serverInfo: { name: "dsc" } };
  });
  connection.onInitialized(() => {
    if (canWatch) {
      const watchers = [{ globPattern: "**/*.ds" }, { globPattern: "**/*.config.json" }];
      connection.client
        .register(DidChangeWatchedFilesNotification.type, { watchers })
        .catch((error: unknown) => failed("watch files", error));
    }
    if (!canFolders) return;
    connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
      for (const folder of removed) folders.delete(open.putFolder(folder.uri));
      for (const folder of added) folders.add(open.putFolder(folder.uri));
      workspace.setFolders([...folders]);
      service.changedAll();
    });
  });
  connection.onDidChangeWatchedFiles(({ changes }) => {
    for (const { uri } of changes) service.changed(pathOfUri(uri));
  });
  connection.onShutdown(() => service.dispose());
}

const capabilities: InitializeResult["capabilities"] = {
  textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
  hoverProvider: true,
  definitionProvider: true,
  referencesProvider: true,
  documentHighlightProvider: true,
  renameProvider: { prepareProvider: true },
  completionProvider: { triggerCharacters: ["(", ",", '"', "/"] },
  documentFormattingProvider: true,
  documentSymbolProvider: true,
  codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
  inlayHintProvider: true,
  semanticTokensProvider: { legend, full: true },
  workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
};
