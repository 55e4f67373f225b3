/** What callers say that types alone do not hold them to. All throw OptionError. */
import { OptionError } from "../artifact/errors.ts";
import { areTags } from "../text/reasoning.ts";

export function checkObject(name: string, value: unknown): void {
  if (typeof value !== "object" || value === null) throw new OptionError(`${name}: expected an object`);
}

export function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new OptionError("signal: expected an AbortSignal");
}

export interface GivenOptions {
  readonly maxTokens?: unknown;
  readonly stop?: unknown;
  readonly endIds?: unknown;
  readonly reasoning?: unknown;
  readonly signal?: unknown;
}

export function checkGenerate(options: GivenOptions): void {
  checkObject("options", options);
  const { maxTokens, stop, endIds, reasoning, signal } = options;
  checkSignal(signal);
  if (maxTokens !== undefined && maxTokens !== Number.POSITIVE_INFINITY && !isWhole(maxTokens, 1))
    throw new OptionError(`maxTokens ${String(maxTokens)} is no integer from 1`);
  const texts: unknown = typeof stop === "string" ? [stop] : (stop ?? []);
  if (!Array.isArray(texts) || texts.length > 64 || !texts.every(isStop))
    throw new OptionError("stop: expected a text of 1 to 1024 characters, or up to 64 of them");
  if (endIds !== undefined && !(Array.isArray(endIds) && endIds.every((id) => isWhole(id, 0))))
    throw new OptionError("endIds: expected a list of token ids");
  if (reasoning !== undefined && reasoning !== false && !isTags(reasoning))
    throw new OptionError("reasoning: expected false, or { open, close }: two different texts of 1 to 256 characters");
}

const isWhole = (x: unknown, least: number): boolean => Number.isSafeInteger(x) && Number(x) >= least;

function isTags(x: unknown): boolean {
  if (typeof x !== "object" || x === null || !("open" in x) || !("close" in x)) return false;
  const { open, close } = x;
  return typeof open === "string" && typeof close === "string" && areTags({ open, close });
}
const isStop = (x: unknown): boolean => typeof x === "string" && x.length >= 1 && x.length <= 1024;
