/** The playground's page: texts on the left, what the compiler makes of them on the right. */
import { clearAlerts, showError } from "../../../runtime/page/alerts.ts";
import { Client } from "../../../runtime/page/client.ts";
import { announce, byId, element } from "../../../runtime/page/dom.ts";
import { Tabs } from "../../../runtime/page/tabs.ts";
import { Editor } from "./editor.ts";
import { KernelsView } from "./kernels-view.ts";
import { OutputView } from "./output-view.ts";
import type { Checked, Draft, Place, PlaygroundCalls } from "./protocol.ts";
import { EditedTexts, type Texts } from "./texts.ts";

/** Milliseconds without typing before a text is checked. */
const pause = 250;

const client = new Client<PlaygroundCalls>(new URL("./worker.js", import.meta.url), () => void reopen());
const tabs = new Tabs(["told", "graph", "kernels", "output"]);
const config = byId("config", HTMLTextAreaElement);
const file = byId("file", HTMLSelectElement);
let texts: EditedTexts | null = null;
let checks = 0;
let timer = 0;

const editor = new Editor((text) => {
  texts?.edit(text);
  showEdited();
  checkSoon();
});

const draftOf = ({ entry, edits }: EditedTexts): Draft => ({
  ...{ entry, edits },
  config: config.value.trim() === "" ? null : config.value,
});

const kernels = new KernelsView({
  plan: (subgroups) => client.call("plan", { draft: draftNow(), subgroups }),
  kernel: (name) => client.call("kernel", name),
  lineOf: ({ path, line }) => texts?.lineOf(path, line) ?? "",
  point: (at) => pointAt(at),
  failed: (error) => showError("There is no plan", error, ""),
});
const output = new OutputView({
  run: (run, tell, signal) => client.call("run", { draft: draftNow(), run }, { onEvent: tell, signal }),
  failed: (error) => showError("It does not run", error, ""),
});

function draftNow(): Draft {
  clearAlerts();
  if (texts === null) throw new Error("the texts are not here yet");
  return draftOf(texts);
}

function showEdited(): void {
  if (texts === null) return;
  byId("undo", HTMLButtonElement).hidden = !texts.isEdited(texts.shown);
  byId("entry-hint", HTMLSpanElement).textContent = texts.shown === texts.entry ? "" : `as part of ${texts.entry}`;
  for (const option of file.options)
    option.textContent = `${option.value}${texts.isEdited(option.value) ? " (edited)" : ""}`;
}

function showFile(path: string): void {
  if (texts === null) return;
  texts.shown = path;
  if (!path.startsWith("std/") && texts.entry !== path) {
    texts.entry = path;
    config.value = texts.given.configs[path] ?? "";
    kernels.clear();
    const own = path === texts.given.first;
    output.offer(own);
  }
  file.value = path;
  editor.show(texts.textOf(path));
  showEdited();
  checkSoon(0);
}

function pointAt({ path, line }: Place): void {
  if (texts === null) return;
  if (texts.shown !== path && texts.paths.includes(path)) {
    texts.shown = path;
    file.value = path;
    editor.show(texts.textOf(path));
    showEdited();
  }
  editor.point(line);
}

function checkSoon(after = pause): void {
  clearTimeout(timer);
  timer = window.setTimeout(() => void check(), after);
}

async function check(): Promise<void> {
  if (texts === null) return;
  checks += 1;
  const own = checks;
  try {
    const checked = await client.call("check", draftOf(texts));
    // One that was asked for later says more.
    if (own === checks) showChecked(checked, texts);
  } catch (error) {
    showError("The text was not checked", error, "");
  }
}

function showChecked({ diagnostics, picture, parameters }: Checked, { shown }: EditedTexts): void {
  editor.mark(diagnostics.filter(({ path }) => path === shown));
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const said =
    diagnostics.length === 0
      ? `Fine.${parameters === null ? "" : ` ${parameters.toLocaleString("en")} parameters.`}`
      : `${errors} ${errors === 1 ? "error" : "errors"}, ${diagnostics.length - errors} warnings.`;
  byId("told-line", HTMLParagraphElement).textContent = said;
  byId("tab-told", HTMLButtonElement).textContent =
    diagnostics.length === 0 ? "Diagnostics" : `Diagnostics (${diagnostics.length})`;
  const items = diagnostics.map((told) => {
    const item = element("li", { className: told.severity });
    const go = element("button", { className: "quiet", text: `${told.path}:${told.line}` });
    go.type = "button";
    go.addEventListener("click", () => pointAt(told));
    item.append(go, element("pre", { text: told.text }));
    return item;
  });
  byId("told-list", HTMLUListElement).replaceChildren(...items);
  showPicture(picture);
}

/** Drawn as part of the page: a policy that allows no images from elsewhere allows none that are made here either. */
function showPicture(picture: Checked["picture"]): void {
  byId("graph-line", HTMLParagraphElement).textContent =
    picture === null ? "There is a picture where the text has a model and no errors." : "";
  byId("picture-text", HTMLPreElement).textContent = picture?.text ?? "";
  const box = byId("picture", HTMLDivElement);
  box.replaceChildren();
  if (picture === null) return;
  const rules: string[] = [];
  const drawing = picture.svg.replace(/<style>(.*?)<\/style>/gs, (_, css: string) => {
    rules.push(css);
    return "";
  });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules.join(""));
  document.adoptedStyleSheets = [sheet];
  box.append(document.importNode(new DOMParser().parseFromString(drawing, "image/svg+xml").documentElement, true));
}

async function reopen(): Promise<void> {
  if (texts === null) return;
  await client.call("open", { texts: texts.given.texts, compiler: texts.given.compiler }).catch(() => null);
}

async function start(): Promise<void> {
  try {
    const answer = await fetch(new URL("../texts.json", import.meta.url));
    if (!answer.ok) throw new Error(`texts.json: the server answered with status ${answer.status}`);
    const given: Texts = await answer.json();
    texts = new EditedTexts(given);
    await client.call("open", { texts: given.texts, compiler: given.compiler });
  } catch (error) {
    showError("The texts cannot be read", error, "Load the page again.");
    return;
  }
  const groups = [
    ["Models", texts.paths.filter((path) => !path.startsWith("std/"))],
    ["Library", texts.paths.filter((path) => path.startsWith("std/"))],
  ] as const;
  for (const [label, paths] of groups) {
    const group = element("optgroup");
    group.label = label;
    for (const path of paths) {
      const option = element("option", { text: path });
      option.value = path;
      group.append(option);
    }
    file.append(group);
  }
  file.addEventListener("change", () => showFile(file.value));
  config.addEventListener("input", () => checkSoon());
  byId("undo", HTMLButtonElement).addEventListener("click", () => {
    if (texts === null) return;
    texts.edit(texts.given.texts[texts.shown] ?? "");
    showFile(texts.shown);
    announce("The text is as it was.");
  });
  config.value = texts.given.configs[texts.given.first] ?? "";
  output.offer(true);
  tabs.show("told");
  showFile(texts.given.first);
}

void start();
