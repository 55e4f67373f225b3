/** What a declaration file exports: names that are values, and names that are types alone. */
export interface RuntimeExports {
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** In the order of the file, which imports nothing. */
export async function runtimeExports(declarations: string): Promise<RuntimeExports> {
  const { Project, Node } = await import("ts-morph");
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true });
  const file = project.createSourceFile("runtime.d.ts", declarations);
  const values: string[] = [];
  const types: string[] = [];
  for (const statement of file.getStatements()) {
    if (!Node.isExportable(statement) || !statement.isExported()) continue;
    if (Node.isVariableStatement(statement)) values.push(...statement.getDeclarations().map((d) => d.getName()));
    else if (Node.isInterfaceDeclaration(statement) || Node.isTypeAliasDeclaration(statement))
      types.push(statement.getName());
    else if (Node.hasName(statement)) values.push(statement.getName());
  }
  return { values: [...new Set(values)], types: [...new Set(types)] };
}
