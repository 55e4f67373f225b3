import { resolve } from "node:path";
import type { ModelInstance } from "../../dsl/checker/result.ts";
import { countParameters } from "../../dsl/graph-view/count-parameters.ts";
import { drawSvg } from "../../dsl/graph-view/draw-svg.ts";
import { drawText } from "../../dsl/graph-view/draw-text.ts";
import { checkedOperand } from "./checked-operand.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { nameFrom } from "./project.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportFailure, type Terminal } from "./terminal.ts";
import { writeResult } from "./write-file.ts";

export function runGraph(line: CommandLine, surroundings: Surroundings): ExitCode {
  const { terminal } = surroundings;
  const wrong = conflictOf(line);
  if (wrong !== null) return reportFailure(terminal, new Failure(exitCodes.usage, wrong, "see `dsc help graph`"));
  const checked = checkedOperand(line, surroundings);
  if (checked === null) return exitCodes.errorsFound;
  if (checked instanceof Failure) return reportFailure(terminal, checked);
  const { model } = checked.result;
  if (model === null) {
    return reportFailure(terminal, new Failure(exitCodes.errorsFound, `${checked.shown} has no model to show`));
  }
  return show(model, line, terminal);
}

/** Standard output takes one thing. */
function conflictOf(line: CommandLine): string | null {
  if (line.has("json") && line.has("text")) return "--json and --text do not go together";
  if (line.value("svg") !== "-") return null;
  return line.has("text") || line.has("json") ? "`--svg -` leaves no room for another output" : null;
}

function show(model: ModelInstance, line: CommandLine, terminal: Terminal): ExitCode {
  const svg = line.value("svg");
  if (svg === "-") {
    terminal.out(drawSvg(model));
    return exitCodes.fine;
  }
  if (svg !== null) {
    const path = resolve(terminal.cwd, svg);
    const failure = writeResult(path, nameFrom(terminal.cwd, path), drawSvg(model));
    if (failure !== null) return reportFailure(terminal, failure);
  }
  if (line.has("json")) {
    const { total, optional } = countParameters(model);
    terminal.out(`${JSON.stringify({ parameters: total, optionalParameters: optional, model }, null, 2)}\n`);
  } else {
    terminal.out(drawText(model));
  }
  return exitCodes.fine;
}
