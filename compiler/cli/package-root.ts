import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this package, and what its package.json says. */
export interface PackageRoot {
  readonly folder: string;
  readonly version: string;
}

/** Up from this file to the package.json of dsc: one folder more when it runs from `dist/`. */
export function findPackageRoot(): PackageRoot {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const version = versionIn(folder);
    if (version !== null) return { folder, version };
    const parent = dirname(folder);
    if (parent === folder)
      throw new Error("the files of dsc lie outside its package: no package.json named dsc above them");
    folder = parent;
  }
}

function versionIn(folder: string): string | null {
  let text: string;
  try {
    text = readFileSync(join(folder, "package.json"), "utf8");
  } catch {
    return null;
  }
  const about: unknown = JSON.parse(text);
  if (typeof about !== "object" || about === null || !("name" in about) || about.name !== "dsc") return null;
  return "version" in about && typeof about.version === "string" ? about.version : "unknown";
}
