/** Where the weights come from, and their way here. */
import { checkpointFiles, droppedFiles } from "./chosen-files.ts";
import { byId, numberOf } from "./dom.ts";
import type { Hello, LoadAsk } from "./protocol.ts";
import { bytesText, secondsText } from "./words.ts";

/** `load`: told what to load. `failed`: of what a person has chosen and cannot be loaded. */
export function loadView(load: (ask: LoadAsk) => void, failed: (error: unknown) => void): void {
  const url = byId("url", HTMLInputElement);
  const keep = byId("keep", HTMLInputElement);
  url.value = offered();

  byId("from-url", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const given = url.value.trim();
    try {
      if (given === "") throw new Error("no address was given");
      load({ weights: new URL(given, document.baseURI).href, keep: keep.checked, ...options() });
    } catch (error) {
      failed(error);
    }
  });

  const chosen = (files: readonly File[]): void => {
    if (files.length === 0) failed(new Error("there is no .safetensors file among them"));
    else load({ weights: files, keep: false, ...options() });
  };
  for (const kind of ["folder", "files"] as const) {
    const input = byId(kind, HTMLInputElement);
    byId(`pick-${kind}`, HTMLButtonElement).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const files = checkpointFiles(input.files ?? []);
      input.value = ""; // the same files may be chosen again
      chosen(files);
    });
  }

  const drop = byId("drop", HTMLDivElement);
  // Whatever is dropped beside it would be opened by the browser, and the page would be gone.
  for (const type of ["dragover", "drop"] as const) document.addEventListener(type, (event) => event.preventDefault());
  drop.addEventListener("dragover", () => drop.classList.add("over"));
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", ({ dataTransfer }) => {
    drop.classList.remove("over");
    if (dataTransfer !== null) droppedFiles(dataTransfer).then(chosen, failed);
  });
}

/** Of the page's address, else of the package. */
function offered(): string {
  const asked = new URLSearchParams(location.search).get("weights");
  const own = document.querySelector("meta[name=dsc-weights]")?.getAttribute("content");
  return asked ?? own ?? "";
}

function options(): Pick<LoadAsk, "context" | "threads"> {
  return { context: numberOf(byId("context", HTMLInputElement)), threads: numberOf(byId("threads", HTMLInputElement)) };
}

/** What the model needs, and what this page may use. */
export function showNeeds({ memory, context, target }: Hello): void {
  byId("need", HTMLElement).textContent = `${bytesText(memory.weights)} of memory`;
  byId("context", HTMLInputElement).max = String(context);
  byId("threads-field", HTMLDivElement).hidden = target !== "wasm";
  byId("threads", HTMLInputElement).disabled = !crossOriginIsolated;
  byId("threads-hint", HTMLParagraphElement).textContent = crossOriginIsolated
    ? `This device has ${navigator.hardwareConcurrency} cores.`
    : "One: the page was served without the headers that several need.";
}

/** One loading, from its start on. */
export class LoadingView {
  readonly #progress = byId("progress", HTMLProgressElement);
  readonly #line = byId("progress-line", HTMLParagraphElement);
  readonly #started = performance.now();

  constructor({ weights }: LoadAsk) {
    const name =
      typeof weights === "string" ? weights.replace(/[?#].*$/s, "") : weights.map((file) => file.name).join(", ");
    byId("loading-name", HTMLParagraphElement).textContent = name;
    this.#progress.removeAttribute("value");
    this.#line.textContent = "Reading what the checkpoint has, and getting the kernels ready…";
  }

  show({ loaded, total }: { readonly loaded: number; readonly total: number }): void {
    this.#progress.max = Math.max(1, total);
    this.#progress.value = loaded;
    const seconds = (performance.now() - this.#started) / 1000;
    const speed = loaded / seconds;
    const rest =
      seconds > 1 && loaded > 0 && loaded < total
        ? `, ${bytesText(speed)}/s, ${secondsText((total - loaded) / speed)} left`
        : "";
    this.#line.textContent = `${bytesText(loaded)} of ${bytesText(total)}${rest}`;
  }
}
