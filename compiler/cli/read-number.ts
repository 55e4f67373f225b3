import type { CommandLine } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";

/** The value of an option as a number; null where it is not given. */
export function readNumber(line: CommandLine, option: string): number | Failure | null {
  const text = line.value(option);
  if (text === null) return null;
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  return new Failure(exitCodes.usage, `--${option} ${text}: expected a number`);
}

/** As `readNumber`, whole and at least `least`. */
export function readCount(line: CommandLine, option: string, least: number): number | Failure | null {
  const value = readNumber(line, option);
  if (value === null || value instanceof Failure) return value;
  if (Number.isSafeInteger(value) && value >= least) return value;
  return new Failure(exitCodes.usage, `--${option} ${line.value(option)}: expected a whole number from ${least}`);
}
