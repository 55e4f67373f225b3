import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { nameFrom } from "./project.ts";
import { reasonOf } from "./read-file.ts";

const skipped = new Set(["node_modules", "dist"]);

/** The named files, and all `.ds` files below the named folders, each once, in order. Links are not followed. */
export function findSources(names: readonly string[], cwd: string): readonly (string | Failure)[] {
  const found = new Map<string, string | Failure>();
  const guarded = (path: string, look: () => void): void => {
    try {
      look();
    } catch (error) {
      const message = `cannot read ${nameFrom(cwd, path)}: ${reasonOf(error)}`;
      found.set(path, new Failure(exitCodes.cannotReadOrWrite, message));
    }
  };
  const search = (folder: string): void =>
    guarded(folder, () => {
      const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const entry of entries) {
        const path = join(folder, entry.name);
        if (entry.isDirectory() && !entry.name.startsWith(".") && !skipped.has(entry.name)) search(path);
        else if (entry.isFile() && entry.name.endsWith(".ds")) found.set(path, path);
      }
    });
  for (const name of names) {
    const path = resolve(cwd, name);
    guarded(path, () => {
      if (statSync(path).isDirectory()) search(path);
      else found.set(path, path);
    });
  }
  return [...found.values()];
}
