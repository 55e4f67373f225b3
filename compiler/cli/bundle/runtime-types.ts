/**
 * The types of a module's exports in one declaration file that imports nothing: what it exports, then what these are made of
 * and nobody can import.
 */
import { join } from "node:path";
import type { Node, Project, Scope, SourceFile, Statement } from "ts-morph";

const header = "/** The runtime of packages that dsc writes: what their `load` takes and gives. */\n";

/** `entry`: a TypeScript file inside of `folder`. */
export async function runtimeTypes(folder: string, entry: string): Promise<string> {
  const tsMorph = await import("ts-morph");
  const declared = declarationsOf(folder, entry, tsMorph);
  const start = declared.getSourceFileOrThrow(`/${entry.replace(/\.ts$/, ".d.ts")}`);
  const exported = new Map<Statement, string>();
  for (const [name, declarations] of start.getExportedDeclarations())
    for (const declaration of declarations) {
      const statement = statementOf(declaration, tsMorph);
      if (statement === null) throw new Error(`${entry}: the export ${name} is no declaration of ours`);
      exported.set(statement, name);
    }
  const order = reachable([...exported.keys()], tsMorph);
  refuseSameNames(order, tsMorph);
  const hidden = order.filter((statement) => !exported.has(statement));
  const texts = [...exported.keys(), ...hidden].map((s) => textOf(s, exported.has(s)));
  return `${[header, ...texts].join("\n")}${hidden.length === 0 ? "" : "\nexport {};\n"}`;
}

type TsMorph = typeof import("ts-morph");

/** The declarations that the compiler infers for all that the entry reaches, as a project of their own. */
function declarationsOf(folder: string, entry: string, { Project, Scope, ts }: TsMorph): Project {
  const compilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    declaration: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
  };
  const sources = new Project({ compilerOptions: { ...compilerOptions, emitDeclarationOnly: true, rootDir: folder } });
  sources.addSourceFileAtPath(join(folder, entry));
  const emitted = sources.emitToMemory({ emitOnlyDtsFiles: true }).getFiles();
  const root = join(folder, "/").replaceAll("\\", "/");
  const declared = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true, compilerOptions });
  for (const { filePath, text } of emitted)
    hideConstructors(declared.createSourceFile(`/${filePath.replace(root, "")}`, text), Scope.Private);
  return declared;
}

/** Callers are given objects and make none; what objects are made of is nobody's business. Errors are what others may extend. */
function hideConstructors(file: SourceFile, scope: Scope): void {
  for (const made of file.getClasses()) {
    if (made.getExtends() !== undefined) continue;
    for (const one of made.getConstructors()) one.remove();
    made.addConstructor({ scope });
  }
}

/** Declarations that these are made of, these included, in the order in which they are met. */
function reachable(starts: readonly Statement[], tsMorph: TsMorph): readonly Statement[] {
  const found = new Set<Statement>(starts);
  // A set that grows while it is walked is walked to its end.
  for (const statement of found)
    statement.forEachDescendant((node) => {
      if (tsMorph.Node.isImportTypeNode(node)) throw new Error(`a type is imported in place: ${node.getText()}`);
      if (!tsMorph.Node.isIdentifier(node)) return;
      const symbol = node.getSymbol();
      for (const declaration of (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations() ?? []) {
        const used = statementOf(declaration, tsMorph);
        if (used !== null) found.add(used);
      }
    });
  return [...found];
}

/** The statement at the top of a file of ours that a declaration is or belongs to; null for one inside of another. */
function statementOf(declaration: Node, { Node: nodes }: TsMorph): Statement | null {
  const statement = nodes.isVariableDeclaration(declaration) ? declaration.getVariableStatement() : declaration;
  if (statement === undefined || !nodes.isStatement(statement)) return null;
  const file: SourceFile = statement.getSourceFile();
  return statement.getParent() === file && !file.isInNodeModules() ? statement : null;
}

function refuseSameNames(statements: readonly Statement[], { Node: nodes }: TsMorph): void {
  const seen = new Map<string, Statement>();
  for (const statement of statements) {
    const names = nodes.isVariableStatement(statement)
      ? statement.getDeclarations().map((d) => d.getName())
      : nodes.hasName(statement)
        ? [statement.getName()]
        : [];
    for (const name of names) {
      const other = seen.get(name);
      const overload = other !== undefined && other.getSourceFile() === statement.getSourceFile();
      if (other !== undefined && !overload) throw new Error(`two types of the runtime are called ${name}`);
      seen.set(name, statement);
    }
  }
}

function textOf(statement: Statement, exported: boolean): string {
  // Of several comments before a statement the last one is about it.
  const [doc] = statement.getLeadingCommentRanges().slice(-1);
  const body = statement.getText().replace(/^(?:\/\*\*[\s\S]*?\*\/\s*)*(?:export )?(?:declare )?/, "");
  const declare = /^(interface|type)\b/.test(body) ? "" : "declare ";
  return `${doc === undefined ? "" : `${doc.getText()}\n`}${exported ? "export " : ""}${declare}${body}\n`;
}
