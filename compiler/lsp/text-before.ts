/**
 * What stands before a cursor, read from the text alone: completion is asked for in the middle of typing, when no tree
 * can be trusted.
 */

export interface Token {
  readonly kind: "word" | "number" | "string" | "mark";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** An open bracket. */
export interface Frame {
  readonly bracket: "(" | "[" | "{";
  /** The name before it: what is called or indexed. `layer` in `layer[l](`. */
  readonly head: Token | null;
  /** For `{`: the declaration whose body it opens, `set` for a set; for `(` of a declaration's header: `header`. */
  readonly opens: string;
  /** Index of the first token inside. */
  readonly first: number;
}

export interface TextBefore {
  /** All tokens that end before the word being typed. */
  readonly tokens: readonly Token[];
  readonly frames: readonly Frame[];
  readonly inside: "code" | "comment" | "string";
  /** Start of the word (or string) being typed; the cursor if there is none. */
  readonly wordStart: number;
}

const pattern =
  /(?<comment>\/\/[^\n]*)|(?<string>"(?:\\.|[^"\\\n])*"?)|(?<number>\d\w*(?:\.\d\w*)?)|(?<word>[A-Za-z_$]\w*)|(?<mark>:=|<-|->|\.\.|\?\?|==|!=|<=|>=|[^\s\w])/g;

export function textBefore(text: string, cursor: number): TextBefore {
  const tokens: Token[] = [];
  const before = text.slice(0, cursor);
  for (const match of before.matchAll(pattern)) {
    const [found] = match;
    const start = match.index;
    const end = start + found.length;
    const groups = match.groups ?? {};
    if (groups["comment"] !== undefined) {
      if (end === cursor) return { tokens, frames: framesOf(tokens), inside: "comment", wordStart: cursor };
      continue;
    }
    if (groups["string"] !== undefined && end === cursor && !isClosed(found)) {
      return { tokens, frames: framesOf(tokens), inside: "string", wordStart: start };
    }
    if (groups["word"] !== undefined && end === cursor) {
      return { tokens, frames: framesOf(tokens), inside: "code", wordStart: start };
    }
    const kind =
      groups["string"] !== undefined
        ? "string"
        : groups["number"] !== undefined
          ? "number"
          : groups["word"] !== undefined
            ? "word"
            : "mark";
    tokens.push({ kind, text: found, start, end });
  }
  return { tokens, frames: framesOf(tokens), inside: "code", wordStart: cursor };
}

const isClosed = (string: string): boolean => /^"(?:\\.|[^"\\])*"$/.test(string);

const declarationWords = new Set([
  "model",
  "fn",
  "block",
  "law",
  "entry",
  "config",
  "if",
  "else",
  "numerics",
  "schedule",
  "phase",
]);
const headerWords = new Set(["fn", "block", "law", "entry"]);

function framesOf(tokens: readonly Token[]): readonly Frame[] {
  const frames: Frame[] = [];
  /** The declaration begun at each depth. */
  const begun: string[] = [""];
  let head: Token | null = null;
  for (const [at, token] of tokens.entries()) {
    const previous = tokens[at - 1];
    const { text } = token;
    if (token.kind === "word") {
      head = token;
      if (declarationWords.has(text)) begun[begun.length - 1] = text;
    } else if (text === "(" || text === "[" || text === "{") {
      frames.push({ bracket: text, head, opens: openedBy(tokens, at, begun.at(-1) ?? ""), first: at + 1 });
      begun.push("");
      head = null;
    } else if (text === ")" || text === "]" || text === "}") {
      const closed = frames.pop();
      begun.pop();
      if (begun.length === 0) begun.push("");
      if (text === "}" && closed?.opens !== "set") begun[begun.length - 1] = "";
      head = text === "]" ? (closed?.head ?? null) : null;
    } else if (!(text === "." && previous !== undefined)) {
      head = null;
    }
  }
  return frames;
}

function openedBy(tokens: readonly Token[], at: number, begun: string): string {
  const bracket = tokens[at]?.text;
  const previous = tokens[at - 1];
  if (bracket === "{") {
    const isSet =
      previous !== undefined &&
      (/^(:=|<-|=|\(|\[|,|\||==|!=|\?|:|->|[-+*/<>])$/.test(previous.text) || /^(in|and|or|not)$/.test(previous.text));
    return isSet ? "set" : begun;
  }
  if (bracket !== "(") return "";
  if (previous?.text === "->") return "header";
  if (previous?.text === "block" || previous?.text === "?") return "header";
  return headerWords.has(tokens[at - 2]?.text ?? "") && previous?.kind === "word" ? "header" : "";
}
