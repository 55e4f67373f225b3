/** Ids of tokens, from a file or the command line. */
import { resolve } from "node:path";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { nameFrom } from "./project.ts";
import { readStandardInput, readText, sizeLimits } from "./read-file.ts";

/** A JSON array of ids, or an object with them under `tokens`; `-` is standard input. */
export function readTokenFile(name: string, cwd: string): readonly number[] | Failure {
  const file = resolve(cwd, name);
  const shown = name === "-" ? "standard input" : nameFrom(cwd, file);
  const text = name === "-" ? readStandardInput(sizeLimits.json) : readText(file, shown, sizeLimits.json);
  if (text instanceof Failure) return text;
  const wrong = (what: string): Failure =>
    new Failure(
      exitCodes.errorsFound,
      `${shown}: ${what}`,
      'expected ids such as [0, 17, 4] or {"tokens": [0, 17, 4]}',
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return wrong("this is not JSON");
  }
  const list = typeof value === "object" && value !== null && "tokens" in value ? value.tokens : value;
  if (!Array.isArray(list)) return wrong("there is no list of ids");
  const at = list.findIndex((id) => !isId(id));
  if (at >= 0) return wrong(`element ${at} is ${JSON.stringify(list[at])?.slice(0, 40) ?? "nothing"}, which is no id`);
  return list.filter(isId);
}

/** `1,2,3` */
export function readIdList(option: string, text: string): readonly number[] | Failure {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const wrong = words.find((word) => !/^\d+$/.test(word) || !isId(Number(word)));
  if (words.length > 0 && wrong === undefined) return words.map(Number);
  const what = wrong === undefined ? "there are no ids" : `\`${wrong}\` is no id`;
  return new Failure(exitCodes.usage, `--${option} ${text}: ${what}`, `for example \`--${option} 1,17,4\``);
}

const isId = (id: unknown): id is number => typeof id === "number" && Number.isSafeInteger(id) && id >= 0;

/** Null where the model takes these ids in one go. */
export function unfitTokens(
  ids: readonly number[],
  { vocabulary, context }: { readonly vocabulary: number; readonly context: number },
): Failure | null {
  const wrong = (message: string): Failure => new Failure(exitCodes.errorsFound, message);
  if (ids.length === 0) return wrong("there are no tokens");
  const unknown = unknownToken(ids, vocabulary);
  if (unknown !== null) return unknown;
  if (ids.length > context) return wrong(`there are ${ids.length} tokens; the model remembers ${context}`);
  return null;
}

/** Null where all ids are below `vocabulary`. */
export function unknownToken(ids: readonly number[], vocabulary: number): Failure | null {
  const at = ids.findIndex((id) => id >= vocabulary);
  if (at < 0) return null;
  return new Failure(exitCodes.errorsFound, `token ${at} is ${ids[at]}; the model has ids 0 to ${vocabulary - 1}`);
}
