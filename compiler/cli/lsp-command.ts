import { type ExitCode, exitCodes } from "./exit-codes.ts";

/** The server keeps the process alive until its client ends it. */
export async function runLsp(): Promise<ExitCode> {
  const { startLanguageServer } = await import("../lsp/server.ts");
  startLanguageServer();
  return exitCodes.fine;
}
