/** Tokens of the kernel's text form; the cursor over them is that of the graph's. */
import type { Token } from "../graph/tokens.ts";

const token = new RegExp(
  [
    String.raw`(?<space>\s+)`,
    String.raw`(?<comment>//[^\n]*)`,
    String.raw`(?<graph>@[A-Za-z_]\w*)`,
    String.raw`(?<text>"(?:[^"\\\n]|\\.)*")`,
    String.raw`(?<number>[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)`,
    String.raw`(?<word>[A-Za-z_]\w*)`,
    String.raw`(?<sign>\.\.|<<|>>|<=|==|\+=|[-+*/%&|<=:,()[\]{}])`,
  ].join("|"),
  "y",
);
const kinds = ["comment", "graph", "text", "number", "word", "sign"] as const;

/** Ends with an `end`; what is no token is a `bad` one of one character. */
export function tokenize(text: string): readonly Token[] {
  const out: Token[] = [];
  let at = 0;
  while (at < text.length) {
    token.lastIndex = at;
    const groups = token.exec(text)?.groups;
    const kind = kinds.find((k) => groups?.[k] !== undefined);
    const found = groups?.["space"] ?? (kind === undefined ? undefined : groups?.[kind]);
    if (found === undefined) out.push({ kind: "bad", text: text.slice(at, at + 1), at });
    else if (kind !== undefined) out.push({ kind, text: found, at });
    at += found?.length ?? 1;
  }
  out.push({ kind: "end", text: "the end of the text", at: text.length });
  return out;
}
