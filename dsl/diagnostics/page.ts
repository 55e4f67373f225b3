/**
 * The page of a diagnostic code: Markdown with a headline, a few paragraphs, and examples as fenced blocks.
 *
 *     # DS0201: sizes differ
 *     …
 *     ## Failing
 *     ```ds                     the file under check
 *     ```ds file=lib/other.ds   another file of the project
 *     ```json config            its config.json
 *     ```json weights           its tensors, in the shape of a safetensors header
 *     ## Repaired
 *     …
 */

export interface PageBlock {
  /** The first word after the fence. */
  readonly language: string;
  /** The words after it. */
  readonly info: readonly string[];
  /** With a line break at its end, unless it is empty. */
  readonly text: string;
  /** Line of the first line of the text, from 1. */
  readonly line: number;
}

export interface PageSection {
  readonly title: string;
  /** What is not in a block, blank lines at both ends removed. */
  readonly prose: string;
  readonly blocks: readonly PageBlock[];
}

export interface Page {
  readonly code: string;
  readonly headline: string;
  /** From a line `Raised by: the runtime`; null for codes that this compiler raises itself. */
  readonly raisedBy: string | null;
  readonly intro: string;
  readonly sections: readonly PageSection[];
}

export interface ParsedPage {
  readonly page: Page;
  /** What is wrong with its form; empty for a good page. */
  readonly problems: readonly string[];
}

interface OpenSection {
  readonly title: string;
  readonly prose: string[];
  readonly blocks: PageBlock[];
}

const closeSection = ({ title, prose, blocks }: OpenSection): PageSection => ({
  title,
  prose: prose.join("\n").trim(),
  blocks,
});

export function parsePage(text: string): ParsedPage {
  const lines = text.split(/\r?\n/);
  const problems: string[] = [];
  const head = /^# (DS\d{4}): (.+)$/.exec(lines[0] ?? "");
  if (head === null) problems.push("line 1: expected `# DS####: headline`");
  let raisedBy: string | null = null;
  let section: OpenSection = { title: "", prose: [], blocks: [] };
  const sections = [section];

  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const fence = /^```\s*(\S*)\s*(.*)$/.exec(line);
    const title = /^## (.+)$/.exec(line)?.[1];
    const raised = /^Raised by: (.+)$/.exec(line)?.[1];
    if (fence !== null) {
      const start = i + 1;
      for (i = start; i < lines.length && lines[i] !== "```"; i++);
      if (i === lines.length) problems.push(`line ${start}: the block is not closed`);
      section.blocks.push({
        language: fence[1] ?? "",
        info: (fence[2] ?? "").split(/\s+/).filter((word) => word !== ""),
        text: lines
          .slice(start, i)
          .map((one) => `${one}\n`)
          .join(""),
        line: start + 1,
      });
    } else if (title !== undefined) {
      section = { title: title.trim(), prose: [], blocks: [] };
      sections.push(section);
    } else if (raised !== undefined) {
      raisedBy = raised.trim();
    } else {
      section.prose.push(line);
    }
  }

  const [intro, ...named] = sections.map(closeSection);
  if (intro?.prose === "") problems.push("a paragraph is missing below the headline");
  if (intro !== undefined && intro.blocks.length > 0) problems.push("blocks belong into a section");
  return {
    page: { code: head?.[1] ?? "", headline: head?.[2] ?? "", raisedBy, intro: intro?.prose ?? "", sections: named },
    problems,
  };
}

/** A small project: what `dsc check` would be given. */
export interface Example {
  readonly entry: string;
  readonly files: ReadonlyMap<string, string>;
  readonly config: string | null;
  readonly weights: string | null;
}

export type ExampleResult =
  | { readonly ok: true; readonly example: Example }
  | { readonly ok: false; readonly problem: string };

const isDs = (block: PageBlock): boolean => block.language === "ds";
const fileOf = (block: PageBlock): string | null =>
  block.info.find((word) => word.startsWith("file="))?.slice(5) ?? null;

/** The project that the blocks of a section describe: one `ds` block without `file=` (its path is `main.ds`), and others. */
export function exampleOf(section: PageSection): ExampleResult {
  const main = section.blocks.filter((block) => isDs(block) && fileOf(block) === null);
  const first = main[0];
  if (first === undefined || main.length > 1) return { ok: false, problem: "expected one `ds` block without `file=`" };
  const files = new Map([["main.ds", first.text]]);
  let config: string | null = null;
  let weights: string | null = null;
  for (const block of section.blocks) {
    const file = fileOf(block);
    const role = `${block.language} ${block.info.join(" ")}`;
    if (block === first) continue;
    if (isDs(block) && file !== null) files.set(file, block.text);
    else if (role === "json config") config = block.text;
    else if (role === "json weights") weights = block.text;
    else return { ok: false, problem: `line ${block.line}: unknown kind of block: ${role}` };
  }
  return { ok: true, example: { entry: "main.ds", files, config, weights } };
}

export const sectionOf = (page: Page, title: string): PageSection | null =>
  page.sections.find((section) => section.title === title) ?? null;
