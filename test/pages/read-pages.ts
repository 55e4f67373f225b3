import { readdirSync, readFileSync } from "node:fs";
import { type Code, codes } from "../../dsl/diagnostics/codes.ts";
import {
  type Example,
  exampleOf,
  type Page,
  type ParsedPage,
  parsePage,
  sectionOf,
} from "../../dsl/diagnostics/page.ts";

const folder = new URL("../../dsl/diagnostics/pages/", import.meta.url);

export const allCodes = Object.keys(codes).filter((code): code is Code => code in codes);

/** Names of the files in the folder of pages. */
export const pageFiles = (): readonly string[] => readdirSync(folder).sort();

export const readPageText = (code: Code): string => readFileSync(new URL(`${code}.md`, folder), "utf8");
export const readPage = (code: Code): ParsedPage => parsePage(readPageText(code));

/** Text of a file of the standard library, by its path in an import (`std/norm.ds`); null when there is none. */
export function readLibrary(path: string): string | null {
  if (!/^std\/[a-z0-9_-]+\.ds$/.test(path)) return null;
  try {
    return readFileSync(new URL(`../../dsl/stdlib/${path.slice(4)}`, import.meta.url), "utf8");
  } catch {
    return null;
  }
}

export const parts = ["Failing", "Repaired"] as const;
export type Part = (typeof parts)[number];

export function readExample(page: Page, part: Part): Example {
  const section = sectionOf(page, part);
  if (section === null) throw new Error(`${page.code}: no section ${part}`);
  const result = exampleOf(section);
  if (!result.ok) throw new Error(`${page.code}, ${part}: ${result.problem}`);
  return result.example;
}

/** Codes whose pages hold examples: all but those that something other than the compiler raises. */
export const codesWithExamples = (): readonly Code[] =>
  allCodes.filter((code) => {
    try {
      return readPage(code).page.raisedBy === null;
    } catch {
      return true;
    }
  });
