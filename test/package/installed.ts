/** Programs that are installed on this machine. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** `own`: what the environment says; else the first of the names on the PATH. */
export function installed(own: string | undefined, names: readonly string[]): string | null {
  if (own !== undefined && own !== "") return own;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const files = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return files.find(mayRun) ?? null;
}

function mayRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
