import { join } from "node:path";
import { type Code, codes } from "../../dsl/diagnostics/codes.ts";
import { parsePage } from "../../dsl/diagnostics/page.ts";
import { renderPage } from "../../dsl/diagnostics/render-page.ts";
import { editDistance } from "../../dsl/diagnostics/suggest.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { readText, sizeLimits } from "./read-file.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportFailure } from "./terminal.ts";

const isCode = (text: string): text is Code => Object.hasOwn(codes, text);
const allCodes = Object.keys(codes).filter(isCode);

export async function runExplain(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal, home } = surroundings;
  const asked = line.operands[0];
  if (asked?.endsWith(".ds") === true) return (await import("./explain-model.ts")).runExplainModel(line, surroundings);
  if (asked === undefined) {
    const list = allCodes.map((code) => ({ code, headline: codes[code] }));
    terminal.out(
      line.has("json")
        ? `${JSON.stringify(list, null, 2)}\n`
        : list.map(({ code, headline }) => `${code}  ${headline}\n`).join(""),
    );
    return exitCodes.fine;
  }
  const code = asked.toUpperCase();
  if (!isCode(code)) return reportFailure(terminal, unknownCode(asked));
  const name = join("dsl", "diagnostics", "pages", `${code}.md`);
  const text = readText(join(home.folder, name), name, sizeLimits.source);
  if (text instanceof Failure) return reportFailure(terminal, text);
  if (line.has("json")) {
    const { page } = parsePage(text);
    terminal.out(`${JSON.stringify({ code, headline: codes[code], raisedBy: page.raisedBy, text }, null, 2)}\n`);
  } else {
    terminal.out(renderPage(text, { colour: terminal.colour.out, width: terminal.columns }));
  }
  return exitCodes.fine;
}

/** The code without its letters is understood too, and then shown as the nearest. */
function unknownCode(asked: string): Failure {
  const wanted = asked.toUpperCase().replace(/^(DS)?(?=\d)/, "DS");
  const near = allCodes
    .map((code) => ({ code, distance: editDistance(wanted.slice(0, 20), code) }))
    .sort((a, b) => a.distance - b.distance || (a.code < b.code ? -1 : 1))
    .filter(({ distance }) => distance <= 2)
    .slice(0, 3)
    .map(({ code }) => `${code} (${codes[code]})`);
  const hint = near.length === 0 ? "`dsc explain` lists all codes" : `did you mean ${near.join(", ")}?`;
  return new Failure(exitCodes.usage, `there is no code \`${asked}\``, hint);
}
