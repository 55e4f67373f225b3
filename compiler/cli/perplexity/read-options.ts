/** The options of `dsc perplexity`, read and held against each other. */
import type { CommandLine } from "../command-line.ts";
import { exitCodes } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { readCount } from "../read-number.ts";

export interface PerplexityOptions {
  readonly source: PerplexitySource;
  /** Documents to take: so many from the start or from the end. Null: all. */
  readonly take: { readonly from: "start" | "end"; readonly count: number } | null;
  /** Ids of a window; null: as many as the model remembers. */
  readonly context: number | null;
  /** Ids that a window counts; null: all that it can. */
  readonly stride: number | null;
  /** Only the first window of a document. */
  readonly cut: boolean;
  /** Most tokens of a call; null: as what runs it likes. */
  readonly chunk: number | null;
  readonly json: boolean;
}

/** Files as they were named; `-` is standard input. */
export type PerplexitySource =
  | { readonly kind: "text"; readonly file: string; readonly separator: string | null }
  | { readonly kind: "ids"; readonly file: string };

const usage = (message: string, hint: string | null = null): Failure => new Failure(exitCodes.usage, message, hint);

export function readPerplexityOptions(line: CommandLine): PerplexityOptions | Failure {
  const source = readSource(line);
  if (source instanceof Failure) return source;
  const [first, last, context, stride, chunk] = [
    readCount(line, "first", 1),
    readCount(line, "last", 1),
    readCount(line, "context", 2), // the fewest of which one can be predicted
    readCount(line, "stride", 1),
    readCount(line, "chunk", 1),
  ];
  for (const count of [first, last, context, stride, chunk]) if (count instanceof Failure) return count;
  const cut = line.has("cut");
  if (isCount(first) && isCount(last)) return usage("--first and --last do not go together");
  if (isCount(stride) && cut) return usage("--stride and --cut do not go together", "--cut takes first windows only");
  return {
    source,
    take: isCount(first) ? { from: "start", count: first } : isCount(last) ? { from: "end", count: last } : null,
    context: isCount(context) ? context : null,
    stride: isCount(stride) ? stride : null,
    cut,
    chunk: isCount(chunk) ? chunk : null,
    json: line.has("json"),
  };
}

const isCount = (count: number | Failure | null): count is number => typeof count === "number";

function readSource(line: CommandLine): PerplexitySource | Failure {
  const [text, tokens, separator] = [line.value("text"), line.value("tokens"), line.value("separator")];
  if (text !== null && tokens !== null) return usage("--text and --tokens do not go together");
  if (tokens !== null) {
    return separator === null
      ? { kind: "ids", file: tokens }
      : usage("--separator is for --text", "ids of a file are one document");
  }
  if (text === null) return usage("--text is missing", "--text FILE, or `-`; --tokens FILE.json for ids");
  if (separator === "") return usage("--separator: an empty text separates nothing");
  return { kind: "text", file: text, separator };
}
