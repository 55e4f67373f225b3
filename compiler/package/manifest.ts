/** The package.json of a package. */
import type { PackageFacts } from "./package-facts.ts";

/** `deepseek_llm` -> `deepseek-llm`: what npm takes as a name. */
export const packageName = (model: string): string =>
  model
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "") || "model";

/** A chunk that the runtime imports where it runs in Node. */
const onlyNode = "runtime/node.js";

/** `files`: all of the package but package.json itself. `license`: of what is in it, as SPDX says it. */
export function manifestText(facts: PackageFacts, files: readonly string[], license: string): string {
  const { model, compiler, target, format } = facts;
  const about = {
    name: packageName(model),
    version: "0.0.0",
    description: `The model ${model}, compiled by dsc for ${target}. Weights are not part of it.`,
    license,
    type: "module",
    // Some are imported by nothing but their names, for the order; a bundler would warn of each that it leaves out.
    sideEffects: ["./runtime/chunk-*.js"],
    engines: { node: ">=20.19" },
    exports: {
      ".": { types: "./index.d.ts", default: "./index.js" },
      "./package.json": "./package.json",
    },
    // Bundlers for browsers look into what Node alone imports, and stop at `node:fs`.
    browser: files.includes(onlyNode) ? { [`./${onlyNode}`]: false } : {},
    types: "./index.d.ts",
    files: [...files].sort(),
    dsc: { compiler, target, format },
  };
  return `${JSON.stringify(about, null, 2)}\n`;
}
