/** Reads the project's files. Whatever goes wrong is "not there": an editor shows half-made projects all the time. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { withSlashes } from "./documents.ts";
import type { Disk } from "./workspace.ts";

const skippedFolders = new Set(["node_modules", "dist", "out", "build"]);

/** A workspace folder can be anything, a home directory even; looking ends somewhere. */
const limits = { files: 2000, entries: 50_000, depth: 12 };

export const realDisk: Disk = {
  read(path) {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return null;
    }
  },
  sources(folder) {
    const found: string[] = [];
    let entries = 0;
    const visit = (at: string, depth: number): void => {
      if (depth > limits.depth) return;
      for (const entry of entriesOf(at)) {
        entries += 1;
        if (found.length >= limits.files || entries > limits.entries) return;
        if (entry.isFile() && entry.name.endsWith(".ds")) found.push(`${at}/${entry.name}`);
        else if (entry.isDirectory() && !entry.name.startsWith(".") && !skippedFolders.has(entry.name)) {
          visit(`${at}/${entry.name}`, depth + 1);
        }
      }
    };
    visit(folder, 0);
    return found;
  },
};

function entriesOf(folder: string): ReturnType<typeof readSorted> {
  try {
    return readSorted(folder);
  } catch {
    return [];
  }
}

const readSorted = (folder: string) =>
  readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

/** The library's folder in this package; built files lie one folder deeper than sources. */
export function findLibraryFolder(): string {
  const candidates = ["../../dsl/stdlib", "../../../dsl/stdlib"].map((relative) =>
    withSlashes(fileURLToPath(new URL(relative, import.meta.url))),
  );
  return (
    candidates.find((folder) => existsSync(`${folder}/softmax.ds`)) ?? candidates.find(existsSync) ?? "/dsl/stdlib"
  );
}
