/** The fenced blocks of docs/language.md: what each is, and the project it is checked in. */
import { readFileSync } from "node:fs";
import { type CheckOptions, checkProject } from "../../dsl/checker/check-project.ts";
import type { Diagnostic } from "../../dsl/diagnostics/diagnostic.ts";
import { readLibrary } from "../pages/read-pages.ts";

export interface ManualBlock {
  /** `ds`, `json`, `text`, `ebnf`, … */
  readonly language: string;
  /** Further words of the info string: `error=DS0210`, `file=rotary.ds`, `config`, `weights`. */
  readonly info: readonly string[];
  readonly text: string;
  /** Line of its first line in the manual, from 1. */
  readonly line: number;
  /** Heading of the section it stands in. */
  readonly section: string;
}

export const manual: string = readFileSync(new URL("../../docs/language.md", import.meta.url), "utf8");

function readBlocks(text: string): readonly ManualBlock[] {
  const blocks: ManualBlock[] = [];
  const lines = text.split("\n");
  let section = "";
  for (let i = 0; i < lines.length; i++) {
    section = /^#+ (.+)$/.exec(lines[i] ?? "")?.[1] ?? section;
    const [, language = "", rest = ""] = /^```(\S+) *(.*)$/.exec(lines[i] ?? "") ?? [];
    if (language === "") continue;
    const start = i + 1;
    for (i = start; i < lines.length && lines[i] !== "```"; i++);
    if (i === lines.length) throw new Error(`line ${start}: this block is not closed`);
    const body = lines.slice(start, i).map((one) => `${one}\n`);
    const info = rest.split(" ").filter((word) => word !== "");
    blocks.push({ language, info, text: body.join(""), line: start + 1, section });
  }
  return blocks;
}

export const blocks: readonly ManualBlock[] = readBlocks(manual);
export const examples: readonly ManualBlock[] = blocks.filter(({ language }) => language === "ds");

const settingOf = (block: ManualBlock, name: string): string | null =>
  block.info.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;

/** Code that this example is to give, null where it is right. */
export const expectedCode = (block: ManualBlock): string | null => settingOf(block, "error");
export const pathOf = (block: ManualBlock): string => settingOf(block, "file") ?? "example.ds";

/** A `json config` or `json weights` block belongs to the example that follows it. */
function jsonBefore(block: ManualBlock, kind: string): { readonly path: string; readonly text: string } | null {
  const before = blocks.slice(0, blocks.indexOf(block));
  for (const one of before.reverse()) {
    if (one.language !== "json") return null;
    if (one.info.includes(kind)) return { path: `${kind}.json`, text: one.text };
  }
  return null;
}

/** Checks an example; those with a `file=` of the same section can be imported. */
export function checkExample(block: ManualBlock): readonly Diagnostic[] {
  const files = new Map(
    examples
      .filter((one) => one.section === block.section && settingOf(one, "file") !== null)
      .map((one) => [pathOf(one), one.text]),
  );
  files.set(pathOf(block), block.text);
  const config = jsonBefore(block, "config");
  const weights = jsonBefore(block, "weights");
  const options: CheckOptions = {
    entry: pathOf(block),
    read: (path) => files.get(path) ?? readLibrary(path),
    ...(config === null ? {} : { config }),
    ...(weights === null ? {} : { weights }),
  };
  return checkProject(options).diagnostics;
}
