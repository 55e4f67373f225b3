/** The page of a package: weights are loaded, then talked with. */
import { clearAlerts, clearErrors, showError, showWarning } from "./alerts.ts";
import { ChecksView } from "./checks-view.ts";
import { Client } from "./client.ts";
import { announce, byId } from "./dom.ts";
import { showFacts } from "./facts-view.ts";
import { CallError, wasCancelled } from "./fault.ts";
import { showKept } from "./kept-view.ts";
import { LoadingView, loadView, showNeeds } from "./load-view.ts";
import type { Answered, Calls, LoadAsk, Loaded } from "./protocol.ts";
import { Tabs } from "./tabs.ts";
import { TalkView } from "./talk-view.ts";

type Place = "load" | "loading" | "work";

const tabs = new Tabs(["talk", "checks", "facts"]);
let loaded: Loaded | null = null;
let loading: AbortController | null = null;

const client = new Client<Calls>(new URL("./worker.js", import.meta.url), () => {
  // The calls have told it. Weights have to be loaded again.
  loaded = null;
  if (loading === null) showPlace("load");
});

const talk = new TalkView({
  generate: (ask, said, signal) => {
    clearErrors();
    return client.call("generate", ask, { onEvent: said, signal });
  },
  reset: () => client.call("reset", null),
  failed: (error) => {
    if (error instanceof CallError && error.fault.code === "device-lost") void unload();
    else if (loaded === null) showPlace("load");
    showError("The model did not answer", error);
  },
  answered: (answered) => showAbout(answered),
});

function showPlace(place: Place): void {
  for (const name of ["load", "loading", "work"] as const) byId(name, HTMLElement).hidden = name !== place;
  byId("loaded-bar", HTMLDivElement).hidden = place !== "work";
  byId("about-line", HTMLParagraphElement).hidden = place === "work";
  if (place === "load") void refreshKept();
}

function showAbout(answered: Answered | null): void {
  if (loaded !== null) showFacts(loaded, answered);
}

async function refreshKept(): Promise<void> {
  // Where nothing can be kept there is nothing to show.
  const kept = await client.call("kept", null).catch(() => null);
  if (kept === null) return;
  showKept(kept, {
    load: (url) => {
      byId("url", HTMLInputElement).value = url;
      byId("from-url", HTMLFormElement).requestSubmit();
    },
    remove: async (url) => {
      clearAlerts();
      try {
        await client.call("remove", url);
        announce(`${url} is removed from this device.`);
      } catch (error) {
        showError("The weights were not removed", error);
      }
      await refreshKept();
    },
  });
}

async function load(ask: LoadAsk): Promise<void> {
  if (loading !== null) return;
  clearAlerts();
  const abort = new AbortController();
  loading = abort;
  const view = new LoadingView(ask);
  showPlace("loading");
  byId("loading-title", HTMLHeadingElement).focus();
  // The browser may then not remove it on its own; it is asked, and may refuse.
  if (ask.keep) void navigator.storage?.persist?.().catch(() => false);
  try {
    loaded = await client.call("load", ask, { onEvent: (progress) => view.show(progress), signal: abort.signal });
    for (const warning of loaded.warnings) showWarning("Loaded, but", warning);
    opened(loaded);
  } catch (error) {
    showPlace("load");
    showError("The weights were not loaded", error, remedyOfLoading(error));
    if (error instanceof CallError && wasCancelled(error.fault))
      announce(`Cancelled.${ask.keep ? " What has arrived is kept." : ""}`);
    byId(typeof ask.weights === "string" ? "load-url" : "pick-files", HTMLButtonElement).focus();
  } finally {
    loading = null;
  }
}

/** A context that is asked for is too long, not one that a conversation has filled. */
const remedyOfLoading = (error: unknown): string | undefined =>
  error instanceof CallError && error.fault.code === "context-length"
    ? "Load with a smaller context (Options)."
    : undefined;

function opened({ info, chats, checks }: Loaded): void {
  tabs.tab("checks").hidden = !checks;
  byId("checks-line", HTMLParagraphElement).textContent = "";
  byId("checks-scroll", HTMLDivElement).hidden = true;
  showAbout(null);
  tabs.show("talk");
  showPlace("work");
  announce("The model is loaded.");
  talk.open({ chats, draftsMost: info.draft.available ? info.draft.most : null });
}

async function unload(): Promise<void> {
  talk.stop();
  loaded = null;
  await client.call("unload", null).catch(() => null);
  showPlace("load");
  byId("load-url", HTMLButtonElement).focus();
}

async function runChecks(): Promise<void> {
  const run = byId("run-checks", HTMLButtonElement);
  const view = new ChecksView();
  run.disabled = true;
  try {
    await client.call("checks", null, { onEvent: (result) => view.add(result) });
    view.end();
  } catch (error) {
    view.fail();
    showError("The checks did not end", error);
  } finally {
    run.disabled = false;
  }
}

async function start(): Promise<void> {
  loadView(
    (ask) => void load(ask),
    (error) => {
      clearAlerts();
      showError("The weights were not loaded", error, ""); // what is missing is all that there is to say
    },
  );
  byId("cancel", HTMLButtonElement).addEventListener("click", () => loading?.abort());
  byId("unload", HTMLButtonElement).addEventListener("click", () => {
    clearAlerts();
    void unload();
  });
  byId("run-checks", HTMLButtonElement).addEventListener("click", () => void runChecks());
  try {
    showNeeds(await client.call("hello", null));
    showPlace("load");
  } catch (error) {
    showError("The package cannot be read", error);
  }
}

void start();
