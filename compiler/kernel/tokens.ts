/** Tokens of the kernel's text form; the cursor over them is that of the graph's. */
import { scan, type Token } from "../graph/tokens.ts";

const token = new RegExp(
  [
    String.raw`(?<space>\s+)`,
    String.raw`(?<comment>//[^\n]*)`,
    String.raw`(?<graph>@[A-Za-z_]\w*)`,
    String.raw`(?<text>"(?:[^"\\\n]|\\.)*")`,
    String.raw`(?<number>[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)`,
    String.raw`(?<word>[A-Za-z_]\w*)`,
    String.raw`(?<sign>\.\.|<<|>>|<=|==|\+=|[-+*/%&|<=:;,()[\]{}])`,
  ].join("|"),
  "y",
);
const kinds = ["comment", "graph", "text", "number", "word", "sign"] as const;

export const tokenize = (text: string): readonly Token[] => scan(text, token, kinds);
