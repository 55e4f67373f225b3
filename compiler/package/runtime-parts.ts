/** Which parts of the runtime a package has: those that its program plays with, and of those for text what was wished for. */
import type { Program } from "../../runtime/artifact/program.ts";
import { weightBytes } from "../../runtime/artifact/weight-sizes.ts";
import type { PackageFile } from "./package-file.ts";

/** What a package reads of texts: conversations, texts as they are, or nothing, where it is called with ids of tokens alone. */
export const textWishes = ["chat", "plain", "none"] as const;
export type TextWish = (typeof textWishes)[number];

/** What a package may do without: what keeps weights in a browser, and what reads files of Node. */
export const spareParts = ["cache", "node"] as const;
export type SparePart = (typeof spareParts)[number];

/** What a package is to be able to do. */
export interface RuntimeWish {
  readonly text: TextWish;
  readonly without: readonly SparePart[];
}

/** The exports of `runtime/package/parts.ts`; each is a file of the bundle. */
const partNames = ["formats", "tables", "drafting", "tokenizer", "chat", "windows", ...spareParts] as const;

/** Bytes that every adapter binds at a time. */
const leastBinding = 2 ** 27;

function isWanted(part: (typeof partNames)[number], program: Program, { text, without }: RuntimeWish): boolean {
  const { decoders = [], tables = [], draft, target, weights } = program;
  switch (part) {
    case "formats":
      return decoders.length > 0;
    case "tables":
      return tables.length > 0;
    case "drafting":
      return draft !== undefined;
    case "tokenizer":
      return text !== "none";
    case "chat":
      return text === "chat";
    case "windows":
      return target === "webgpu" && weights.some((w) => weightBytes(w) > leastBinding);
    case "cache":
    case "node":
      return !without.includes(part);
  }
}

/** `runtime`: all files of the bundle. Without those that nothing imports then, and with the one that says which parts there are. */
export function runtimeFiles(
  runtime: readonly PackageFile[],
  program: Program,
  wish: RuntimeWish,
): readonly PackageFile[] {
  const wanted = partNames.filter((part) => isWanted(part, program, wish));
  const lines = partNames.map(
    (part) => `export const ${part} = ${wanted.includes(part) ? `() => import("./${part}.js")` : "null"};\n`,
  );
  const parts: PackageFile = {
    name: "parts.js",
    content: `/** What this package has of the runtime. */\n${lines.join("")}`,
  };
  const all = new Map([...runtime, parts].map((file) => [file.name, file]));
  const used = new Set(["runtime.js", "worker.js"]);
  // A set that grows while it is walked is walked to its end.
  for (const name of used) for (const other of importsOf(all.get(name))) used.add(other);
  return [...all.values()].filter(({ name }) => used.has(name) || !name.endsWith(".js"));
}

/** Scripts beside it that a script names, now or later. */
function importsOf(file: PackageFile | undefined): readonly string[] {
  if (file === undefined) return [];
  const text = typeof file.content === "string" ? file.content : new TextDecoder().decode(file.content);
  return [...text.matchAll(/["']\.\/([\w-]+\.js)["']/g)].map(([, name = ""]) => name);
}
