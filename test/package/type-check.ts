/** What the compiler says of a program that uses a package, under strict. */
import { join } from "node:path";
import { Project, ts } from "ts-morph";

export class TypeCheck {
  readonly #folder: string;
  readonly #project = new Project({
    compilerOptions: {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
      types: [],
      skipLibCheck: false,
    },
  });

  /** `folder`: where the program lies. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Messages of the program, and of the declarations that it imports. */
  problems(text: string): readonly string[] {
    const name = join(this.#folder, "consumer.ts");
    this.#project.createSourceFile(name, text, { overwrite: true });
    this.#project.resolveSourceFileDependencies();
    const found = this.#project.getSourceFiles().flatMap((file) => file.getPreEmitDiagnostics());
    return found.map((d) => ts.flattenDiagnosticMessageText(d.compilerObject.messageText, "\n"));
  }
}
