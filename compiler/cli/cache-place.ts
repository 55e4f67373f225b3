/** Where packages are kept that were compiled for a run: by what they were made of, so a second run finds them. */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { PackageRoot } from "./package-root.ts";

/** `DSC_CACHE`, else what the system has for caches. */
export function cacheFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const own = env["DSC_CACHE"] ?? "";
  if (own !== "") return own;
  if (platform === "win32") return join(env["LOCALAPPDATA"] ?? join(homedir(), "AppData", "Local"), "dsc", "cache");
  if (platform === "darwin") return join(homedir(), "Library", "Caches", "dsc");
  const shared = env["XDG_CACHE_HOME"] ?? "";
  return join(shared === "" ? join(homedir(), ".cache") : shared, "dsc");
}

/** A name for what is compiled from these texts by this compiler. */
export function cacheKey(texts: readonly (readonly [name: string, text: string])[], home: PackageRoot): string {
  const hash = createHash("sha256");
  for (const part of [home.version, compilerState(home.folder), ...texts.flat()]) {
    const bytes = Buffer.from(part, "utf8");
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest("hex").slice(0, 32);
}

/** What runs does not change while it runs, whatever becomes of its files. */
const states = new Map<string, string>();

/** A compiler that is being worked on has one version and many meanings: its files' sizes and times tell these apart. */
function compilerState(folder: string): string {
  const state = states.get(folder) ?? filesState(folder);
  states.set(folder, state);
  return state;
}

function filesState(folder: string): string {
  const [top, part] = relative(folder, fileURLToPath(import.meta.url)).split(sep);
  const layers = ["dsl", "compiler", "backends", "runtime"];
  const built = layers.map((layer) => join("dist", layer));
  const parts = top !== "dist" ? layers : part === "bundle" ? [join(top, part)] : built;
  return parts
    .flatMap((part) => filesUnder(folder, part))
    .map((path) => {
      const found = statSync(join(folder, path), { throwIfNoEntry: false });
      return `${path} ${found?.size} ${found?.mtimeMs}`;
    })
    .join("\n");
}

function filesUnder(folder: string, part: string): readonly string[] {
  try {
    return readdirSync(join(folder, part), { recursive: true, encoding: "utf8" })
      .filter((path) => /\.(?:[jt]s|ds)$/.test(path) && !/\.(?:test|d)\.ts$/.test(path))
      .map((path) => join(part, path))
      .sort();
  } catch {
    return []; // an installed dsc has no such folder
  }
}
