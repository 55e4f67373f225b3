import type { CheckedProject } from "../../dsl/checker/check-project.ts";
import { countParameters, hasConfig } from "../../dsl/graph-view/count-parameters.ts";
import { drawParams } from "../../dsl/graph-view/draw-params.ts";
import { parameterTable } from "../../dsl/graph-view/parameter-rows.ts";
import { stateFormats } from "../../dsl/graph-view/token-bytes.ts";
import { checkedOperand } from "./checked-operand.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportFailure } from "./terminal.ts";

export function runParams(line: CommandLine, surroundings: Surroundings): ExitCode {
  const { terminal } = surroundings;
  const format = line.value("kv") ?? "bf16";
  if (!stateFormats.includes(format)) {
    const hint = `one of ${stateFormats.join(", ")}`;
    return reportFailure(terminal, new Failure(exitCodes.usage, `--kv ${format}: there is no such format`, hint));
  }
  const checked = checkedOperand(line, surroundings);
  if (checked === null) return exitCodes.errorsFound;
  if (checked instanceof Failure) return reportFailure(terminal, checked);
  const text = textOf(checked.result, checked.shown, format, line.has("json"));
  if (text instanceof Failure) return reportFailure(terminal, text);
  terminal.out(text);
  return exitCodes.fine;
}

function textOf(project: CheckedProject, shown: string, format: string, asJson: boolean): string | Failure {
  const { model } = project;
  if (model === null) return new Failure(exitCodes.errorsFound, `${shown} has no model to count`);
  if (countParameters(model).total === null) {
    return hasConfig(model)
      ? new Failure(exitCodes.errorsFound, `${shown}: some size is not known`)
      : new Failure(exitCodes.errorsFound, `${shown}: sizes are not known without a config`, "--config config.json");
  }
  const table = parameterTable(model, project, format);
  return asJson ? `${JSON.stringify(table, null, 2)}\n` : drawParams(table);
}
