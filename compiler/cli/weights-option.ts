/** Where a command's weights are: as it is told, or beside the model's text. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { CommandLine } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";

const beside = ["model.safetensors", "model.safetensors.index.json"];

/** The path of `--weights`; without it the folder of the .ds file, where that has a checkpoint. */
export function weightsPath(line: CommandLine, cwd: string): string | Failure {
  const given = line.value("weights");
  if (given !== null) return resolve(cwd, given);
  const [text = ""] = line.operands;
  const folder = dirname(resolve(cwd, text));
  if (text.endsWith(".ds") && beside.some((name) => existsSync(join(folder, name)))) return folder;
  return new Failure(exitCodes.usage, "--weights is missing", "--weights DIR: the checkpoint's folder");
}
