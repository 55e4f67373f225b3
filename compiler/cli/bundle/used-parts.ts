/**
 * What packages carry of the tokenizers library: `runtime/text/` hands it sections that were checked and restated, so that most of the kinds
 * that it knows are never asked for. Its functions that make a thing of a kind lose the others, and the bundler then drops their classes.
 */
import { readFileSync } from "node:fs";
import type { Plugin } from "esbuild";

/** By function of the library: the kinds that `runtime/text/pipeline-steps.ts` and `vocabulary.ts` let through. */
export const usedKinds: Readonly<Record<string, readonly string[]>> = {
  create_normalizer: [
    ...["Sequence", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Prepend", "Replace", "Strip"],
  ],
  create_pre_tokenizer: ["Sequence", "Split", "ByteLevel", "Metaspace"],
  create_tokenizer_model: ["BPE"],
  create_post_processor: [],
  create_decoder: [],
};

export const usedParts: Plugin = {
  name: "used-parts",
  setup(build) {
    build.onLoad({ filter: /[/\\]@huggingface[/\\]tokenizers[/\\].*\.mjs$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      return { contents: Object.entries(usedKinds).reduce(withoutOthers, text), loader: "js" };
    });
  },
};

/** Throws where the library has no such function, or it knows a kind no more. */
function withoutOthers(text: string, [name, kinds]: readonly [string, readonly string[]]): string {
  const start = text.indexOf(`\nfunction ${name}(`);
  const end = text.indexOf("\n}\n", start);
  if (start < 0 || end < 0) throw new Error(`the tokenizers library has no function ${name}`);
  const known = new Set<string>();
  const body = text
    .slice(start, end)
    .replace(/ *case "(\w+)":\n *return new \w+\([^\n]*\);\n/g, (all, kind: string) => {
      known.add(kind);
      return kinds.includes(kind) ? all : "";
    })
    // What is of no kind that it knows may be guessed there.
    .replace(/( *default:\n)[\s\S]*?( *throw new Error\((?![\s\S]*throw new Error\())/, "$1$2");
  const missing = kinds.filter((kind) => !known.has(kind));
  if (missing.length > 0) throw new Error(`the tokenizers library's ${name} knows no ${missing.join(", ")}`);
  return text.slice(0, start) + body + text.slice(end);
}
