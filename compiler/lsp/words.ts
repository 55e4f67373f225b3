/** The words of the language by where they fit, for completion. */
import { keywords, scalarWords } from "../../dsl/lexer/tokens.ts";

export const fileWords = ["import", "fn", "block", "model", "law", "schedule"] as const;

export const bodyWords = ["param", "weight", "part", "state", "require", "if", "optional"] as const;

export const modelWords = [
  ...bodyWords,
  "block",
  "config",
  "entry",
  "ignore",
  "loop",
  "numerics",
  "override",
  "phase",
  "runtime",
  "storage",
] as const;

/** What may follow a complete operand on its line. */
export const continuationWords = [
  "and",
  "as",
  "at",
  "copy",
  "div",
  "draft",
  "else",
  "extends",
  "for",
  "from",
  "in",
  "keep",
  "mod",
  "not",
  "of",
  "or",
  "where",
  "xor",
] as const;

export const valueWords = ["true", "false", "null", "not"] as const;

export const typeWords: readonly string[] = [...scalarWords, "memory"];

const reserved: ReadonlySet<string> = new Set(keywords);

export const isKeyword = (word: string): boolean => reserved.has(word);
