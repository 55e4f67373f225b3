/** What `dsc perplexity` reads: documents, each as the ids of its text and those that a tokenizer puts before it. */
import { resolve } from "node:path";
import type { Tokenizer } from "../../../runtime/text/tokenizer.ts";
import { exitCodes } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { nameFrom } from "../project.ts";
import { readStandardInput, readText, sizeLimits } from "../read-file.ts";
import { readTokenFile } from "../read-tokens.ts";
import type { PerplexityOptions, PerplexitySource } from "./read-options.ts";

export interface Documents {
  /** Those that are taken, in order. Encoding waits until one is asked for. */
  readonly list: readonly Document[];
  /** Before each of them, and before later windows. */
  readonly prefix: readonly number[];
}

export interface Document {
  /** Ordinal among all of the file, from 0. */
  readonly index: number;
  /** Without the prefix. Throws TextError. */
  readonly ids: () => readonly number[];
}

type Encoded = Pick<Documents, "prefix"> & { readonly all: readonly Document["ids"][] };

/** Throws TextError. */
export function openDocuments(
  { source, take }: Pick<PerplexityOptions, "source" | "take">,
  tokenizer: Tokenizer | null,
  cwd: string,
): Documents | Failure {
  const encoded = source.kind === "text" ? textIn(source, tokenizer, cwd) : idsIn(source.file, tokenizer, cwd);
  if (encoded instanceof Failure) return encoded;
  const list = encoded.all.map((ids, index): Document => ({ index, ids }));
  const { from, count } = take ?? { from: "start", count: list.length };
  return { prefix: encoded.prefix, list: from === "start" ? list.slice(0, count) : list.slice(-count) };
}

function textIn(
  { file, separator }: Extract<PerplexitySource, { kind: "text" }>,
  tokenizer: Tokenizer | null,
  cwd: string,
): Encoded | Failure {
  if (tokenizer === null)
    return new Failure(
      exitCodes.errorsFound,
      "there is no tokenizer.json beside the weights",
      "--tokens FILE.json takes ids, which need none",
    );
  const path = resolve(cwd, file);
  const shown = file === "-" ? "standard input" : nameFrom(cwd, path);
  const text = file === "-" ? readStandardInput(sizeLimits.corpus) : readText(path, shown, sizeLimits.corpus);
  if (text instanceof Failure) return text;
  const pieces = (separator === null ? [text] : piecesOf(text, separator)).filter((piece) => piece !== "");
  if (pieces.length === 0) return new Failure(exitCodes.errorsFound, `${shown} holds no text`);
  return { prefix: tokenizer.special.prefix, all: pieces.map((piece) => () => tokenizer.encode(piece)) };
}

/** Line breaks around a separator, and at both ends of the file, set documents apart and are no part of them. */
const piecesOf = (text: string, separator: string): readonly string[] =>
  text.split(separator).map((piece) => piece.replace(/^[\r\n]+/, "").replace(/[\r\n]+$/, ""));

/** Ids stand as the model shall have them; where they begin as a text would, later windows begin so too. */
function idsIn(file: string, tokenizer: Tokenizer | null, cwd: string): Encoded | Failure {
  const ids = readTokenFile(file, cwd);
  if (ids instanceof Failure) return ids;
  if (ids.length === 0) return new Failure(exitCodes.errorsFound, "there are no tokens");
  const usual = tokenizer?.special.prefix ?? [];
  const prefix = usual.every((id, i) => ids[i] === id) ? usual : [];
  return { prefix, all: [() => ids.slice(prefix.length)] };
}
