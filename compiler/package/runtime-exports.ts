/** What the runtime's declaration file exports: names that are values, and names that are types alone. */
export interface RuntimeExports {
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** A declaration at the top of the file, which `cli/bundle/runtime-types.ts` writes with each at the start of a line. */
const declaration =
  /^export (?:declare )?(?:abstract )?(class|const|enum|function|interface|type) ([A-Za-z_$][\w$]*)/gm;

/** In the order of the file, which imports nothing. */
export function runtimeExports(declarations: string): RuntimeExports {
  const values = new Set<string>();
  const types = new Set<string>();
  for (const [, kind = "", name = ""] of declarations.matchAll(declaration))
    (kind === "interface" || kind === "type" ? types : values).add(name);
  return { values: [...values], types: [...types] };
}
