/**
 * The project a file belongs to. Its root is the nearest folder above the file that holds a `package.json` or a `.git`,
 * else the file's own folder. Inside a project paths are relative to the root, with `/`; `std/…` names the library.
 */
import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Failure } from "./failure.ts";
import { readText, sizeLimits } from "./read-file.ts";

export interface Project {
  readonly root: string;
  /** The file's path inside the project. */
  readonly entry: string;
}

const libraryPrefix = "std/";

const withSlashes = (path: string): string => (sep === "/" ? path : path.split(sep).join("/"));

export function projectOf(file: string): Project {
  const own = dirname(file);
  let root = own;
  for (let folder = own; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json")) || existsSync(join(folder, ".git"))) {
      root = folder;
      break;
    }
    if (dirname(folder) === folder) break;
  }
  const entry = withSlashes(relative(root, file));
  // A folder `std` at the root of a project would hide behind the library's name: its files are projects by themselves.
  return entry.startsWith(libraryPrefix) ? { root: own, entry: withSlashes(relative(own, file)) } : { root, entry };
}

/** A path of a project as one names it from the working folder. The library keeps its own name. */
export function shownPath(project: Project, path: string, cwd: string): string {
  return path.startsWith(libraryPrefix) ? path : nameFrom(cwd, resolve(project.root, path));
}

/** `models/a.ds`; a file far away keeps its absolute path. */
export function nameFrom(cwd: string, file: string): string {
  const path = relative(cwd, file);
  if (path === "") return ".";
  return isAbsolute(path) || path.split(sep).filter((step) => step === "..").length > 3 ? file : withSlashes(path);
}

/** Reads sources by absolute path, each once. */
export class SourceReader {
  private readonly texts = new Map<string, string | Failure>();
  private readonly libraryFolder: string;
  private readonly cwd: string;

  constructor(packageFolder: string, cwd: string) {
    this.libraryFolder = join(packageFolder, "dsl", "stdlib");
    this.cwd = cwd;
  }

  text(file: string): string | Failure {
    const known = this.texts.get(file);
    if (known !== undefined) return known;
    const text = readText(file, nameFrom(this.cwd, file), sizeLimits.source);
    this.texts.set(file, text);
    return text;
  }

  /** What was read so far, by path inside of the project or of the library, in a fixed order. */
  textsIn(project: Project): readonly (readonly [path: string, text: string])[] {
    const name = (file: string): string => {
      const inLibrary = relative(this.libraryFolder, file);
      const own = withSlashes(relative(project.root, file));
      return inLibrary.startsWith("..") || isAbsolute(inLibrary) ? own : `${libraryPrefix}${withSlashes(inLibrary)}`;
    };
    return [...this.texts]
      .flatMap(([file, text]) => (typeof text === "string" ? [[name(file), text] as const] : []))
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** As the checker asks for it; null when it is not there or may not be read. */
  textIn(project: Project, path: string): string | null {
    const library = path.startsWith(libraryPrefix);
    const folder = library ? this.libraryFolder : project.root;
    const file = resolve(folder, library ? path.slice(libraryPrefix.length) : path);
    const inside = relative(folder, file);
    if (inside.startsWith("..") || isAbsolute(inside)) return null;
    const text = this.text(file);
    return typeof text === "string" ? text : null;
  }
}
