/** Starts `dsc lsp` and connects it to the editor; everything else is done there. */
const { workspace, window } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

/** @type {LanguageClient | undefined} */
let client;

async function activate(context) {
  context.subscriptions.push(
    workspace.onDidChangeConfiguration(async (event) => {
      if (!event.affectsConfiguration("dsc.path")) return;
      await stop();
      await start();
    }),
  );
  await start();
}

const deactivate = () => stop();

async function start() {
  client = new LanguageClient("dsc", "dsc", command(workspace.getConfiguration("dsc").get("path") || "dsc"), {
    documentSelector: [
      { scheme: "file", language: "dsc" },
      { scheme: "untitled", language: "dsc" },
    ],
  });
  try {
    await client.start();
  } catch (error) {
    window.showWarningMessage(`dsc could not be started (setting dsc.path): ${error.message ?? error}`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running?.isRunning()) await running.stop();
}

/** On Windows an installed command is a script, which only a shell can start; a shell wants blanks quoted. */
function command(path) {
  if (path.endsWith(".js")) return { command: "node", args: [path, "lsp"] };
  if (process.platform !== "win32") return { command: path, args: ["lsp"] };
  return { command: path.includes(" ") ? `"${path}"` : path, args: ["lsp"], options: { shell: true } };
}

module.exports = { activate, deactivate };
