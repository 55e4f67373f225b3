/** A page as it reads well on a terminal: headings, wrapped paragraphs, code indented. */
import { paint } from "./canvas.ts";
import { layOut, printable, widthOf } from "./display.ts";

export interface PageOptions {
  readonly colour: boolean;
  /** Columns for prose; code is never wrapped. */
  readonly width: number;
}

const widthOfText = (text: string): number => widthOf(layOut(text));

/** `code` in the code style; the backticks stay where there is no colour. */
const inlineCode = (text: string, colour: boolean): string =>
  colour ? text.replace(/`([^`]+)`/g, (_, code: string) => paint(code, "code", true)) : text;

/** Greedy lines of words; a code span in backticks is one word. */
function wrap(text: string, width: number, hanging: string): readonly string[] {
  const words = text.match(/(?:`[^`]*`|\S)+/g) ?? [];
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && widthOfText(longer) > width) {
      lines.push(line);
      line = hanging + word;
    } else {
      line = longer;
    }
  }
  return line === "" ? lines : [...lines, line];
}

export function renderPage(text: string, { colour, width }: PageOptions): string {
  const out: string[] = [];
  let paragraph: string[] = [];
  const flush = (): void => {
    const joined = printable(paragraph.join(" "));
    const hanging = joined.startsWith("- ") ? "  " : "";
    // Wrapped first, painted after: an escape sequence has no width.
    if (paragraph.length > 0) {
      out.push(...inlineCode(wrap(joined, width, hanging).join("\n"), colour).split("\n"));
    }
    paragraph = [];
  };
  let fenced = false;
  for (const line of text.trimEnd().split(/\r?\n/)) {
    const heading = fenced ? undefined : /^#+ (.+)$/.exec(line)?.[1];
    const fence = /^```\s*(.*)$/.exec(line);
    if (fence !== null) {
      flush();
      if (!fenced) out.push(...blockTitle(fence[1] ?? "", colour));
      fenced = !fenced;
    } else if (fenced) {
      out.push(
        line === ""
          ? ""
          : `    ${layOut(line)
              .map((glyph) => glyph.text)
              .join("")}`,
      );
    } else if (heading !== undefined) {
      flush();
      out.push(paint(printable(heading), "title", colour));
    } else if (line.trim() === "") {
      flush();
      out.push("");
    } else {
      if (/^- /.test(line)) flush();
      paragraph.push(line.trim());
    }
  }
  flush();
  return `${out.join("\n").replace(/\n{3,}/g, "\n\n")}\n`;
}

/** `lib/other.ds:`, `config.json:` or nothing above a block. */
function blockTitle(info: string, colour: boolean): readonly string[] {
  const file = /\bfile=(\S+)/.exec(info)?.[1];
  const title = file ?? (info === "json config" ? "config.json" : info === "json weights" ? "weights" : null);
  return title === null ? [] : [paint(`  ${printable(title)}:`, "frame", colour)];
}
