/**
 * The files of a project as the editor sees them: open texts over the disk. A check's result is a pure function of those
 * texts, so it is kept together with every text it read and is good as long as they are the same.
 */

import type { Location } from "vscode-languageserver/node";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import type { CheckResult } from "../../dsl/checker/result.ts";
import { makeSource, type Source, type Span } from "../../dsl/diagnostics/source.ts";
import { folderOf, locationOf, type OpenDocuments } from "./documents.ts";

/** The disk, as far as it is needed here; `null` and `[]` for what cannot be read. */
export interface Disk {
  read(path: string): string | null;
  /** All `.ds` files below a folder, absolute. */
  sources(folder: string): readonly string[];
}

/** A file as an entry of its project. */
export interface Place {
  /** Absolute folder of the project. */
  readonly root: string;
  /** Path of the file below `root`. */
  readonly entry: string;
}

export interface Checked extends Place {
  readonly result: CheckResult;
  /** Everything that was read, by absolute path; null for what was not there. */
  readonly reads: ReadonlyMap<string, string | null>;
}

/** How many results are kept; beyond that the longest unused goes. */
const keptResults = 64;

export class Workspace {
  private readonly documents: OpenDocuments;
  private readonly disk: Disk;
  private readonly libraryFolder: string;
  private readonly results = new Map<string, Checked>();
  /** Trees of texts that did not change: the library's, mostly. */
  private readonly trees = newParseCache();
  private folders: readonly string[] = [];

  constructor(documents: OpenDocuments, disk: Disk, libraryFolder: string) {
    this.documents = documents;
    this.disk = disk;
    this.libraryFolder = libraryFolder;
  }

  setFolders(folders: readonly string[]): void {
    this.folders = folders;
  }

  /** The innermost workspace folder that holds the file is its project, else the file's own folder. */
  place(path: string): Place {
    const around = this.folders.filter((folder) => path.startsWith(`${folder}/`));
    const root = around.reduce((best, folder) => (folder.length > best.length ? folder : best), "");
    const entry = path.slice(root.length + 1);
    // `std/…` names the library; a project's own folder of that name is a project by itself
    if (root === "" || entry.startsWith("std/"))
      return { root: folderOf(path), entry: path.slice(folderOf(path).length + 1) };
    return { root, entry };
  }

  /** The text of a file now: the editor's if it is open, else the disk's. */
  read(path: string): string | null {
    return this.documents.get(path)?.getText() ?? this.disk.read(path);
  }

  source(path: string): Source | null {
    const text = this.read(path);
    return text === null ? null : makeSource(path, text);
  }

  check(path: string): Checked {
    return this.checkOver(path, null);
  }

  /** As `check`, with texts by absolute path that stand for what is open or on disk: to try an edit out. */
  checkOver(path: string, instead: ReadonlyMap<string, string> | null): Checked {
    const place = this.place(path);
    if (instead !== null) return this.run(place, (file) => instead.get(file) ?? this.read(file));
    const known = this.results.get(path);
    if (known !== undefined && this.isCurrent(known, place)) {
      this.results.delete(path);
      this.results.set(path, known);
      return known;
    }
    const made = this.run(place, (file) => this.read(file));
    this.results.set(path, made);
    for (const oldest of this.results.keys()) {
      if (this.results.size <= keptResults) break;
      this.results.delete(oldest);
    }
    return made;
  }

  /** Files of the project of `path`, itself included, that contain one of the words. */
  mentioning(path: string, words: readonly string[]): readonly string[] {
    const { root } = this.place(path);
    const files = new Set([path, ...this.disk.sources(root), ...this.documents.paths()]);
    return [...files].filter((file) => {
      if (file !== path && this.place(file).root !== root) return false;
      const text = this.read(file);
      return file === path || (text !== null && words.some((word) => text.includes(word)));
    });
  }

  /** Absolute path of a source named in a result. */
  fileOf(checked: Place, sourcePath: string): string {
    return isLibraryPath(sourcePath)
      ? this.libraryFolder + sourcePath.slice("std".length)
      : `${checked.root}/${sourcePath}`;
  }

  locate(checked: Place, span: Span): Location {
    return locationOf(this.documents.uriOf(this.fileOf(checked, span.source.path)), span);
  }

  uriOf(path: string): string {
    return this.documents.uriOf(path);
  }

  isLibraryFile(path: string): boolean {
    return path.startsWith(`${this.libraryFolder}/`);
  }

  /** Module names of the library: `std/norm`. */
  libraryModules(): readonly string[] {
    const files = this.disk.sources(this.libraryFolder);
    return files.map((file) => `std/${file.slice(this.libraryFolder.length + 1).replace(/\.ds$/, "")}`).sort();
  }

  /** What an import names: the file's absolute path. */
  resolveImport(from: Place, spelled: string): string {
    const path = spelled.replace(/\.ds$/, "");
    if (isLibraryPath(path)) return `${this.libraryFolder}${path.slice("std".length)}.ds`;
    const steps = folderOf(`${from.root}/${from.entry}`).split("/");
    for (const step of path.split("/")) {
      if (step === "..") steps.pop();
      else if (step !== "." && step !== "") steps.push(step);
    }
    return `${steps.join("/")}.ds`;
  }

  /** Other files of the project of `path`. */
  projectFiles(path: string): readonly string[] {
    return this.disk.sources(this.place(path).root).filter((file) => file !== path);
  }

  private isCurrent(checked: Checked, place: Place): boolean {
    if (checked.root !== place.root) return false;
    for (const [file, text] of checked.reads) if (this.read(file) !== text) return false;
    return true;
  }

  private run(place: Place, readFile: (path: string) => string | null): Checked {
    const reads = new Map<string, string | null>();
    const read = (path: string): string | null => {
      if (path.split("/").includes("..")) return null;
      const file = this.fileOf(place, path);
      const text = reads.get(file);
      if (text !== undefined) return text;
      const fresh = readFile(file);
      reads.set(file, fresh);
      return fresh;
    };
    read(place.entry);
    const configPath = `${place.entry.replace(/\.ds$/, "")}.config.json`;
    const configText = read(configPath);
    const config = configText === null ? {} : { config: { path: configPath, text: configText } };
    return { ...place, reads, result: checkProject({ entry: place.entry, read, cache: this.trees, ...config }) };
  }
}

export const isLibraryPath = (sourcePath: string): boolean => sourcePath.startsWith("std/");
