/** What was loaded, how it runs, and what it takes. */
import { byId, element } from "./dom.ts";
import type { Answered, Hello, Loaded } from "./protocol.ts";
import { bytesText, countText, speedText } from "./words.ts";

type Row = readonly [name: string, value: string | null];

export function showFacts(hello: Hello, loaded: Loaded, last: Answered | null): void {
  const { info, origin } = loaded;
  const { memory, draft } = info;
  const memoryBytes = last?.memoryBytes ?? loaded.memoryBytes;
  const rows: readonly Row[] = [
    ["Model", `${info.name}, ${countText(info.parameters)} parameters`],
    ["Target", targetText(hello, loaded)],
    ...extraRows(info),
    ["Vocabulary", `${countText(info.vocabulary)} tokens`],
    [
      "Context",
      `${countText(info.context)} tokens${info.declaredContext > info.context ? ` of ${countText(info.declaredContext)} that it can have` : ""}`,
    ],
    ["Drafts", draft.available ? `up to ${draft.most} tokens at a time` : noDraft[draft.reason]],
    ["Weights", bytesText(memory.weights)],
    ["Remembered tokens", bytesText(memory.session)],
    ["Memory in all", bytesText(memoryBytes)],
    [
      "Came from",
      origin === null
        ? "files, or a server, and not kept"
        : `${bytesText(origin.kept)} kept here, ${bytesText(origin.fetched)} downloaded`,
    ],
    ["Prompt", last === null ? null : speedText(last.promptTokens, last.promptSeconds)],
    ["Answer", last === null ? null : speedText(last.tokens - 1, last.seconds)],
    ["Compiled by", `dsc ${info.compiler}`],
  ];
  byId("loaded-line", HTMLParagraphElement).textContent = loadedLine(hello, loaded, memoryBytes);
  const list = byId("facts-list", HTMLDListElement);
  list.replaceChildren(
    ...rows.flatMap(([name, value]) =>
      value === null ? [] : [element("dt", { text: name }), element("dd", { text: value })],
    ),
  );
}

const noDraft = {
  "no-entry": "none: the model has no part that drafts",
  "no-weights": "none: the checkpoint has no weights for them",
  "not-loaded": "none: their weights were not loaded",
} as const;

function targetText({ target }: Hello, { info }: Loaded): string {
  if (target !== "wasm") return target;
  const threads = info.threads === 1 ? "one thread" : `${info.threads} threads`;
  return `WebAssembly, ${info.simd === "relaxed" ? "relaxed SIMD" : "SIMD"}, ${threads}`;
}

/** What plays it on a GPU, where it does. */
function extraRows(info: object): readonly Row[] {
  const text = (key: string): string | null => {
    const value: unknown = Reflect.get(info, key);
    return typeof value === "string" && value !== "" ? value : null;
  };
  return [
    ["Adapter", text("adapter")],
    ["Variant", text("variant")],
  ];
}

/** Beside the model's name. */
const loadedLine = (hello: Hello, loaded: Loaded, memoryBytes: number): string =>
  [targetText(hello, loaded), bytesText(memoryBytes)].join(" · ");
