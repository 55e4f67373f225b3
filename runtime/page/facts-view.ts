/** What was loaded, how it runs, and what it takes. */
import type { ModelInfo } from "../package/model.ts";
import { byId, element } from "./dom.ts";
import type { Answered, Loaded } from "./protocol.ts";
import { bytesText, countText, speedText } from "./words.ts";

type Row = readonly [name: string, value: string | null];

export function showFacts(loaded: Loaded, last: Answered | null): void {
  const { info, origin } = loaded;
  const { memory, draft } = info;
  const memoryBytes = last?.memoryBytes ?? loaded.memoryBytes;
  const rows: readonly Row[] = [
    ["Model", `${info.name}, ${countText(info.parameters)} parameters`],
    ["Target", targetText(loaded)],
    ...gpuRows(info),
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
  byId("loaded-line", HTMLParagraphElement).textContent = loadedLine(loaded, memoryBytes);
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

function targetText({ info }: Loaded): string {
  const { backend, gpu, threads, simd } = info;
  if (backend === "webgpu") return gpu === null ? "WebGPU" : `WebGPU, ${gpu.adapter}`;
  return `WebAssembly, ${simd === "relaxed" ? "relaxed SIMD" : "SIMD"}, ${threads === 1 ? "one thread" : `${threads} threads`}`;
}

/** Of a GPU, where one plays it. */
function gpuRows({ gpu }: ModelInfo): readonly Row[] {
  if (gpu === null) return [];
  const refused = gpu.refused.map(({ variant, why }) => `${variant}: ${why}`).join("; ");
  return [
    ["Adapter", gpu.fallback ? `${gpu.adapter} (a processor does its work)` : gpu.adapter],
    ["Variant", gpu.variant],
    ["Not used", refused === "" ? null : refused],
  ];
}

/** Beside the model's name. */
const loadedLine = (loaded: Loaded, memoryBytes: number): string =>
  [targetText(loaded), bytesText(memoryBytes)].join(" · ");
