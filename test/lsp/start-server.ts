/** What the tests start as a child process: the server as `dsc lsp` runs it. */
import { startLanguageServer } from "../../compiler/lsp/server.ts";

startLanguageServer();
