/** The file that a command is about, checked with what its line says. */
import { type CheckedFile, checkFile, readInputs } from "./check-file.ts";
import type { CommandLine } from "./command-line.ts";
import { Failure } from "./failure.ts";
import { SourceReader } from "./project.ts";
import { showDiagnostics } from "./show-diagnostics.ts";
import type { Surroundings } from "./surroundings.ts";

/** Null where the file has errors, which have been told. */
export function checkedOperand(line: CommandLine, { terminal, home }: Surroundings): CheckedFile | Failure | null {
  const inputs = readInputs(line, terminal.cwd);
  if (inputs instanceof Failure) return inputs;
  const [name = ""] = line.operands;
  const checked = checkFile(name, inputs, new SourceReader(home.folder, terminal.cwd), terminal);
  if (checked instanceof Failure || checked.ok) return checked;
  showDiagnostics(checked.diagnostics, terminal);
  return null;
}
